package chargpt_test

import (
	"os"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/onnx"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/text"
	"github.com/weft-ml/weft/simd"
)

const (
	weights = "weights/tinyshakespeare.onnx"
	sample  = "testdata/sample.txt"
)

// TestSampleEverywhere: what the weights that come along write is the same on every kernel set, in both numeric classes; js/test compares the page's
// generate with the same file. UPDATE_GOLDEN=1 writes it anew, for other weights.
func TestSampleEverywhere(t *testing.T) {
	file, err := os.ReadFile(weights)
	if err != nil {
		t.Fatal(err)
	}
	g, err := onnx.Decode(file, onnx.DecodeOptions{Operators: op.Core})
	if err != nil {
		t.Fatal(err)
	}
	current := simd.Current().Name
	defer simd.Use(current)
	for i, k := range simd.All() {
		t.Run(k.Name, func(t *testing.T) {
			if err := simd.Use(k.Name); err != nil {
				t.Skipf("skipped: %v", err)
			}
			store := graph.NewStore()
			if err := store.Init(g); err != nil {
				t.Fatal(err)
			}
			rt := compile.NewRuntime(compile.RuntimeOptions{Threads: 1 + i%2})
			defer rt.Close()
			p, err := compile.Compile(rt, g, store, compile.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			gen, err := text.NewGenerator(p, 1, text.Sampling{Seed: 7, Temperature: 0.8})
			if err != nil {
				t.Fatal(err)
			}
			if err := gen.Read("ROMEO:"); err != nil {
				t.Fatal(err)
			}
			ids := make([]int64, 200) // past the end of the context
			for i := range ids {
				if ids[i], err = gen.Next(); err != nil {
					t.Fatal(err)
				}
			}
			got := gen.Vocabulary.Decode(ids)
			if os.Getenv("UPDATE_GOLDEN") != "" && k.Name == current {
				if err := os.WriteFile(sample, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(sample)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("writes\n%s\nwant\n%s", got, want)
			}
		})
	}
}
