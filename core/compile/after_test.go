package compile_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// drawPooled adds a convolution, perhaps an activation, and a pool.
func drawPooled(r *rand.Rand, g *graph.Graph) {
	c, m, k := 1+r.IntN(6), 1+r.IntN(40), 1+r.IntN(5)
	x := g.Input("x", tensor.Float32, 1+r.IntN(12), c, k+4+r.IntN(50), k+4+r.IntN(50))
	weight := func(shape ...int) *graph.Value { return g.Const(randn(r, shape...)) }
	var bias *graph.Value
	if r.IntN(2) == 0 {
		bias = weight(m)
	}
	p := r.IntN(3)
	y := op.Conv(x, weight(m, c, k, k), bias, op.ConvOptions{Pads: []int{p, p, p, p}, Strides: []int{1 + r.IntN(2), 1 + r.IntN(2)}})
	switch r.IntN(4) {
	case 0:
		y = op.Clip(y, g.Const(tensor.Scalar(float32(-0.2))), g.Const(tensor.Scalar(float32(0.7))))
	case 1:
	default:
		y = op.Relu(y)
	}
	o := op.PoolOptions{Kernel: []int{2, 2}, Strides: []int{2, 2}}
	if r.IntN(2) == 0 {
		o = op.PoolOptions{Kernel: []int{1 + r.IntN(3), 1 + r.IntN(3)}, Strides: []int{1 + r.IntN(2), 1 + r.IntN(3)}, CeilMode: r.IntN(2) == 0}
		if o.Kernel[0] > 1 && o.Kernel[1] > 1 && r.IntN(2) == 0 {
			o.Pads = []int{1, 1, 1, 1}
		}
	}
	if r.IntN(4) == 0 {
		y = op.AveragePool(y, o)
	} else {
		y = op.MaxPool(y, o)
	}
	if r.IntN(2) == 0 { // what follows may want channels last
		y = op.Conv(y, weight(24, m, 1, 1), nil, op.ConvOptions{})
	}
	g.Outputs = []*graph.Value{y}
}

// A convolution that is computed with its pool has the bits of both, for any shapes and number of threads.
func TestConvPoolFuses(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	fused := 0
	for i := range 60 {
		g := graph.New()
		drawPooled(r, g)
		x := randn(r, g.Inputs[0].Shape...)
		var want []byte
		for _, opt := range []compile.Options{{NoFusion: true}, {}} {
			for _, threads := range []int{1, 3} {
				p := mustCompile(t, newRuntime(t, threads), g, nil, opt)
				y := mustRun(t, p, x)[0].Bytes()
				if want == nil {
					want = append(want, y...)
				} else if string(want) != string(y) {
					t.Fatalf("graph %d: other bits, fused: %v, %d threads", i, !opt.NoFusion, threads)
				}
				for _, s := range p.Steps() {
					if strings.HasPrefix(s.Operator, "weft.ConvPool") {
						fused++
					}
				}
			}
		}
	}
	if fused < 30 {
		t.Errorf("%d of 120 programs compute them together", fused)
	}
}

// A program whose batch grows and shrinks computes pools with their convolutions or apart, with the same bits.
func TestConvPoolBindsAgain(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	g := graph.New()
	x := g.Input("x", tensor.Float32, -1, 1, 28, 28)
	y := op.MaxPool(op.Relu(op.Conv(x, g.Const(randn(r, 6, 1, 5, 5)), g.Const(randn(r, 6)), op.ConvOptions{})), op.PoolOptions{Kernel: []int{2, 2}, Strides: []int{2, 2}})
	g.Output(op.MaxPool(op.Conv(y, g.Const(randn(r, 16, 6, 5, 5)), nil, op.ConvOptions{}), op.PoolOptions{Kernel: []int{2, 2}, Strides: []int{2, 2}}))
	rt := newRuntime(t, 1)
	p := mustCompile(t, rt, g, nil, compile.Options{})
	for i, n := range []int{1, 256, 7, 64, 256, 1} {
		in := randn(r, n, 1, 28, 28)
		want := mustRun(t, mustCompile(t, newRuntime(t, 1), g, nil, compile.Options{NoFusion: true}), in)[0].Bytes()
		if got := mustRun(t, p, in)[0].Bytes(); string(got) != string(want) {
			t.Fatalf("run %d, batch of %d: other bits", i, n)
		}
	}
}

// The gradients of ReLU and of max pooling are one operator, with the bits of the two, ties, NaNs and windows that share elements included.
func TestMaxPoolReluGradFuses(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for i := range 40 {
		g := graph.New()
		k, stride, pad := 1+r.IntN(3), 1+r.IntN(3), 0
		if i%2 == 0 {
			k, stride = 2, 2
		}
		if k > 1 {
			pad = r.IntN(2)
		}
		x := g.Input("x", tensor.Float32, 1+r.IntN(3), 1+r.IntN(4), k+r.IntN(9)*2, k+r.IntN(30))
		y := op.Relu(x)
		z := op.MaxPool(y, op.PoolOptions{Kernel: []int{k, k}, Strides: []int{stride, stride}, Pads: []int{pad, pad, pad, pad}, CeilMode: i%3 == 0})
		dz := g.Input("dz", tensor.Float32, z.Shape...)
		g.Output(op.Gradients(op.ReduceSum(op.Mul(z, dz), nil, false), x)[0])
		in := randn(r, x.Shape...)
		for j, s := 0, in.Float32s(); j < len(s); j += 1 + r.IntN(3) {
			s[j] = []float32{0, 1, 1, float32(math.Inf(-1)), float32(math.NaN()), float32(math.Copysign(0, -1))}[r.IntN(6)]
		}
		dy := randn(r, z.Shape...)
		var want []byte
		for _, opt := range []compile.Options{{NoFusion: true}, {}} {
			p := mustCompile(t, newRuntime(t, 2), g, nil, opt)
			got := mustRun(t, p, in, dy)[0].Bytes()
			if want == nil {
				want = append(want, got...)
				continue
			}
			if string(want) != string(got) {
				t.Fatalf("graph %d: other bits", i)
			}
			if s := p.Steps(); s[len(s)-1].Operator != "weft.MaxPoolReluGrad" {
				t.Errorf("graph %d ends with %+v", i, s[len(s)-1])
			}
		}
	}
}
