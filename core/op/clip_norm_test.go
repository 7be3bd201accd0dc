package op_test

import (
	"bytes"
	"math"
	"math/rand"
	"strconv"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// TestClippedUpdates: limiting the norm of all gradients together is two steps beside the one of all updates, with the same bits for any number of threads,
// and the factor is that of the norm.
func TestClippedUpdates(t *testing.T) {
	sizes := []int{1, 4095, 4096, 4097, 140_001, 0, 300_000, 5}
	run := func(t *testing.T, threads int, limit, size float64) (factor float32, states [][]byte, steps int, norm float64) {
		r := rand.New(rand.NewSource(7))
		g := graph.New()
		var data []*tensor.Tensor
		lr := g.Const(tensor.Scalar(float32(0.1)))
		var grads []value
		for _, n := range sizes {
			x := tensor.New(tensor.Float32, n)
			for i := range x.Float32s() {
				x.Float32s()[i] = float32(size * r.NormFloat64())
				norm += float64(x.Float32s()[i]) * float64(x.Float32s()[i])
			}
			data, grads = append(data, x), append(grads, g.Input("", tensor.Float32, n))
		}
		f := op.ClipFactor(float32(limit), grads...)
		g.Output(f)
		for i, n := range sizes {
			w := g.Variable("w"+strconv.Itoa(i), tensor.New(tensor.Float32, n), true)
			g.Update(w, op.SGD(w, grads[i], lr, op.UpdateOptions{Scale: f}))
		}
		rt := compile.NewRuntime(compile.RuntimeOptions{Threads: threads})
		defer rt.Close()
		store := graph.NewStore()
		p, err := compile.Compile(rt, g, store, compile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		out, err := p.Run(data...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range sizes {
			states = append(states, append([]byte{}, store.Get("w"+strconv.Itoa(i)).Bytes()...))
		}
		return out[0].Float32s()[0], states, len(p.Steps()), math.Sqrt(norm)
	}
	for _, c := range []struct{ limit, size float64 }{{1, 1}, {1, 1e-6}, {100, 0.5}, {1, 1e19}, {1, math.NaN()}} {
		want, states, steps, norm := run(t, 1, c.limit, c.size)
		if steps != 3 {
			t.Errorf("%d steps, want 3", steps)
		}
		exact := min(1, c.limit/norm)
		if c.size == 1e19 {
			exact = 0 // the squares overflow
		}
		if math.IsNaN(exact) != (want != want) || math.Abs(float64(want)-exact) > 1e-6*exact {
			t.Errorf("limit %v, norm %v: factor %v, want %v", c.limit, norm, want, exact)
		}
		for _, threads := range []int{2, 3} {
			got, other, _, _ := run(t, threads, c.limit, c.size)
			if math.Float32bits(got) != math.Float32bits(want) {
				t.Errorf("%d threads: factor %v, one: %v", threads, got, want)
			}
			for i := range states {
				if !bytes.Equal(states[i], other[i]) {
					t.Errorf("%d threads: variable %d has other bits", threads, i)
				}
			}
		}
	}
}
