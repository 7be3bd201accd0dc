package compile_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// TestHoist: what depends on weights alone is computed once for every state of the weights.
func TestHoist(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	g := graph.New()
	x := g.Input("x", tensor.Float32, g.Symbol("N"), 3, 6)
	w, scale := g.Variable("w", randn(r, 5, 6), true), g.Variable("scale", randn(r, 5, 1), true)
	turned := op.Transpose(op.Mul(w, scale), 1, 0)
	y := op.MatMul(x, turned)
	g.Output(y)
	g.Output(op.Add(op.Reshape(w, 30), op.Expand(op.Exp(g.Const(tensor.From([]float32{1}, 1))), 30))) // through a view that stays
	g.Output(turned)
	rt := newRuntime(t, 1)
	store := graph.NewStore()
	p := mustCompile(t, rt, g, store, compile.Options{})
	check := func(what string, n int) {
		t.Helper()
		in := randn(r, n, 3, 6)
		want, err := graph.Eval(g, store, []*tensor.Tensor{in}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, got := range mustRun(t, p, in) {
			near(t, what, got, want[i], 1e-5)
		}
	}
	check("first", 2)
	if m := p.Memory(); m.Packed != 4*(30+30) {
		t.Errorf("%d bytes of hoisted values, want a transposed weight and a sum", m.Packed)
	}
	check("other shapes", 3)
	if err := store.Set("scale", randn(r, 5, 1)); err != nil {
		t.Fatal(err)
	}
	check("another weight", 3)
	for _, s := range p.Steps() {
		if strings.Contains(s.Operator, "Mul+") || strings.Contains(s.Operator, "Transpose") {
			t.Errorf("step %s runs every time", s.Operator)
		}
	}
	in := randn(r, 3, 3, 6)
	if n := testing.AllocsPerRun(20, func() { p.Run(in) }); n != 0 {
		t.Errorf("%v allocations a run", n)
	}
	before := rt.Allocator().Stats().Used
	p.Close()
	if after := rt.Allocator().Stats().Used; after >= before {
		t.Errorf("%d bytes in use before Close, %d after", before, after)
	}
}

// TestHoistUpdated: what depends on a variable that the program itself writes is computed in every run.
func TestHoistUpdated(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	g := graph.New()
	x := g.Input("x", tensor.Float32, 2, 6)
	w := g.Variable("w", randn(r, 5, 6), true)
	y := op.MatMul(x, op.Transpose(w, 1, 0))
	g.Output(y)
	g.Update(w, op.Mul(w, g.Const(tensor.From([]float32{0.5}, 1))))
	store, ref := graph.NewStore(), graph.NewStore()
	if err := ref.Init(g); err != nil {
		t.Fatal(err)
	}
	p := mustCompile(t, newRuntime(t, 1), g, store, compile.Options{})
	for range 3 {
		in := randn(r, 2, 6)
		want, err := graph.Eval(g, ref, []*tensor.Tensor{in}, nil)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "y", mustRun(t, p, in)[0], want[0], 1e-5)
	}
}
