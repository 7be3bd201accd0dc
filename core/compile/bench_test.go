package compile_test

import (
	"math/rand/v2"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// tower is a graph of n tiny steps.
func tower(n int) *graph.Graph {
	g := graph.New()
	x := g.Input("x", tensor.Float32, g.Symbol("N"), 4)
	y := x
	for i := range n {
		y = g.Add(tAdd, nil, y, g.Const(tensor.From([]float32{float32(i)}, 1)))
	}
	g.Output(y)
	return g
}

// BenchmarkStep measures the executor's overhead: tiny steps, one after another.
func BenchmarkStep(b *testing.B) {
	const n = 200
	p := mustCompile(b, newRuntime(b, 1), tower(n), nil, compile.Options{NoFusion: true})
	x := tensor.New(tensor.Float32, 1, 4)
	mustRun(b, p, x)
	for b.Loop() {
		p.Run(x)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/step")
}

// BenchmarkBind measures binding to new input shapes.
func BenchmarkBind(b *testing.B) {
	for _, n := range []int{1, 10, 200} {
		b.Run("", func(b *testing.B) {
			p := mustCompile(b, newRuntime(b, 1), tower(n), nil, compile.Options{NoFusion: true, MaxBinds: 2})
			shape := []int{1, 4}
			for b.Loop() {
				shape[0] = shape[0]%5 + 1
				if err := p.Bind(shape); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/step")
		})
	}
}

// BenchmarkBindLeNet measures binding a whole training step to another batch size.
func BenchmarkBindLeNet(b *testing.B) {
	p := mustCompile(b, newRuntime(b, 1), lenetStep("adam", true), nil, compile.Options{MaxBinds: 2})
	n := 0
	for b.Loop() {
		n = n%5 + 1
		if err := p.Bind([]int{n, 1, 28, 28}, []int{n}, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(p.Steps())), "ns/step")
}

// BenchmarkFork measures a step whose tiles are shared with a second worker.
func BenchmarkFork(b *testing.B) {
	g, _, _ := mlp(0)
	p := mustCompile(b, newRuntime(b, 2), g, nil, compile.Options{})
	x := randn(rand.New(rand.NewPCG(1, 1)), 8, 20)
	mustRun(b, p, x)
	for b.Loop() {
		p.Run(x)
	}
}

// BenchmarkChain measures a fused chain of eight operators over a batch of images.
func BenchmarkChain(b *testing.B) {
	g := graph.New()
	x := g.Input("x", tensor.Float32, 32, 64, 28, 28)
	s := g.Input("s", tensor.Float32, 64, 1, 1)
	y := x
	for range 4 {
		y = g.Add(tAdd, nil, g.Add(tMul, nil, y, s), x)
	}
	g.Output(y)
	for _, noFusion := range []bool{false, true} {
		name := "fused"
		if noFusion {
			name = "separate"
		}
		b.Run(name, func(b *testing.B) {
			p := mustCompile(b, newRuntime(b, 1), g, nil, compile.Options{NoFusion: noFusion})
			r := rand.New(rand.NewPCG(1, 1))
			in := []*tensor.Tensor{randn(r, 32, 64, 28, 28), randn(r, 64, 1, 1)}
			b.SetBytes(int64(8 * in[0].Len()))
			for b.Loop() {
				p.Run(in...)
			}
		})
	}
}

// BenchmarkTrainLeNet measures a whole training step of LeNet with batches of 32.
func BenchmarkTrainLeNet(b *testing.B) {
	for _, threads := range []int{1, 2} {
		b.Run("", func(b *testing.B) {
			g := lenetStep("sgd", false)
			p := mustCompile(b, newRuntime(b, threads), g, nil, compile.Options{})
			in := batch(rand.New(rand.NewPCG(2, 2)), g.Inputs[0], 32, 10, 0.01)
			mustRun(b, p, in...)
			for b.Loop() {
				p.Run(in...)
			}
			b.ReportMetric(32*float64(b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}
