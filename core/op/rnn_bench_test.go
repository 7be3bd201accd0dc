package op_test

import (
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
)

// BenchmarkRecurrent times whole layers of 64 steps, inputs as wide as the state, forwards and with the gradients of all weights. WEFT_THREADS is the number of threads (1).
func BenchmarkRecurrent(b *testing.B) {
	threads, _ := strconv.Atoi(os.Getenv("WEFT_THREADS"))
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: max(threads, 1)})
	defer rt.Close()
	for _, kind := range []string{"LSTM", "GRU", "RNN"} {
		for _, s := range [][2]int{{1, 128}, {16, 64}, {16, 128}, {64, 128}, {16, 256}, {64, 256}, {1, 512}, {16, 512}} {
			n, h := s[0], s[1]
			if kind != "LSTM" && h != 128 {
				continue
			}
			for _, backward := range []bool{false, true} {
				name := fmt.Sprintf("%s/batch %d, %d units/forward", kind, n, h)
				if backward {
					name += " and back"
				}
				b.Run(name, func(b *testing.B) {
					sb := &sampleBuilder{g: graph.New(), r: rand.New(rand.NewSource(1))}
					const steps = 64
					g := map[string]int{"RNN": 1, "GRU": 3, "LSTM": 4}[kind] * h
					x, w, r, bias := sb.floats(n, steps, h), sb.floats(1, g, h), sb.floats(1, g, h), sb.floats(1, 2*g)
					o := op.RNNOptions{BatchFirst: true, LinearBeforeReset: true}
					var y value
					switch kind {
					case "LSTM":
						y, _, _ = op.LSTM(x, w, r, bias, o)
					case "GRU":
						y, _ = op.GRU(x, w, r, bias, o)
					default:
						y, _ = op.RNN(x, w, r, bias, o)
					}
					loss := op.ReduceMean(op.Mul(y, y), nil, false)
					sb.g.Outputs = []value{loss}
					flops := 4 * float64(n*steps*g*h)
					if backward {
						sb.g.Outputs = append(sb.g.Outputs, op.Gradients(loss, w, r, bias)...)
						flops *= 2.5
					}
					p, err := compile.Compile(rt, sb.g, nil, compile.Options{})
					if err != nil {
						b.Fatal(err)
					}
					defer p.Close()
					for b.Loop() {
						if _, err := p.Run(sb.data...); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(flops*float64(b.N)/1e9/b.Elapsed().Seconds(), "GFLOP/s")
				})
			}
		}
	}
}
