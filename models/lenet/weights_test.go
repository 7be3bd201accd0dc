package lenet_test

import (
	"context"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/data/digits"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/onnx"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/train"
)

// TestWeights: the weights that come along name the command and the accuracy, tell nothing of the machine, and read digits of
// hands that they were not trained on.
func TestWeights(t *testing.T) {
	b, err := os.ReadFile("weights/mnist.onnx")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("weights/README.md")
	if err != nil {
		t.Fatal(err)
	}
	if len(b) > 150_000 {
		t.Errorf("%d bytes; the page fetches them", len(b))
	}
	g, err := onnx.Decode(b, onnx.DecodeOptions{Operators: op.Core})
	if err != nil {
		t.Fatal(err)
	}
	store := graph.NewStore()
	if err := store.Init(g); err != nil {
		t.Fatal(err)
	}
	meta := map[string]string{}
	for _, m := range g.Meta {
		meta[m.Key] = m.Value
	}
	accuracy, err := strconv.ParseFloat(meta["weft.test_accuracy"], 64)
	if err != nil || accuracy < 0.992 {
		t.Errorf("test accuracy %q in the metadata", meta["weft.test_accuracy"])
	}
	for _, flag := range strings.Split(meta["weft.command"], " --") {
		if !strings.Contains(string(readme), flag) {
			t.Errorf("%q of the metadata's command is not in weights/README.md", flag)
		}
	}
	if !strings.HasPrefix(meta["weft.command"], "weft train lenet ") || strings.ContainsAny(meta["weft.command"], `/\`) {
		t.Errorf("command %q", meta["weft.command"])
	}
	rt := compile.NewRuntime(compile.RuntimeOptions{})
	defer rt.Close()
	res, err := train.Evaluate(context.Background(), rt, g, store, digits.New(digits.Options{Seed: 1, Samples: 2000, Test: true}))
	if err != nil {
		t.Fatal(err)
	}
	if a := res.Confusion.Accuracy(); a < 0.9 {
		t.Errorf("%.1f %% of the built-in digits", 100*a)
	}
}
