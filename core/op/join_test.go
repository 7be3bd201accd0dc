package op_test

import (
	"bytes"
	"fmt"
	"math/rand"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// TestUpdatesAreOneStep: the updates of all variables are one step, whose tiles cut variables anywhere, with the bits of single ones.
func TestUpdatesAreOneStep(t *testing.T) {
	sizes := []int{1, 15, 16, 17, 70_000, 300, 5, 140_001, 64}
	// run updates the variables from number from to before to twice, and returns them.
	run := func(t *testing.T, threads, from, to int) (states [][]byte, steps int) {
		r := rand.New(rand.NewSource(7))
		random := func(n int) *tensor.Tensor {
			x := tensor.New(tensor.Float32, n)
			for i := range x.Float32s() {
				x.Float32s()[i] = r.Float32()
			}
			return x
		}
		g := graph.New()
		var data []*tensor.Tensor
		number := func(v float32) value {
			data = append(data, tensor.From([]float32{v}))
			return g.Input("", tensor.Float32)
		}
		lr, c1, c2 := number(0.01), number(0.1), number(0.001)
		var names []string
		for k, n := range sizes {
			w0, m0, v0, g0 := random(n), random(n), random(n), random(n)
			if k < from || k >= to {
				continue
			}
			var vars []value
			for j, x := range []*tensor.Tensor{w0, m0, v0} {
				names = append(names, fmt.Sprint("v", k, ".", j))
				vars = append(vars, g.Variable(names[len(names)-1], x, j == 0))
			}
			d := g.Input("", tensor.Float32, n)
			data = append(data, g0)
			w, m, v := op.Adam(vars[0], d, vars[1], vars[2], lr, c1, c2, op.AdamOptions{WeightDecay: 0.1})
			for j, x := range []value{w, m, v} {
				g.Update(vars[j], x)
			}
		}
		rt := compile.NewRuntime(compile.RuntimeOptions{Threads: threads})
		defer rt.Close()
		store := graph.NewStore()
		p, err := compile.Compile(rt, g, store, compile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		for range 2 {
			if _, err := p.Run(data...); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range names {
			states = append(states, append([]byte{}, store.Get(name).Bytes()...))
		}
		return states, len(p.Steps())
	}
	for _, threads := range []int{1, 3} {
		all, steps := run(t, threads, 0, len(sizes))
		if steps != 1 {
			t.Errorf("%d steps, want 1", steps)
		}
		for k := range sizes {
			single, _ := run(t, threads, k, k+1)
			for j, x := range single {
				if !bytes.Equal(x, all[3*k+j]) {
					t.Errorf("%d threads: tensor %d of variable %d has other bits", threads, j, k)
				}
			}
		}
	}
}
