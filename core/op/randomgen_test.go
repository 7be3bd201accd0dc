package op_test

import (
	"math"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// TestRandomGenerators holds moments, that interpreter and compiled program draw the same numbers on any number of workers,
// and that seed and step select them.
func TestRandomGenerators(t *testing.T) {
	const n = 300_000
	g := graph.New()
	x := g.Input("x", tensor.Float32, n)
	outs := []*graph.Value{
		op.RandomUniform(g, -1, 3, n), op.RandomNormal(g, 2, 0.5, 3, n/3),
		op.RandomUniformLike(x, 0, 1), op.RandomNormalLike(x, 0, 1), op.Bernoulli(x),
		op.Multinomial(g.Const(tensor.From([]float32{0, float32(math.Log(3))}, 1, 2)), n),
	}
	g.Outputs = outs
	p := tensor.New(tensor.Float32, n)
	for i := range p.Float32s() {
		p.Float32s()[i] = 0.3
	}
	eval := func(seed, step uint64) []*tensor.Tensor {
		res, err := graph.Eval(g, nil, []*tensor.Tensor{p}, &graph.EvalOptions{Rand: graph.RandState{Seed: seed, Step: step}})
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	want := eval(7, 5)
	for i, m := range [][2]float64{{1, 4. / 3}, {2, 0.25}, {0.5, 1. / 12}, {0, 1}, {0.3, 0.21}, {0.75, 0.1875}} {
		var sum, sq float64
		for _, v := range want[i].Float64s() {
			sum += v
			sq += v * v
		}
		mean := sum / n
		if variance := sq/n - mean*mean; math.Abs(mean-m[0]) > 0.01 || math.Abs(variance-m[1]) > 0.01 {
			t.Errorf("output %d has mean %v and variance %v, want %v", i, mean, variance, m)
		}
	}
	for _, other := range [][]*tensor.Tensor{eval(8, 5), eval(7, 6)} {
		for i := range want {
			if string(other[i].Bytes()) == string(want[i].Bytes()) {
				t.Errorf("output %d does not depend on seed and step", i)
			}
		}
	}
	for _, workers := range []int{1, 2} {
		rt := compile.NewRuntime(compile.RuntimeOptions{Threads: workers})
		prg, err := compile.Compile(rt, g, nil, compile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := prg.RunWith([]*tensor.Tensor{p}, compile.RunOptions{Rand: graph.RandState{Seed: 7, Step: 5}})
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if string(got[i].Bytes()) != string(want[i].Bytes()) {
				t.Errorf("output %d differs between interpreter and %d workers", i, workers)
			}
		}
		prg.Close()
		rt.Close()
	}
}
