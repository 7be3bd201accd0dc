package onnx_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/onnx"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/random"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/internal/ort"
)

// lenet returns a LeNet with random weights, its input and its logits.
func lenet() (g *graph.Graph, x, y *graph.Value) {
	g = graph.New()
	rng := random.New(5, 1)
	param := func(name string, shape ...int) *graph.Value {
		t := tensor.New(tensor.Float32, shape...)
		for i := range t.Float32s() {
			t.Float32s()[i] = 0.2 * (rng.Float32() - 0.5)
		}
		return g.Variable(name, t, true)
	}
	x = g.Input("image", tensor.Float32, g.Symbol("N"), 1, 28, 28)
	pool := op.PoolOptions{Kernel: []int{2, 2}, Strides: []int{2, 2}}
	h := op.Conv(x, param("conv1.weight", 6, 1, 5, 5), param("conv1.bias", 6), op.ConvOptions{})
	h = op.MaxPool(op.Relu(h), pool)
	h = op.Conv(h, param("conv2.weight", 16, 6, 5, 5), param("conv2.bias", 16), op.ConvOptions{})
	h = op.Flatten(op.MaxPool(op.Relu(h), pool), 1)
	h = op.Relu(op.Gemm(h, param("fc1.weight", 256, 120), param("fc1.bias", 120), op.GemmOptions{}))
	y = op.Gemm(h, param("fc2.weight", 120, 10), param("fc2.bias", 10), op.GemmOptions{})
	y.Name = "logits"
	g.Output(y)
	return g, x, y
}

func images(n int) *tensor.Tensor {
	x := tensor.New(tensor.Float32, n, 1, 28, 28)
	rng := random.New(9, 1)
	for i := range x.Float32s() {
		x.Float32s()[i] = rng.Float32()
	}
	return x
}

func storeOf(t *testing.T, g *graph.Graph) *graph.Store {
	t.Helper()
	s := graph.NewStore()
	if err := s.Init(g); err != nil {
		t.Fatal(err)
	}
	return s
}

func encode(t *testing.T, g *graph.Graph, s *graph.Store, o onnx.EncodeOptions) []byte {
	t.Helper()
	b, err := onnx.Encode(g, s, o)
	if err != nil {
		t.Fatal(err)
	}
	var w bytes.Buffer
	if err := onnx.EncodeTo(&w, g, s, o); err != nil || !bytes.Equal(w.Bytes(), b) {
		t.Fatalf("EncodeTo differs from Encode: %v", err)
	}
	return b
}

func decode(t *testing.T, b []byte, o onnx.DecodeOptions) *graph.Graph {
	t.Helper()
	o.Operators = op.Full
	g, err := onnx.Decode(b, o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func eval(t *testing.T, g *graph.Graph, s *graph.Store, in ...*tensor.Tensor) []*tensor.Tensor {
	t.Helper()
	out, err := graph.Eval(g, s, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestRoundTrip checks that a model that is written, read and written again gives the same bytes and results.
func TestRoundTrip(t *testing.T) {
	g, _, _ := lenet()
	s := storeOf(t, g)
	b := encode(t, g, s, onnx.EncodeOptions{})
	h := decode(t, b, onnx.DecodeOptions{})
	if len(h.TrainableVars()) != 8 || len(h.Vars) != 8 {
		t.Errorf("8 trainable variables became %d variables, %d trainable", len(h.Vars), len(h.TrainableVars()))
	}
	if c := encode(t, h, nil, onnx.EncodeOptions{}); !bytes.Equal(b, c) {
		t.Errorf("%d bytes became other %d bytes", len(b), len(c))
	}
	if got := h.ShapeString(h.Inputs[0].Shape) + h.ShapeString(h.Outputs[0].Shape); got != "[N 1 28 28][N 10]" {
		t.Errorf("input and output have shapes %s", got)
	}
	x := images(2)
	want, got := eval(t, g, s, x), eval(t, h, storeOf(t, h), x)
	if !bytes.Equal(got[0].Bytes(), want[0].Bytes()) {
		t.Error("the logits changed")
	}
}

// TestRuntimeAgrees opens what Encode writes in onnxruntime and compares the results.
func TestRuntimeAgrees(t *testing.T) {
	g, _, _ := lenet()
	s := storeOf(t, g)
	x := images(5)
	got := ort.Run(t, encode(t, g, s, onnx.EncodeOptions{}), ort.Named{Name: "image", Value: x})
	want := eval(t, g, s, x)[0]
	if got[0].Name != "logits" || !tensor.SameShape(got[0].Value.Shape(), want.Shape()) {
		t.Fatalf("output %q %v, want logits %v", got[0].Name, got[0].Value.Shape(), want.Shape())
	}
	for i, v := range got[0].Value.Float32s() {
		if d := math.Abs(float64(v - want.Float32s()[i])); !(d <= 1e-5) {
			t.Fatalf("logit %d differs by %g", i, d)
		}
	}
}

// TestTraining writes a training step, reads it back, and runs both: the losses and the weights must have the same bits.
func TestTraining(t *testing.T) {
	g, _, y := lenet()
	label := g.Input("label", tensor.Int64, g.Symbol("N"))
	loss := op.SoftmaxCrossEntropyLoss(y, label, nil, op.LossOptions{})
	vars := g.TrainableVars()
	for i, d := range op.Gradients(loss, vars...) {
		g.Update(vars[i], op.Sub(vars[i], op.Mul(d, op.ConstLike(d, 0.05))))
	}
	step := g.Variable("step", tensor.From([]int64{0}, 1), false)
	g.Update(step, op.Add(step, g.Const(tensor.From([]int64{1}, 1))))
	b := encode(t, g, nil, onnx.EncodeOptions{Training: true})

	inference := decode(t, b, onnx.DecodeOptions{})
	if len(inference.Inputs) != 1 || len(inference.Updates) != 0 || len(inference.Vars) != 8 {
		t.Errorf("the inference graph has %d inputs, %d updates, %d variables", len(inference.Inputs), len(inference.Updates), len(inference.Vars))
	}
	h := decode(t, b, onnx.DecodeOptions{Training: true})
	if len(h.Updates) != 9 || len(h.Inputs) != 2 || len(h.Vars) != 9 {
		t.Fatalf("the training graph has %d updates, %d inputs, %d variables", len(h.Updates), len(h.Inputs), len(h.Vars))
	}
	if c := encode(t, h, nil, onnx.EncodeOptions{Training: true}); !bytes.Equal(b, c) {
		t.Errorf("%d bytes became other %d bytes", len(b), len(c))
	}
	x, l := images(3), tensor.From([]int64{1, 7, 3}, 3)
	sg, sh := storeOf(t, g), storeOf(t, h)
	for range 2 {
		want, got := eval(t, g, sg, x, l), eval(t, h, sh, x, l)
		if !bytes.Equal(want[0].Bytes(), got[0].Bytes()) {
			t.Fatal("the logits differ")
		}
	}
	for _, v := range g.Vars {
		if !bytes.Equal(sg.Get(v.Name).Bytes(), sh.Get(v.Name).Bytes()) {
			t.Errorf("variable %s differs after two steps", v.Name)
		}
	}
}
