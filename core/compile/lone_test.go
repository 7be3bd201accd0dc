package compile_test

import (
	"math/rand/v2"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// One operator of broadcast operands, in runs of every kind, on any number of threads: the elements are those of the operands.
func TestLoneOperators(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	for _, s := range [][2][]int{
		{{40, 1000}, {40, 1}}, {{2, 3, 200}, {2, 1, 200}}, {{2, 30, 100}, {30, 1}}, {{300, 1}, {1000}}, {{3, 4, 5, 128}, {3, 1, 5, 1}}, {{3, 4, 5, 128}, {4, 1, 128}},
		{{7, 1, 130}, {9, 1}}, {{2, 1, 3, 95}, {4, 1, 95}}, {{33, 1, 3000}, {2, 1}}, {{2, 70000}, {2, 1}}, {{5, 150}, {1, 150}}, {{2, 1, 300}, {1, 3, 1}},
	} {
		for turned := range 2 {
			a, b := randn(r, s[turned]...), randn(r, s[1-turned]...)
			g := graph.New()
			x, y := g.Input("a", tensor.Float32, a.Shape()...), g.Input("b", tensor.Float32, b.Shape()...)
			g.Output(op.Sub(x, y))
			for _, threads := range []int{1, 3} {
				got := mustRun(t, mustCompile(t, newRuntime(t, threads), g, nil, compile.Options{}), a, b)[0]
				av, bv := tensor.New(tensor.Float32, got.Shape()...), tensor.New(tensor.Float32, got.Shape()...)
				tensor.CopyTo(av, a.Expand(got.Shape()...))
				tensor.CopyTo(bv, b.Expand(got.Shape()...))
				for i, v := range got.Float32s() {
					if v != av.Float32s()[i]-bv.Float32s()[i] {
						t.Fatalf("%v - %v on %d threads: element %d is wrong", a.Shape(), b.Shape(), threads, i)
					}
				}
			}
		}
	}
}
