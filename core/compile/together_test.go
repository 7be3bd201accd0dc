package compile_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// inverted adds an inverted residual: an expansion, a depthwise convolution and a projection, with activations, and a sum where one is possible.
func inverted(r *rand.Rand, g *graph.Graph, x *graph.Value, wide, out, kernel, stride int) *graph.Value {
	weight := func(shape ...int) *graph.Value { return g.Const(randn(r, shape...)) }
	bias := func(n int) *graph.Value {
		if r.IntN(4) == 0 {
			return nil
		}
		return weight(n)
	}
	act := func(y *graph.Value) *graph.Value {
		switch r.IntN(6) {
		case 0:
			return y
		case 1:
			return op.Relu(y)
		case 2:
			return op.Mul(y, op.Clip(op.Add(op.Mul(y, op.ConstLike(y, 1.0/6)), op.ConstLike(y, 0.5)), op.ConstLike(y, 0), op.ConstLike(y, 1))) // HardSwish
		case 3:
			return op.Mul(y, op.Sigmoid(y)) // SiLU
		}
		return op.Clip(y, g.Const(tensor.Scalar(float32(0))), g.Const(tensor.Scalar(float32(6))))
	}
	c, p := x.Shape[1], kernel/2
	y := act(op.Conv(x, weight(wide, c, 1, 1), bias(wide), op.ConvOptions{}))
	q := p
	if r.IntN(4) == 0 {
		q = p + kernel%2 // as TensorFlow pads
		p--
	}
	y = act(op.Conv(y, weight(wide, 1, kernel, kernel), bias(wide), op.ConvOptions{Group: wide, Strides: []int{stride, stride}, Pads: []int{max(p, 0), max(p, 0), q, q}}))
	y = op.Conv(y, weight(out, wide, 1, 1), bias(out), op.ConvOptions{})
	if out == c && stride == 1 && y.Shape[2] == x.Shape[2] && y.Shape[3] == x.Shape[3] {
		y = op.Add(x, y)
	}
	return y
}

// chainSteps counts the steps that compute several convolutions.
func chainSteps(p *compile.Program) (n int) {
	for _, s := range p.Steps() {
		if s.Kernel == "ConvChain" {
			n++
		}
	}
	return n
}

// Convolutions that are computed by rows have the bits of one after the other, for any shapes, batches and number of threads.
func TestConvChains(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	graphs, chains := 24, 0
	if strings.HasPrefix(simd.Current().Name, "generic") {
		graphs = 3 // slow
	}
	for i := range graphs {
		g := graph.New()
		x := g.Input("x", tensor.Float32, 1+r.IntN(2), 3, 110+r.IntN(60), 110+r.IntN(60))
		y := op.Relu(op.Conv(x, g.Const(randn(r, 24, 3, 3, 3)), g.Const(randn(r, 24)), op.ConvOptions{Strides: []int{2, 2}, Pads: []int{1, 1, 1, 1}}))
		if r.IntN(2) == 0 { // MobileNet begins like this
			y = op.Relu(op.Conv(y, g.Const(randn(r, 24, 1, 3, 3)), nil, op.ConvOptions{Group: 24, Pads: []int{1, 1, 1, 1}}))
			y = op.Conv(y, g.Const(randn(r, 24, 24, 1, 1)), nil, op.ConvOptions{})
		}
		y = inverted(r, g, y, 60+r.IntN(80), 24, 3+2*r.IntN(2), 1)
		y = inverted(r, g, y, 130+r.IntN(40), []int{24, 31, 24}[i%3], 3, 1+r.IntN(2))
		if i%4 == 0 {
			g.Output(y)
		}
		g.Output(inverted(r, g, y, 90, 24, 3, 1+r.IntN(2)))
		in := randn(r, x.Shape...)
		var want [][]byte
		for _, opt := range []compile.Options{{NoFusion: true}, {}} {
			for _, threads := range []int{1, 3} {
				p := mustCompile(t, newRuntime(t, threads), g, nil, opt)
				for k, y := range mustRun(t, p, in) {
					if len(want) <= k {
						want = append(want, append([]byte(nil), y.Bytes()...))
					} else if string(want[k]) != string(y.Bytes()) {
						t.Fatalf("graph %d: other bits in output %d, fused: %v, %d threads", i, k, !opt.NoFusion, threads)
					}
				}
				chains += chainSteps(p)
			}
		}
	}
	if chains < graphs {
		t.Errorf("%d steps compute several convolutions", chains)
	}
}

// What is between convolutions may be an output, or read by others: then it is computed.
func TestConvChainsKeepWhatIsRead(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 24))
	for _, read := range []bool{false, true} {
		g := graph.New()
		x := g.Input("x", tensor.Float32, 1, 32, 64, 64)
		wide := op.Relu(op.Conv(x, g.Const(randn(r, 128, 32, 1, 1)), nil, op.ConvOptions{}))
		deep := op.Relu(op.Conv(wide, g.Const(randn(r, 128, 1, 3, 3)), nil, op.ConvOptions{Group: 128, Pads: []int{1, 1, 1, 1}}))
		y := op.Conv(deep, g.Const(randn(r, 32, 128, 1, 1)), nil, op.ConvOptions{})
		g.Output(y)
		if read {
			g.Output(op.ReduceMean(deep, []int{2, 3}, true))
		}
		p := mustCompile(t, newRuntime(t, 2), g, nil, compile.Options{})
		in := randn(r, x.Shape...)
		got := mustRun(t, p, in)
		want := mustRun(t, mustCompile(t, newRuntime(t, 1), g, nil, compile.Options{NoFusion: true}), in)
		for i := range want[:1] {
			if string(got[i].Bytes()) != string(want[i].Bytes()) {
				t.Errorf("read %v: other bits in output %d", read, i)
			}
		}
		if n := chainSteps(p); n != 1 {
			t.Errorf("read %v: %d steps compute several convolutions", read, n)
		}
	}
}

// A program whose images change size computes chains by rows or apart, with the same bits.
func TestConvChainsBindAgain(t *testing.T) {
	r := rand.New(rand.NewPCG(25, 26))
	g := graph.New()
	x := g.Input("x", tensor.Float32, -1, 24, -1, -1)
	y := op.Relu(op.Conv(x, g.Const(randn(r, 96, 24, 1, 1)), g.Const(randn(r, 96)), op.ConvOptions{}))
	y = op.Relu(op.Conv(y, g.Const(randn(r, 96, 1, 3, 3)), nil, op.ConvOptions{Group: 96, Pads: []int{1, 1, 1, 1}}))
	g.Output(op.Conv(y, g.Const(randn(r, 24, 96, 1, 1)), nil, op.ConvOptions{}))
	p := mustCompile(t, newRuntime(t, 2), g, nil, compile.Options{})
	sizes := [][]int{{1, 24, 60, 50}, {1, 24, 8, 9}, {3, 24, 60, 50}, {3, 24, 61, 47}, {1, 24, 60, 50}, {2, 24, 1, 1}}
	for i, s := range sizes {
		in := randn(r, s...)
		want := mustRun(t, mustCompile(t, newRuntime(t, 1), g, nil, compile.Options{NoFusion: true}), in)[0].Bytes()
		if got := mustRun(t, p, in)[0].Bytes(); string(got) != string(want) {
			t.Fatalf("run %d, %v: other bits", i, s)
		}
		if chains, pays := chainSteps(p), s[2]*s[3] > 100; (chains == 1) != pays {
			t.Errorf("run %d, %v: %d chains", i, s, chains)
		}
	}
}
