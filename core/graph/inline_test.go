package graph_test

import (
	"testing"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// A graph that is continued in another computes the same there, and shares its variables by name.
func TestInline(t *testing.T) {
	a := graph.New()
	x := a.Input("x", tensor.Float32, a.Symbol("N"), 2)
	w := a.Variable("w", tensor.From([]float32{1, 2, 3, 4}, 2, 2), true)
	y := op.Relu(op.MatMul(x, w))
	_ = op.Exp(y) // nobody reads it
	a.Output(y)
	a.Output(w)

	g := graph.New()
	in := g.Input("in", tensor.Float32, g.Symbol("N"), 2)
	first := g.Inline(a, []*graph.Value{in})
	second := g.Inline(a, []*graph.Value{first[0]})
	g.Output(second[0])
	if len(g.Vars) != 1 || first[1] != second[1] || !g.Vars[0].Trainable || len(g.Nodes) != 4 {
		t.Errorf("%d variables, %d nodes", len(g.Vars), len(g.Nodes))
	}
	s := graph.NewStore()
	if err := s.Init(g); err != nil {
		t.Fatal(err)
	}
	out, err := graph.Eval(g, s, []*tensor.Tensor{tensor.From([]float32{1, -1}, 1, 2)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	// [1 -1] w = [-2 -2], which the ReLU cuts off.
	if v := out[0].Float32s(); v[0] != 0 || v[1] != 0 {
		t.Errorf("%v", v)
	}
	out, err = graph.Eval(g, s, []*tensor.Tensor{tensor.From([]float32{1, 1}, 1, 2)}, nil)
	if err != nil || out[0].Float32s()[0] != 4+3*6 || out[0].Float32s()[1] != 2*4+4*6 {
		t.Errorf("%v %v", out[0].Float32s(), err)
	}
	if err := func() (err error) {
		defer tensor.Catch(&err)
		g.Inline(a, nil)
		return nil
	}(); err == nil {
		t.Error("inputs are missing, no error")
	}
}

// A store takes its memory from an allocator and gives it back; linked variables stay with their owner.
func TestStores(t *testing.T) {
	alloc := tensor.NewAllocator(1 << 12)
	own, other := graph.NewStoreIn(alloc), graph.NewStoreIn(alloc)
	for _, name := range []string{"a", "b"} {
		if err := own.Set(name, tensor.From([]float32{1, 2, 3}, 3)); err != nil {
			t.Fatal(err)
		}
	}
	other.Link(own)
	if err := other.Set("c", tensor.From([]float32{4}, 1)); err != nil {
		t.Fatal(err)
	}
	if err := other.Set("a", tensor.From([]float32{7, 8, 9}, 3)); err != nil || own.Get("a").Float32s()[0] != 7 {
		t.Errorf("the data is not shared: %v", err)
	}
	err := other.Set("big", tensor.New(tensor.Float32, 4096))
	if e, ok := err.(*tensor.Error); !ok || e.Code != tensor.CodeMemory {
		t.Errorf("over budget: %v", err)
	}
	if live := alloc.Stats().Live; live != 3 {
		t.Errorf("%d buffers", live)
	}
	own.Remove("b")
	other.Close()
	if live := alloc.Stats().Live; live != 1 || own.Get("a").Float32s()[2] != 9 || own.Get("b") != nil {
		t.Errorf("%d buffers", live)
	}
	own.Close()
	if st := alloc.Stats(); st.Live != 0 || st.Used != 0 {
		t.Errorf("%+v", st)
	}
}
