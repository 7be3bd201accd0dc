package op_test

import (
	"math"
	"math/rand"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// TestLowered compares compiled programs with the interpreter: values and gradients of the gradient samples in float32, on one
// worker and on two.
func TestLowered(t *testing.T) {
	for _, s := range allSamples() {
		t.Run(s.name, func(t *testing.T) {
			r := rand.New(rand.NewSource(1))
			g := graph.New()
			var in []*graph.Value
			var data []*tensor.Tensor
			for _, sh := range s.shapes {
				in = append(in, g.Input("x", tensor.Float32, sh...))
				x := tensor.New(tensor.Float32, sh...)
				for i := range x.Len() {
					x.Float32s()[i] = r.Float32()*2 - 1
				}
				data = append(data, x)
			}
			outs := s.f(in)
			for _, d := range op.Gradients(weighted(r, outs), in...) {
				if d != nil {
					outs = append(outs, d)
				}
			}
			compareLowered(t, g, data, outs)
		})
	}
}

func compareLowered(t *testing.T, g *graph.Graph, data []*tensor.Tensor, outs []*graph.Value) {
	t.Helper()
	want := evalAll(t, g, data, outs...)
	for _, workers := range []int{1, 2} {
		rt := compile.NewRuntime(compile.RuntimeOptions{Threads: workers})
		p, err := compile.Compile(rt, g, nil, compile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Run(data...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if got[i].DType() != want[i].DType() || !tensor.SameShape(got[i].Shape(), want[i].Shape()) {
				t.Fatalf("output %d: got %v %v, want %v %v", i, got[i].DType(), got[i].Shape(), want[i].DType(), want[i].Shape())
			}
			a, b := got[i].Float64s(), want[i].Float64s()
			for k := range b {
				if !(math.Abs(a[k]-b[k]) <= 1e-5*(1+math.Abs(b[k]))) {
					t.Fatalf("output %d, element %d is %v, want %v", i, k, a[k], b[k])
				}
			}
		}
		p.Close()
		rt.Close()
	}
}

// TestMoversOfEveryWidth runs the data movers on element types of 1, 2, 4 and 8 bytes, with sizes that split into tiles.
func TestMoversOfEveryWidth(t *testing.T) {
	movers := map[string]func(x *graph.Value) *graph.Value{
		"Transpose 021": func(x *graph.Value) *graph.Value { return op.Transpose(x, 0, 2, 1) },
		"Transpose 210": func(x *graph.Value) *graph.Value { return op.Transpose(x) },
		"Transpose 102": func(x *graph.Value) *graph.Value { return op.Transpose(x, 1, 0, 2) },
		"Slice": func(x *graph.Value) *graph.Value {
			return op.Slice(x, []int{1, -1}, []int{op.End, 2}, op.SliceOptions{Axes: []int{0, 2}, Steps: []int{2, -3}})
		},
		"Slice rows": func(x *graph.Value) *graph.Value {
			return op.Slice(x, []int{3}, []int{40}, op.SliceOptions{Axes: []int{1}})
		},
		"Concat": func(x *graph.Value) *graph.Value { return op.Concat(1, x, x) },
		"Split":  func(x *graph.Value) *graph.Value { return op.SplitN(x, 2, 3)[1] },
		"Expand": func(x *graph.Value) *graph.Value {
			return op.Expand(op.Slice(x, []int{0}, []int{1}, op.SliceOptions{Axes: []int{1}}), 1, 5, 1)
		},
		"Tile": func(x *graph.Value) *graph.Value { return op.Tile(x, 2, 1, 3) },
		"Pad":  func(x *graph.Value) *graph.Value { return op.Pad(x, []int{1, -2, 3, 0, 5, -1}, op.PadOptions{}) },
		"Pad reflect": func(x *graph.Value) *graph.Value {
			return op.Pad(x, []int{1, 2, 3, 0, 5, 4}, op.PadOptions{Mode: "reflect"})
		},
		"Reshape":        func(x *graph.Value) *graph.Value { return op.Reshape(x, -1, 10) },
		"Trilu":          func(x *graph.Value) *graph.Value { return op.Trilu(x, true, -3) },
		"Gather":         func(x *graph.Value) *graph.Value { return op.Gather(x, ints(x.G, []int{2, 2}, 0, 5, -1, 3), 1) },
		"Gather columns": func(x *graph.Value) *graph.Value { return op.Gather(x, ints(x.G, []int{3}, 7, 0, -2), 2) },
		"SpaceToDepth":   func(x *graph.Value) *graph.Value { return op.SpaceToDepth(op.Unsqueeze(x, 0), 2, "DCR") },
	}
	for name, f := range movers {
		for _, d := range []tensor.DType{tensor.Uint8, tensor.Float16, tensor.Float32, tensor.Int64} {
			t.Run(name+" "+d.String(), func(t *testing.T) {
				x := tensor.New(d, 40, 50, 60)
				v := make([]float64, x.Len())
				for i := range v {
					v[i] = float64(i * 7 % 127)
				}
				x.SetFloat64s(v)
				g := graph.New()
				compareLowered(t, g, []*tensor.Tensor{x}, []*graph.Value{f(g.Input("x", d, x.Shape()...))})
			})
		}
	}
}
