package models_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/onnx"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/random"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/internal/ort"
	"github.com/weft-ml/weft/models"
)

// build returns an architecture's inference graph with its initial weights.
func build(t *testing.T, name string) (*graph.Graph, *graph.Store) {
	t.Helper()
	m, err := models.Get(name)
	if err != nil {
		t.Fatal(err)
	}
	g := graph.New()
	x := g.Input("image", tensor.Float32, g.Symbol("N"), 1, 28, 28)
	y := m.New([]int{1, 28, 28}, 10).Apply(nn.NewContext(g, nn.Options{Seed: 3}), x)
	y.Name = "logits"
	g.Output(y)
	s := graph.NewStore()
	if err := s.Init(g); err != nil {
		t.Fatal(err)
	}
	return g, s
}

func images(n int) *tensor.Tensor {
	x := tensor.New(tensor.Float32, n, 1, 28, 28)
	rng := random.New(9, 1)
	for i := range x.Float32s() {
		x.Float32s()[i] = rng.Float32()
	}
	return x
}

// TestRoundTrip checks that a model that is written, read and written again gives the same bytes and results.
func TestRoundTrip(t *testing.T) {
	for _, name := range models.Names() {
		t.Run(name, func(t *testing.T) {
			g, s := build(t, name)
			b, err := onnx.Encode(g, s, onnx.EncodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			h, err := onnx.Decode(b, onnx.DecodeOptions{Operators: op.Full})
			if err != nil {
				t.Fatal(err)
			}
			if len(h.TrainableVars()) != len(g.TrainableVars()) || len(h.Vars) != len(g.Vars) {
				t.Errorf("%d variables, %d of them trainable, became %d and %d", len(g.Vars), len(g.TrainableVars()), len(h.Vars), len(h.TrainableVars()))
			}
			c, err := onnx.Encode(h, nil, onnx.EncodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(b, c) {
				t.Errorf("%d bytes became other %d bytes", len(b), len(c))
			}
			if got := h.ShapeString(h.Inputs[0].Shape); got != "[N 1 28 28]" {
				t.Errorf("the input has shape %s", got)
			}
			hs := graph.NewStore()
			if err := hs.Init(h); err != nil {
				t.Fatal(err)
			}
			x := images(2)
			want, err := graph.Eval(g, s, []*tensor.Tensor{x}, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := graph.Eval(h, hs, []*tensor.Tensor{x}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got[0].Bytes(), want[0].Bytes()) {
				t.Error("the logits changed")
			}
		})
	}
}

// TestRuntimeAgrees opens what Encode writes in onnxruntime and compares the results.
func TestRuntimeAgrees(t *testing.T) {
	for _, name := range models.Names() {
		t.Run(name, func(t *testing.T) {
			g, s := build(t, name)
			b, err := onnx.Encode(g, s, onnx.EncodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			x := images(5)
			got := ort.Run(t, b, ort.Named{Name: g.Inputs[0].Name, Value: x})
			want, err := graph.Eval(g, s, []*tensor.Tensor{x}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got[0].Name != "logits" || !tensor.SameShape(got[0].Value.Shape(), want[0].Shape()) {
				t.Fatalf("output %q %v, want logits %v", got[0].Name, got[0].Value.Shape(), want[0].Shape())
			}
			for i, v := range got[0].Value.Float32s() {
				if d := math.Abs(float64(v - want[0].Float32s()[i])); !(d <= 1e-5) {
					t.Fatalf("logit %d differs by %g", i, d)
				}
			}
		})
	}
}
