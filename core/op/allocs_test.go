package op_test

import (
	"math/rand"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// TestKernelsAllocateNothing runs the compiled samples again and again: a program of kernels only takes no memory after its first run.
func TestKernelsAllocateNothing(t *testing.T) {
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: 1})
	defer rt.Close()
	check := func(t *testing.T, g *graph.Graph, data []*tensor.Tensor, outs []value) {
		g.Outputs = outs
		p, err := compile.Compile(rt, g, nil, compile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		run := func() {
			if _, err := p.Run(data...); err != nil {
				t.Fatal(err)
			}
		}
		run()
		steps := p.Steps()
		for _, s := range steps {
			if s.Kernel == "Ref" {
				t.Skipf("%s runs as a reference step", s.Operator)
			}
		}
		if len(steps) == 0 {
			t.Skip("shapes depend on data")
		}
		if n := testing.AllocsPerRun(5, run); n != 0 {
			t.Errorf("%v allocations per run", n)
		}
	}
	for _, s := range allSamples() {
		t.Run(s.name, func(t *testing.T) {
			r := rand.New(rand.NewSource(1))
			b := &sampleBuilder{g: graph.New(), r: r}
			var in []value
			for _, sh := range s.shapes {
				in = append(in, b.floats(sh...))
			}
			outs := s.f(in)
			check(t, b.g, b.data, append(outs, gradientsOf(r, outs, in)...))
		})
	}
	for _, s := range allValueSamples() {
		t.Run(s.name, func(t *testing.T) {
			b := &sampleBuilder{g: graph.New(), r: rand.New(rand.NewSource(1))}
			check(t, b.g, b.data, s.f(b))
		})
	}
}
