package op_test

import (
	"math"
	"math/rand"
	"testing"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// gradSample is a function of float64 inputs whose gradients are compared with central differences.
type gradSample struct {
	name   string
	shapes [][]int
	f      func(in []*graph.Value) []*graph.Value
}

func one(f func(in []*graph.Value) *graph.Value) func(in []*graph.Value) []*graph.Value {
	return func(in []*graph.Value) []*graph.Value { return []*graph.Value{f(in)} }
}

func ints(g *graph.Graph, shape []int, v ...int64) *graph.Value {
	return g.Const(tensor.From(v, shape...))
}

var gradSamples = []gradSample{
	{name: "Conv", shapes: [][]int{{2, 2, 5, 4}, {3, 2, 3, 2}, {3}}, f: one(func(in []*graph.Value) *graph.Value {
		return op.Conv(in[0], in[1], in[2], op.ConvOptions{Strides: []int{2, 1}, Pads: []int{1, 0, 0, 1}})
	})},
	{name: "Conv groups dilated", shapes: [][]int{{1, 4, 7}, {4, 2, 2}}, f: one(func(in []*graph.Value) *graph.Value {
		return op.Conv(in[0], in[1], nil, op.ConvOptions{Group: 2, Dilations: []int{3}})
	})},
	{name: "Conv 3-D same", shapes: [][]int{{1, 1, 3, 3, 2}, {2, 1, 2, 2, 2}}, f: one(func(in []*graph.Value) *graph.Value {
		return op.Conv(in[0], in[1], nil, op.ConvOptions{AutoPad: "SAME_UPPER"})
	})},
	{name: "ConvTranspose", shapes: [][]int{{2, 4, 3, 3}, {4, 2, 3, 2}, {4}}, f: one(func(in []*graph.Value) *graph.Value {
		return op.ConvTranspose(in[0], in[1], in[2], op.ConvTransposeOptions{ConvOptions: op.ConvOptions{Group: 2, Strides: []int{2, 3}, Pads: []int{1, 0, 0, 1}}, OutputPadding: []int{1, 0}})
	})},
	{name: "MaxPool", shapes: [][]int{{1, 2, 5, 5}}, f: one(func(in []*graph.Value) *graph.Value {
		return op.MaxPool(op.Mul(in[0], in[0]), op.PoolOptions{Kernel: []int{3, 2}, Strides: []int{2, 2}, Pads: []int{1, 0, 1, 1}})
	})},
	{name: "AveragePool", shapes: [][]int{{1, 2, 5, 5}}, f: one(func(in []*graph.Value) *graph.Value {
		return op.AveragePool(op.Mul(in[0], in[0]), op.PoolOptions{Kernel: []int{3, 2}, Strides: []int{2, 2}, Pads: []int{1, 0, 1, 1}, CeilMode: true})
	})},
	{name: "AveragePool with padding counted", shapes: [][]int{{1, 1, 6}}, f: one(func(in []*graph.Value) *graph.Value {
		return op.AveragePool(op.Mul(in[0], in[0]), op.PoolOptions{Kernel: []int{3}, Pads: []int{1, 1}, CountIncludePad: true})
	})},
	{name: "GlobalAveragePool", shapes: [][]int{{2, 2, 3, 2}}, f: one(func(in []*graph.Value) *graph.Value { return op.GlobalAveragePool(op.Mul(in[0], in[0])) })},
	{name: "MaxPoolReluGrad", shapes: [][]int{{1, 2, 3, 2}, {1, 2, 5, 5}}, f: one(func(in []*graph.Value) *graph.Value {
		return in[0].G.Add(&op.DefMaxPoolReluGrad, []graph.Attr{graph.Ints("kernel_shape", 3, 2), graph.Ints("strides", 2, 2), graph.Ints("pads", 1, 0, 1, 0)}, in...)
	})},
	{name: "GlobalMaxPool", shapes: [][]int{{2, 2, 3, 2}}, f: one(func(in []*graph.Value) *graph.Value { return op.GlobalMaxPool(op.Mul(in[0], in[0])) })},
	{name: "views", shapes: [][]int{{2, 3, 2}}, f: one(func(in []*graph.Value) *graph.Value {
		x := op.Reshape(op.Mul(in[0], in[0]), 0, -1, 1)
		return op.Flatten(op.Unsqueeze(op.Squeeze(x, 2), 0, 3), 2)
	})},
	{name: "Transpose", shapes: [][]int{{2, 3, 2}}, f: one(func(in []*graph.Value) *graph.Value { return op.Transpose(op.Mul(in[0], in[0]), 2, 0, 1) })},
	{name: "Expand", shapes: [][]int{{3, 1}}, f: one(func(in []*graph.Value) *graph.Value { return op.Expand(op.Mul(in[0], in[0]), 2, 3, 4) })},
	{name: "Tile", shapes: [][]int{{2, 3}}, f: one(func(in []*graph.Value) *graph.Value { return op.Tile(op.Mul(in[0], in[0]), 3, 2) })},
	{name: "DepthToSpace", shapes: [][]int{{1, 8, 2, 2}}, f: one(func(in []*graph.Value) *graph.Value {
		return op.SpaceToDepth(op.DepthToSpace(op.Mul(in[0], in[0]), 2, "CRD"), 2, "DCR")
	})},
	{name: "Slice", shapes: [][]int{{5, 6}}, f: one(func(in []*graph.Value) *graph.Value {
		return op.Slice(op.Mul(in[0], in[0]), []int{-2, 1}, []int{-op.End, op.End}, op.SliceOptions{Steps: []int{-2, 2}})
	})},
	{name: "Pad constant", shapes: [][]int{{3, 4}, {}}, f: one(func(in []*graph.Value) *graph.Value {
		return op.Pad(op.Mul(in[0], in[0]), []int{1, -1, 0, 2}, op.PadOptions{Value: op.Mul(in[1], in[1])})
	})},
	{name: "Pad reflect", shapes: [][]int{{3, 4}}, f: one(func(in []*graph.Value) *graph.Value {
		return op.Pad(op.Mul(in[0], in[0]), []int{2, 3}, op.PadOptions{Mode: "reflect", Axes: []int{1}})
	})},
	{name: "Pad edge", shapes: [][]int{{3, 4}}, f: one(func(in []*graph.Value) *graph.Value {
		return op.Pad(op.Mul(in[0], in[0]), []int{2, 3, 0, 1}, op.PadOptions{Mode: "edge"})
	})},
	{name: "Pad wrap", shapes: [][]int{{3, 4}}, f: one(func(in []*graph.Value) *graph.Value {
		return op.Pad(op.Mul(in[0], in[0]), []int{2, 3, 0, 1}, op.PadOptions{Mode: "wrap"})
	})},
	{name: "Concat", shapes: [][]int{{2, 3}, {2, 1}}, f: one(func(in []*graph.Value) *graph.Value { return op.Concat(1, op.Mul(in[0], in[0]), in[1], in[0]) })},
	{name: "Split", shapes: [][]int{{2, 6}}, f: func(in []*graph.Value) []*graph.Value {
		p := op.Split(op.Mul(in[0], in[0]), 1, 1, 3, 2)
		return []*graph.Value{p[2], op.SplitN(p[1], 1, 2)[1]}
	}},
	{name: "Trilu", shapes: [][]int{{2, 3, 3}}, f: one(func(in []*graph.Value) *graph.Value { return op.Trilu(op.Mul(in[0], in[0]), false, 1) })},
	{name: "Range", shapes: [][]int{{}, {}}, f: one(func(in []*graph.Value) *graph.Value {
		a, d := op.Mul(in[0], in[0]), op.Add(op.Mul(in[1], in[1]), op.ConstLike(in[1], 1))
		return op.Range(a, op.Add(a, op.Mul(d, op.ConstLike(d, 3.5))), d)
	})},
	{name: "Gather", shapes: [][]int{{2, 4, 3}}, f: one(func(in []*graph.Value) *graph.Value {
		return op.Gather(op.Mul(in[0], in[0]), ints(in[0].G, []int{2, 2}, 0, 3, -1, 3), 1)
	})},
	{name: "GatherElements", shapes: [][]int{{3, 3}}, f: one(func(in []*graph.Value) *graph.Value {
		return op.GatherElements(op.Mul(in[0], in[0]), ints(in[0].G, []int{2, 3}, 0, 2, -1, 2, 2, 0), 0)
	})},
	{name: "GatherND", shapes: [][]int{{2, 3, 2}}, f: one(func(in []*graph.Value) *graph.Value {
		return op.GatherND(op.Mul(in[0], in[0]), ints(in[0].G, []int{2, 2, 1}, 0, 2, 2, 2), 1)
	})},
	{name: "ScatterElements", shapes: [][]int{{3, 3}, {1, 3}}, f: one(func(in []*graph.Value) *graph.Value {
		return op.ScatterElements(op.Mul(in[0], in[0]), ints(in[0].G, []int{1, 3}, 0, 2, 1), op.Mul(in[1], in[1]), 0, "")
	})},
	{name: "ScatterElements add", shapes: [][]int{{3, 3}, {2, 3}}, f: one(func(in []*graph.Value) *graph.Value {
		return op.ScatterElements(op.Mul(in[0], in[0]), ints(in[0].G, []int{2, 3}, 0, 2, 1, 0, 0, 0), op.Mul(in[1], in[1]), 0, "add")
	})},
	{name: "ScatterElements mul", shapes: [][]int{{3, 3}, {2, 3}}, f: one(func(in []*graph.Value) *graph.Value {
		return op.ScatterElements(op.Mul(in[0], in[0]), ints(in[0].G, []int{2, 3}, 0, 2, 1, 0, 0, 0), op.Mul(in[1], in[1]), 0, "mul")
	})},
	{name: "ScatterND max", shapes: [][]int{{3, 2}, {2, 2}}, f: one(func(in []*graph.Value) *graph.Value {
		return op.ScatterND(op.Mul(in[0], in[0]), ints(in[0].G, []int{2, 1}, 2, 2), op.Mul(in[1], in[1]), "max")
	})},
	{name: "Resize nearest", shapes: [][]int{{1, 2, 3, 2}}, f: one(func(in []*graph.Value) *graph.Value {
		return op.Resize(op.Mul(in[0], in[0]), op.ResizeOptions{Scales: []float32{1, 1, 2, 3}})
	})},
	{name: "Resize linear", shapes: [][]int{{1, 2, 3, 4}}, f: one(func(in []*graph.Value) *graph.Value {
		return op.Resize(op.Mul(in[0], in[0]), op.ResizeOptions{Mode: "linear", Sizes: []int{5, 3}, Axes: []int{2, 3}})
	})},
	{name: "Resize cubic antialiased", shapes: [][]int{{6, 5}}, f: one(func(in []*graph.Value) *graph.Value {
		return op.Resize(op.Mul(in[0], in[0]), op.ResizeOptions{Mode: "cubic", Sizes: []int{4, 7}, Antialias: true})
	})},
	{name: "TopK", shapes: [][]int{{3, 5}}, f: one(func(in []*graph.Value) *graph.Value {
		v, _ := op.TopK(op.Mul(in[0], in[0]), 2, 1, false)
		return v
	})},
}

// TestGradients compares the gradients, and the gradients of a function of the gradients, with central differences in float64.
func TestGradients(t *testing.T) {
	for _, s := range allSamples() {
		t.Run(s.name, func(t *testing.T) {
			r := rand.New(rand.NewSource(int64(len(s.name))))
			g := graph.New()
			var in []*graph.Value
			var data []*tensor.Tensor
			for _, sh := range s.shapes {
				in = append(in, g.Input("x", tensor.Float64, sh...))
				x := tensor.New(tensor.Float64, sh...)
				for i := range x.Len() {
					tensor.Data[float64](x)[i] = r.Float64()*2 - 1
				}
				data = append(data, x)
			}
			loss := weighted(r, s.f(in))
			grads := op.Gradients(loss, in...)
			checkGradients(t, "first order", g, loss, in, data, grads)
			if t.Failed() {
				return
			}
			second := weighted(r, grads)
			if second == nil {
				return // no gradient flows
			}
			checkGradients(t, "second order", g, second, in, data, op.Gradients(second, in...))
		})
	}
}

// weighted returns the sum of all elements, each with a random weight.
func weighted(r *rand.Rand, ys []*graph.Value) *graph.Value {
	var loss *graph.Value
	for _, y := range ys {
		if y == nil {
			continue
		}
		weights := y // of an unknown shape
		if n, ok := tensor.CheckedSize(y.Shape); ok {
			v := make([]float64, n)
			for i := range v {
				v[i] = r.Float64() + 0.5
			}
			w := tensor.New(y.DType, y.Shape...)
			w.SetFloat64s(v)
			weights = y.G.Const(w)
		}
		term := op.ReduceSum(op.Mul(y, weights), nil, false)
		if loss == nil {
			loss = term
		} else {
			loss = op.Add(loss, term)
		}
	}
	return loss
}

func evalAll(t *testing.T, g *graph.Graph, data []*tensor.Tensor, outs ...*graph.Value) []*tensor.Tensor {
	t.Helper()
	g.Outputs = outs
	res, err := graph.Eval(g, nil, data, nil)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func checkGradients(t *testing.T, what string, g *graph.Graph, loss *graph.Value, in []*graph.Value, data []*tensor.Tensor, grads []*graph.Value) {
	t.Helper()
	const h = 1e-5
	for k := range in {
		got := tensor.New(tensor.Float64, data[k].Shape()...) // zeros where no gradient flows
		if grads[k] != nil {
			got = evalAll(t, g, data, grads[k])[0]
		}
		if !tensor.SameShape(got.Shape(), data[k].Shape()) {
			t.Fatalf("%s: gradient by input %d has shape %v, want %v", what, k, got.Shape(), data[k].Shape())
		}
		x := tensor.Data[float64](data[k])
		for i := range x {
			old := x[i]
			x[i] = old + h
			up := tensor.Data[float64](evalAll(t, g, data, loss)[0])[0]
			x[i] = old - h
			down := tensor.Data[float64](evalAll(t, g, data, loss)[0])[0]
			x[i] = old
			want, have := (up-down)/(2*h), tensor.Data[float64](got)[i]
			if math.Abs(want-have) > 1e-5*(1+math.Abs(want)) {
				t.Fatalf("%s: gradient by input %d, element %d is %v, want %v", what, k, i, have, want)
			}
		}
	}
}
