package onnx_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/onnx"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/internal/ort"
)

// TestPatterns runs models as PyTorch exports them (testdata/patterns/golden.py): attention, layer normalisation and Gelu become one operator each, and results
// are PyTorch's, onnxruntime's and the interpreter's.
func TestPatterns(t *testing.T) {
	type number struct {
		Shape []int
		Data  []float32
	}
	var golden map[string]struct {
		Inputs []number
		Output number
	}
	b, err := os.ReadFile("testdata/patterns/golden.json")
	if err == nil {
		err = json.Unmarshal(b, &golden)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		has    []string // kernels of the program
		lacks  []string
		theirs bool // onnxruntime is asked too
	}{
		{"plain", []string{"Attention", "LayerNorm"}, []string{"Softmax", "Move"}, false},
		{"scaled_q", []string{"Attention", "LayerNorm"}, []string{"Softmax", "Move"}, false},
		{"scaled_both", []string{"Attention", "LayerNorm"}, []string{"Softmax", "Move"}, false},
		{"causal_fill", []string{"Attention"}, []string{"Softmax", "Choose"}, false},
		{"causal_where", []string{"Attention"}, []string{"Softmax", "Choose"}, false},
		{"causal_add", []string{"Attention"}, []string{"Softmax"}, false},
		{"padded", []string{"Attention"}, []string{"Softmax"}, false},
		{"causal_padded", []string{"Attention"}, []string{"Softmax", "Choose"}, true},
		{"dynamic", []string{"Attention", "LayerNorm"}, []string{"Softmax"}, false},
		{"cross", []string{"Attention"}, []string{"Softmax"}, false},
		{"shown", []string{"Softmax"}, []string{"Attention"}, false},
		{"gelu", nil, nil, false},
		{"gelu_tanh", nil, nil, false},
		{"encoder", []string{"Attention", "LayerNorm"}, []string{"Softmax"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := golden[c.name]
			file, err := os.ReadFile("testdata/patterns/" + c.name + ".onnx")
			if err != nil {
				t.Fatal(err)
			}
			g, err := onnx.Decode(file, onnx.DecodeOptions{Operators: op.Full})
			if err != nil {
				t.Fatal(err)
			}
			var in []*tensor.Tensor
			var named []ort.Named
			for i, x := range want.Inputs {
				in = append(in, tensor.From(x.Data, x.Shape...))
				named = append(named, ort.Named{Name: g.Inputs[i].Name, Value: in[i]})
			}
			rt := compile.NewRuntime(compile.RuntimeOptions{Threads: 1})
			defer rt.Close()
			check := func(how string, y *tensor.Tensor) {
				for i, v := range y.Float32s() {
					if w := float64(want.Output.Data[i]); math.Abs(float64(v)-w) > 2e-6*(1+math.Abs(w)) {
						t.Fatalf("%s: element %d is %v, PyTorch's %v", how, i, v, w)
					}
				}
			}
			for _, plain := range []bool{false, true} {
				store := graph.NewStore()
				if err := store.Init(g); err != nil {
					t.Fatal(err)
				}
				p, err := compile.Compile(rt, g, store, compile.Options{NoFusion: plain})
				if err != nil {
					t.Fatal(err)
				}
				defer p.Close()
				out, err := p.Run(in...)
				if err != nil {
					t.Fatal(err)
				}
				if check("compiled", out[0]); plain {
					continue
				}
				kernels := map[string]int{}
				for _, s := range p.Steps() {
					kernels[s.Kernel]++
				}
				for _, k := range c.has {
					if kernels[k] == 0 {
						t.Errorf("no step %s in %v", k, kernels)
					}
				}
				for _, k := range c.lacks {
					if kernels[k] != 0 {
						t.Errorf("a step %s in %v", k, kernels)
					}
				}
				y, err := graph.Eval(g, store, in, nil)
				if err != nil {
					t.Fatal(err)
				}
				check("interpreted", y[0])
				if c.name != "dynamic" {
					continue
				}
				for _, s := range [][]int{{1, 1}, {2, 33}, {5, 6}, {0, 3}} { // its dimensions are symbols
					x := tensor.New(tensor.Float32, s[0], s[1], in[0].Shape()[2])
					for i := range x.Float32s() {
						x.Float32s()[i] = float32(math.Sin(float64(i)))
					}
					got, err := p.Run(x)
					if err != nil {
						t.Fatal(err)
					}
					y, err := graph.Eval(g, store, []*tensor.Tensor{x}, nil)
					if err != nil {
						t.Fatal(err)
					}
					if !tensor.SameShape(got[0].Shape(), y[0].Shape()) {
						t.Fatalf("shape %v, interpreted %v", got[0].Shape(), y[0].Shape())
					}
					for i, v := range got[0].Float32s() {
						if w := float64(y[0].Float32s()[i]); math.Abs(float64(v)-w) > 2e-6*(1+math.Abs(w)) {
							t.Fatalf("input %v: element %d is %v, interpreted %v", s, i, v, w)
						}
					}
				}
			}
			if c.theirs {
				check("onnxruntime", ort.Run(t, file, named...)[0].Value)
			}
		})
	}
}
