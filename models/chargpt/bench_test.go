package chargpt_test

import (
	"os"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/onnx"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/text"
)

// BenchmarkGenerate measures a character, drawn and read.
func BenchmarkGenerate(b *testing.B) {
	file, err := os.ReadFile(weights)
	if err != nil {
		b.Fatal(err)
	}
	g, err := onnx.Decode(file, onnx.DecodeOptions{Operators: op.Core})
	if err != nil {
		b.Fatal(err)
	}
	store := graph.NewStore()
	if err := store.Init(g); err != nil {
		b.Fatal(err)
	}
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: 1})
	defer rt.Close()
	p, err := compile.Compile(rt, g, store, compile.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	gen, err := text.NewGenerator(p, 1, text.Sampling{Seed: 7, Temperature: 0.8})
	if err != nil {
		b.Fatal(err)
	}
	if err := gen.Read("ROMEO:"); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := gen.Next(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tokens/s")
	b.ReportMetric(float64(len(p.Steps())), "steps")
}
