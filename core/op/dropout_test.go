package op_test

import (
	"math"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// TestDropout holds the share that is dropped, the scale of the rest, that the gradient goes through the same mask, that interpreter
// and compiled program drop the same elements on any number of workers, and that seed and step select them.
func TestDropout(t *testing.T) {
	const n, rate = 200_000, 0.3
	g := graph.New()
	x := g.Input("x", tensor.Float32, n)
	y := op.Dropout(x, rate)
	dx := op.Gradients(op.ReduceSum(y, nil, false), x)[0]
	g.Output(y)
	g.Output(dx)
	in := tensor.New(tensor.Float32, n)
	for i := range in.Float32s() {
		in.Float32s()[i] = 1
	}
	eval := func(seed, step uint64) []*tensor.Tensor {
		res, err := graph.Eval(g, nil, []*tensor.Tensor{in}, &graph.EvalOptions{Rand: graph.RandState{Seed: seed, Step: step}})
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	want := eval(3, 4)
	kept := 0
	for i, v := range want[0].Float32s() {
		if v != 0 {
			kept++
			if math.Abs(float64(v)-1/(1-rate)) > 1e-6 {
				t.Fatalf("element %d is %v", i, v)
			}
		}
		if want[1].Float32s()[i] != v {
			t.Fatalf("gradient %d is %v where the output is %v", i, want[1].Float32s()[i], v)
		}
	}
	if share := float64(kept) / n; math.Abs(share-(1-rate)) > 0.005 {
		t.Errorf("%v of the elements are kept", share)
	}
	for _, other := range [][]*tensor.Tensor{eval(3, 5), eval(4, 4)} {
		if string(other[0].Bytes()) == string(want[0].Bytes()) {
			t.Error("another seed or step drops the same elements")
		}
	}
	for _, workers := range []int{1, 3} {
		rt := compile.NewRuntime(compile.RuntimeOptions{Threads: workers})
		p, err := compile.Compile(rt, g, nil, compile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.RunWith([]*tensor.Tensor{in}, compile.RunOptions{Rand: graph.RandState{Seed: 3, Step: 4}})
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if string(got[i].Bytes()) != string(want[i].Bytes()) {
				t.Errorf("%d workers: output %d differs from the interpreter's", workers, i)
			}
		}
		p.Close()
		rt.Close()
	}
}
