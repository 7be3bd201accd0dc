package op_test

import (
	"fmt"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// BenchmarkSelfAttention measures attention of queries, keys and values in one tensor, alone and with its gradient, as one program on one thread. Under a
// causal mask half of the products count.
func BenchmarkSelfAttention(b *testing.B) {
	for _, s := range []struct {
		batch, seq, heads, size int
		causal                  bool
	}{{8, 64, 4, 32, false}, {32, 128, 4, 32, true}, {1, 512, 8, 64, true}, {1, 2048, 8, 64, true}, {1, 1024, 12, 64, false}} {
		for _, backward := range []bool{false, true} {
			b.Run(fmt.Sprintf("%dx%dx%dx%d causal=%v backward=%v", s.batch, s.seq, s.heads, s.size, s.causal, backward), func(b *testing.B) {
				g := graph.New()
				x := g.Input("x", tensor.Float32, s.batch, s.seq, 3*s.heads*s.size)
				dy := g.Input("dy", tensor.Float32, s.batch, s.seq, s.heads*s.size)
				y := op.SelfAttention(x, op.AttentionOptions{Heads: s.heads, Causal: s.causal})
				g.Outputs = []*graph.Value{y}
				flops := 4 * float64(s.batch*s.heads*s.seq*s.seq*s.size)
				if s.causal {
					flops /= 2
				}
				if backward {
					flops *= 3.5
					g.Outputs = append(g.Outputs, op.VJP(g.Outputs, []*graph.Value{dy}, x)...)
				}
				rt := compile.NewRuntime(compile.RuntimeOptions{Threads: 1})
				defer rt.Close()
				p, err := compile.Compile(rt, g, nil, compile.Options{})
				if err != nil {
					b.Fatal(err)
				}
				defer p.Close()
				in := []*tensor.Tensor{tensor.New(tensor.Float32, x.Shape...), tensor.New(tensor.Float32, dy.Shape...)}
				for _, t := range in {
					for i := range t.Float32s() {
						t.Float32s()[i] = float32(i*7919%1000)/500 - 1
					}
				}
				for b.Loop() {
					if _, err := p.Run(in...); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}
