package op_test

import (
	"math"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// TestAttentionDropout compares the kernels with the composed graph of the same key, for every element that is dropped and every gradient, and holds that seed and step
// select what is dropped and that the number of threads does not.
func TestAttentionDropout(t *testing.T) {
	const batch, seq, heads, size, rate = 3, 70, 2, 8, 0.25
	build := func(fused bool) *graph.Graph {
		g := graph.New()
		x := g.Input("x", tensor.Float32, batch, seq, 3*heads*size)
		dy := g.Input("dy", tensor.Float32, batch, seq, heads*size)
		o := op.AttentionOptions{Heads: heads, Causal: true, Lengths: g.Const(tensor.From([]int64{70, 70, 70}, batch))}
		var y *graph.Value
		if fused {
			y = op.SelfAttentionDropout(x, o, rate)
		} else {
			key := op.RandomKey(g)
			p := append([]*graph.Value(nil), op.Split(x, 2, heads*size, heads*size, heads*size)...)
			for i := range p {
				p[i] = op.Transpose(op.Reshape(p[i], 0, 0, heads, size), 0, 2, 1, 3)
			}
			s := op.Mul(op.MatMulT(p[0], p[1], false, true), op.ConstLike(x, 1/math.Sqrt(size)))
			hidden := tensor.New(tensor.Float32, seq, seq)
			for i := range hidden.Float32s() {
				if i%seq > i/seq {
					hidden.Float32s()[i] = float32(math.Inf(-1))
				}
			}
			d := op.DropoutKeyed(op.Softmax(op.Add(s, g.Const(hidden)), -1), key, rate)
			y = op.Reshape(op.Transpose(op.MatMul(d, p[2]), 0, 2, 1, 3), 0, 0, heads*size)
		}
		g.Outputs = append([]*graph.Value{y}, op.VJP([]*graph.Value{y}, []*graph.Value{dy}, x)...)
		return g
	}
	in := []*tensor.Tensor{tensor.New(tensor.Float32, batch, seq, 3*heads*size), tensor.New(tensor.Float32, batch, seq, heads*size)}
	for _, x := range in {
		for i := range x.Float32s() {
			x.Float32s()[i] = float32(i*7919%1000)/500 - 1
		}
	}
	run := func(g *graph.Graph, threads int, state graph.RandState) []*tensor.Tensor {
		rt := compile.NewRuntime(compile.RuntimeOptions{Threads: threads})
		defer rt.Close()
		p, err := compile.Compile(rt, g, nil, compile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		out, err := p.RunWith(in, compile.RunOptions{Rand: state})
		if err != nil {
			t.Fatal(err)
		}
		for i := range out {
			out[i] = out[i].Clone()
		}
		return out
	}
	fused, composed := build(true), build(false)
	// The same key: both nodes draw from the stream of their own number.
	stream := func(g *graph.Graph) uint64 {
		for _, n := range g.Nodes {
			if n.Def == &op.DefRandomKey {
				return uint64(n.ID) << 40
			}
		}
		t.Fatal("no key")
		return 0
	}
	state := graph.RandState{Seed: 5, Step: 6}
	other := graph.RandState{Seed: 5, Step: 6 ^ stream(fused) ^ stream(composed)}
	got := run(fused, 1, state)
	for i, want := range run(composed, 1, other) {
		for j, w := range want.Float32s() {
			if v := got[i].Float32s()[j]; !(math.Abs(float64(v-w)) <= 1e-5*(1+math.Abs(float64(w)))) {
				t.Fatalf("output %d: element %d is %v, composed %v", i, j, v, w)
			}
		}
	}
	for i, x := range run(fused, 3, state) {
		if string(x.Bytes()) != string(got[i].Bytes()) {
			t.Errorf("output %d depends on the number of threads", i)
		}
	}
	for _, s := range []graph.RandState{{Seed: 6, Step: 6}, {Seed: 5, Step: 7}} {
		if string(run(fused, 1, s)[0].Bytes()) == string(got[0].Bytes()) {
			t.Errorf("%+v drops the same as %+v", s, state)
		}
	}
}
