package op_test

import (
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// TestShapeErrors builds nodes that cannot be and looks for what the error must say.
func TestShapeErrors(t *testing.T) {
	f32 := func(g *graph.Graph, shape ...int) value { return g.Input("x", tensor.Float32, shape...) }
	i64 := func(g *graph.Graph, shape ...int) value { return g.Input("i", tensor.Int64, shape...) }
	b8 := func(g *graph.Graph, shape ...int) value { return g.Input("b", tensor.Bool, shape...) }
	cases := []struct {
		name, want string
		f          func(g *graph.Graph)
	}{
		{"Add", "shapes do not broadcast: [2 3] x [2]", func(g *graph.Graph) { op.Add(f32(g, 2, 3), f32(g, 2)) }},
		{"Add types", "element types differ: float32 and int64", func(g *graph.Graph) { op.Add(f32(g, 2), i64(g, 2)) }},
		{"Add strings", "must be of a numeric type, not bool", func(g *graph.Graph) { op.Add(b8(g, 2), b8(g, 2)) }},
		{"Exp", "must be of a floating-point type, not int64", func(g *graph.Graph) { op.Exp(i64(g, 2)) }},
		{"And", "must be bool, not int64", func(g *graph.Graph) { op.And(i64(g, 2), i64(g, 2)) }},
		{"Where", "must be bool", func(g *graph.Graph) { op.Where(f32(g, 2), f32(g, 2), f32(g, 2)) }},
		{"MatMul", `MatMul "MatMul": inner dimensions differ: [2 3] x [4 5]`, func(g *graph.Graph) { op.MatMul(f32(g, 2, 3), f32(g, 4, 5)) }},
		{"MatMul batch", "batch dimensions do not broadcast: [2 3 4] x [3 4 5]", func(g *graph.Graph) { op.MatMul(f32(g, 2, 3, 4), f32(g, 3, 4, 5)) }},
		{"MatMul scalar", "rank 0", func(g *graph.Graph) { op.MatMul(f32(g), f32(g, 4, 5)) }},
		{"Gemm", "inner dimensions differ", func(g *graph.Graph) { op.Gemm(f32(g, 2, 3), f32(g, 3, 5), nil, op.GemmOptions{TransB: true}) }},
		{"Gemm rank", "must have rank 2", func(g *graph.Graph) { op.Gemm(f32(g, 2, 3, 4), f32(g, 4, 5), nil, op.GemmOptions{}) }},
		{"Gemm bias", "does not broadcast to the product", func(g *graph.Graph) { op.Gemm(f32(g, 2, 3), f32(g, 3, 5), f32(g, 2), op.GemmOptions{}) }},
		{"Softmax", "axis 2 is outside a tensor of rank 2", func(g *graph.Graph) { op.Softmax(f32(g, 2, 3), 2) }},
		{"ReduceSum", "axis 3 is outside a tensor of rank 2", func(g *graph.Graph) { op.ReduceSum(f32(g, 2, 3), []int{3}, false) }},
		{"ReduceSum twice", "axis -2 is given twice", func(g *graph.Graph) { op.ReduceSum(f32(g, 2, 3), []int{0, -2}, false) }},
		{"ArgMax of nothing", "no elements to choose from", func(g *graph.Graph) { op.ArgMax(f32(g, 2, 0), 1, false) }},
		{"CumSum", "axis 1 is outside a tensor of rank 1", func(g *graph.Graph) { op.CumSum(f32(g, 3), 1, false, false) }},
		{"loss types", "class numbers must be int32 or int64, not float32", func(g *graph.Graph) {
			op.SoftmaxCrossEntropyLoss(f32(g, 4, 10), f32(g, 4), nil, op.LossOptions{})
		}},
		{"loss shapes", "without their class dimension they are [4]", func(g *graph.Graph) {
			op.SoftmaxCrossEntropyLoss(f32(g, 4, 10), i64(g, 5), nil, op.LossOptions{})
		}},
		{"loss weights", "the number of class weights differs", func(g *graph.Graph) {
			op.NegativeLogLikelihoodLoss(f32(g, 4, 10), i64(g, 4), f32(g, 9), op.LossOptions{})
		}},
		{"loss reduction", "it can be mean, sum or none", func(g *graph.Graph) {
			op.SoftmaxCrossEntropyLoss(f32(g, 4, 10), i64(g, 4), nil, op.LossOptions{Reduction: "average"})
		}},
		{"PRelu", "the slope does not broadcast to the input", func(g *graph.Graph) { op.PRelu(f32(g, 3), f32(g, 2, 3)) }},
		{"Clip", "must have one element", func(g *graph.Graph) { op.Clip(f32(g, 3), f32(g, 3), nil) }},
		{"Mod", "floating-point types need fmod = 1", func(g *graph.Graph) { op.Mod(f32(g, 3), f32(g, 3), false) }},
		{"Max of nothing", "needs at least one input", func(g *graph.Graph) { op.Max() }},
		{"SumTo", "the second shape does not broadcast to the first", func(g *graph.Graph) { op.SumTo(f32(g, 2, 3), f32(g, 2)) }},
		{"ReshapeLike", "element counts differ: [2 3] x [7]", func(g *graph.Graph) { op.ReshapeLike(f32(g, 2, 3), f32(g, 7)) }},
		{"SGD", "shapes must be equal", func(g *graph.Graph) { op.SGD(f32(g, 2, 3), f32(g, 3), f32(g), op.UpdateOptions{}) }},
		{"Adam", "must have one element", func(g *graph.Graph) {
			op.Adam(f32(g, 2), f32(g, 2), f32(g, 2), f32(g, 2), f32(g, 2), f32(g), f32(g), op.AdamOptions{})
		}},
		{"GroupNormalization", "the channels do not divide into 2 groups", func(g *graph.Graph) {
			op.GroupNormalization(f32(g, 1, 3, 4), f32(g, 3), f32(g, 3), 2, 0)
		}},
		{"InstanceNormalization", "one element per channel", func(g *graph.Graph) { op.InstanceNormalization(f32(g, 1, 3, 4), f32(g, 4), f32(g, 3), 0) }},
		{"LpNormalization", "it can be 1 or 2", func(g *graph.Graph) { op.LpNormalization(f32(g, 3), 0, 3) }},
		{"BitShift", "takes unsigned integers, not int64", func(g *graph.Graph) { op.BitShift(i64(g, 3), i64(g, 3), true) }},
		{"LSTM weights", "W [directions, gates*H, D] has 7 in dimension 1 where 8 is due", func(g *graph.Graph) {
			op.LSTM(f32(g, 3, 1, 4), f32(g, 1, 7, 4), f32(g, 1, 8, 2), nil, op.RNNOptions{})
		}},
		{"GRU directions", "R [directions, gates*H, H] has 1 in dimension 0 where 2 is due", func(g *graph.Graph) {
			op.GRU(f32(g, 3, 1, 4), f32(g, 1, 6, 4), f32(g, 1, 6, 2), nil, op.RNNOptions{Direction: "bidirectional"})
		}},
		{"RNN activation", "there is no activation gelu", func(g *graph.Graph) {
			op.RNN(f32(g, 3, 1, 4), f32(g, 1, 2, 4), f32(g, 1, 2, 2), nil, op.RNNOptions{Activations: []string{"Gelu"}})
		}},
		{"RNN lengths", "sequence_lens must be int32, not int64", func(g *graph.Graph) {
			op.RNN(f32(g, 3, 1, 4), f32(g, 1, 2, 4), f32(g, 1, 2, 2), nil, op.RNNOptions{Lengths: i64(g, 1)})
		}},
		{"another graph", "belongs to another graph", func(g *graph.Graph) { op.Add(f32(g, 3), f32(graph.New(), 3)) }},
		{"not differentiable", "gradients need a floating-point loss", func(g *graph.Graph) { op.Gradients(op.ArgMax(f32(g, 3), 0, false)) }},
		{"not a scalar", "must have one element", func(g *graph.Graph) { op.Gradients(op.Exp(f32(g, 3))) }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			defer func() {
				e, ok := recover().(*tensor.Error)
				if !ok {
					t.Fatalf("no *tensor.Error, want one with %q", c.want)
				}
				if !strings.HasPrefix(e.Error(), "weft: ") || !strings.Contains(e.Error(), c.want) {
					t.Errorf("the error is %q, want it to contain %q", e, c.want)
				}
			}()
			c.f(graph.New())
		})
	}
}

// TestUnknownDims looks at what is inferred from dimensions that are unknown or symbols.
func TestUnknownDims(t *testing.T) {
	g := graph.New()
	n := g.Symbol("N")
	x, m := g.Input("x", tensor.Float32, n, 4), g.Input("m", tensor.Float32, graph.Unknown, 4)
	w := g.Input("w", tensor.Float32, 4, 3)
	for _, c := range []struct {
		name string
		v    value
		want []int
	}{
		{"symbol with itself", op.Add(x, x), []int{n, 4}},
		{"symbol with 1", op.Add(x, g.Input("o", tensor.Float32, 1, 4)), []int{n, 4}},
		{"symbol with a size", op.Add(x, g.Input("s", tensor.Float32, 5, 4)), []int{5, 4}},
		{"symbol with unknown", op.Add(x, m), []int{graph.Unknown, 4}},
		{"MatMul", op.MatMul(x, w), []int{n, 3}},
		{"Gemm of unknown", op.Gemm(m, w, g.Input("b", tensor.Float32, 3), op.GemmOptions{}), []int{graph.Unknown, 3}},
		{"mean over the batch", op.ReduceMean(x, []int{0}, false), []int{4}},
		{"mean of rows", op.ReduceMean(x, []int{1}, true), []int{n, 1}},
		{"loss per sample", op.SoftmaxCrossEntropyLoss(x, g.Input("c", tensor.Int64, n), nil, op.LossOptions{Reduction: "none"}), []int{n}},
		{"ArgMax", op.ArgMax(x, 1, false), []int{n}},
	} {
		if !c.v.HasRank || !tensor.SameShape(c.v.Shape, c.want) {
			t.Errorf("%s: shape %v, want %v", c.name, c.v.Shape, c.want)
		}
	}
	if d := op.SumTo(x, x); d != x {
		t.Error("SumTo of equal symbolic shapes adds a node")
	}
	if d := op.SumTo(m, m); d == m {
		t.Error("SumTo between unknown dimensions must stay a node")
	}
}
