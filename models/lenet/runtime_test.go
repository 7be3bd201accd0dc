package lenet_test

import (
	"math"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/data/digits"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/onnx"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/internal/ort"
)

// TestTrainedModelInRuntime opens a trained model in onnxruntime: the same logits as the compiled program's on digits.
func TestTrainedModelInRuntime(t *testing.T) {
	file := trained(t, 2)
	g, err := onnx.Decode(file, onnx.DecodeOptions{Operators: op.Full})
	if err != nil {
		t.Fatal(err)
	}
	const n = 64
	x := tensor.New(tensor.Float32, n, 1, digits.Size, digits.Size)
	src := digits.New(digits.Options{Seed: 9, Test: true})
	const size = digits.Size * digits.Size
	for i := range n {
		if _, err := src.Read(0, i, x.Float32s()[i*size:(i+1)*size], nil); err != nil {
			t.Fatal(err)
		}
	}
	rt := compile.NewRuntime(compile.RuntimeOptions{})
	defer rt.Close()
	p, err := compile.Compile(rt, g, graph.NewStore(), compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	out, err := p.Run(x)
	if err != nil {
		t.Fatal(err)
	}
	ours := out[0].Float32s()
	theirs := ort.Run(t, file, ort.Named{Name: g.Inputs[0].Name, Value: x})[0].Value.Float32s()
	if len(ours) != n*10 || len(theirs) != n*10 {
		t.Fatalf("%d and %d logits, want %d", len(ours), len(theirs), n*10)
	}
	worst := 0.0
	for i := range ours {
		worst = max(worst, math.Abs(float64(ours[i]-theirs[i])))
	}
	if !(worst <= 1e-5) {
		t.Errorf("logits differ from onnxruntime's by up to %g", worst)
	}
	t.Logf("largest difference %.2g", worst)
}
