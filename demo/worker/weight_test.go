//go:build !js

package main

import (
	"bytes"
	"context"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/onnx"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/demo/worker/bundle"
	"github.com/weft-ml/weft/models/lenet/weights"
	"github.com/weft-ml/weft/native/serve"
)

// budget is what the Worker may weigh with gzip, in bytes: five sixths of what the free plan takes, so that it grows seen.
const budget = 5 * (3 << 20) / 6

func TestBudget(t *testing.T) {
	all, err := bundle.Weigh(build(t, bundle.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, f := range all {
		sum += f.Packed
	}
	if sum > budget {
		t.Errorf("the Worker weighs %d bytes with gzip, its budget is %d: %+v", sum, budget, all)
	}
}

// TestNoTLS: the program is built without Go's crypto/tls; net/http is all there is to ask for it.
func TestNoTLS(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}: {{join .Imports \" \"}}{{end}}", ".")
	cmd.Env = append(cmd.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for line := range strings.Lines(string(text)) {
		if name, imports, _ := strings.Cut(line, ": "); strings.Contains(imports, "crypto/") {
			t.Errorf("%s imports %s", name, imports)
		}
	}
}

// TestOperators: the model has the operators that the program knows, no fewer and no more, and gives the same with them as with all.
func TestOperators(t *testing.T) {
	g, err := onnx.Decode(weights.MNIST, onnx.DecodeOptions{Operators: op.Full})
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, n := range g.Nodes {
		want = append(want, n.Def.Name)
	}
	slices.Sort(want)
	want = slices.Compact(want)
	var have []string
	for _, d := range operators {
		have = append(have, d.Name)
	}
	if !slices.Equal(have, want) {
		t.Errorf("handler.go lists %v, the model has %v", have, want)
	}
	var answers [2][]byte
	for i, set := range [][]*graph.Def{operators, op.Core} {
		s := serve.New(serve.Options{Threads: 1})
		defer s.Close(context.Background())
		if _, err := s.Load("lenet", weights.MNIST, serve.LoadOptions{Operators: set}); err != nil {
			t.Fatal(err)
		}
		for d := range 10 {
			r, err := inferBinary(digit(d), digit(d+10)).request("http://localhost")
			if err != nil {
				t.Fatal(err)
			}
			answers[i] = append(answers[i], answer(s, r).body.Bytes()...)
		}
	}
	if !bytes.Contains(answers[0], []byte(`"logits"`)) || !bytes.Equal(answers[0], answers[1]) {
		t.Error("with all operators the answers are others")
	}
}
