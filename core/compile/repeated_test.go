package compile_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// An element that is repeated for the sake of elementwise operators is read as one, where something else gives them their shape.
func TestRepeatedElement(t *testing.T) {
	const n = 1 << 15 // more than folding makes
	r := rand.New(rand.NewPCG(3, 1))
	g := graph.New()
	x, s := g.Input("x", tensor.Float32, g.Symbol("N"), n), g.Input("s", tensor.Float32)
	like := op.ExpandLike(s, x)
	g.Output(op.Sub(like, op.Mul(x, op.Expand(s, 1, n))))
	g.Output(op.Where(op.Greater(x, like), x, op.ExpandLike(g.Const(tensor.From([]float32{.25}, 1, 1)), x)))
	half := op.Expand(s, 2, n)
	g.Output(op.Add(half, op.Expand(g.Const(tensor.From([]float32{1}, 1)), 1, n))) // one of the two has to give the shape
	g.Output(op.Relu(half))
	in := []*tensor.Tensor{randn(r, 2, n), tensor.From([]float32{-.5}).Reshape()}
	want := mustRun(t, mustCompile(t, newRuntime(t, 1), g, nil, compile.Options{NoFusion: true}), in...)
	p := mustCompile(t, newRuntime(t, 2), g, nil, compile.Options{})
	got := mustRun(t, p, in...)
	for i := range want {
		if !tensor.SameShape(got[i].Shape(), want[i].Shape()) || !slices.EqualFunc(got[i].Float32s(), want[i].Float32s(), func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }) {
			t.Errorf("output %d differs from the plain program's", i)
		}
	}
	repeats := 0
	for _, s := range p.Steps() {
		repeats += strings.Count(s.Operator, "Expand")
	}
	if repeats != 1 {
		t.Errorf("%d steps repeat an element; one has to", repeats)
	}
}
