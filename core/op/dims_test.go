package op_test

import (
	"testing"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// TestComputedTarget looks at what Reshape's rule makes of target shapes that exporters compute from dimensions.
func TestComputedTarget(t *testing.T) {
	g := graph.New()
	n, s := g.Symbol("N"), g.Symbol("S")
	const unknown = graph.Unknown
	x := g.Input("x", tensor.Float32, n, s, 8)
	data := g.Input("data", tensor.Int64, 1)
	dim := func(i int) *graph.Value { // as PyTorch writes it
		return op.Unsqueeze(op.Gather(op.Shape(x), g.Const(tensor.From([]int64{int64(i)})), 0), 0)
	}
	num := func(v ...int) *graph.Value { return op.ConstInts(g, v...) }
	join := func(v ...*graph.Value) *graph.Value { return op.Concat(0, v...) }
	deep := dim(0) // doubles more often than any rank or patience allows
	for range 4 {
		deep = join(deep, deep)
	}
	empty := op.Gather(op.Shape(x), num(), 0)
	for range 40 {
		empty = join(empty, empty)
	}
	for _, c := range []struct {
		name   string
		target *graph.Value
		want   []int
	}{
		{"heads", join(dim(0), dim(1), num(2, 4)), []int{n, s, 2, 4}},
		{"from the end", join(dim(-3), dim(-2), num(8)), []int{n, s, 8}},
		{"a dimension worked out", join(dim(0), dim(1), num(-1, 4)), []int{n, s, 2, 4}},
		{"a symbol worked out", join(dim(0), num(-1, 8)), []int{n, s, 8}},
		{"a product worked out", join(num(-1, 4), dim(1)), []int{unknown, 4, s}},
		{"the whole shape", op.Cast(op.Cast(op.Shape(x), tensor.Int32), tensor.Int64), []int{n, s, 8}},
		{"a copy", join(num(0, 0), num(2, -1)), []int{n, s, 2, 4}},
		{"an unknown size", join(dim(0), data, num(8)), []int{n, unknown, 8}},
		{"an unknown size hides another", join(dim(0), data, num(-1)), []int{n, unknown, unknown}},
		{"arithmetic", join(op.Mul(dim(0), dim(1)), num(8)), []int{unknown, 8}},
		{"two worked out", join(dim(0), num(-1, -1)), []int{unknown, unknown, unknown}},
		{"too many", join(deep, num(8)), nil},
		{"shared without end", join(empty, dim(0), num(-1)), []int{unknown, unknown}},
	} {
		y := op.ReshapeTo(x, c.target)
		if y.HasRank != (c.want != nil) || !tensor.SameShape(y.Shape, c.want) {
			t.Errorf("%s: shape %v, want %v", c.name, y.Shape, c.want)
		}
	}
	if y := op.ReshapeTo(x, op.Squeeze(op.Unsqueeze(join(dim(0), num(-1)), 0), 0)); !tensor.SameShape(y.Shape, []int{unknown, unknown}) {
		t.Errorf("a target that was a matrix: shape %v", y.Shape)
	}
}
