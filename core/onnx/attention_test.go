package onnx_test

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/onnx"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// A graph that is trained is written as ONNX has it: SelfAttention is Split and Attention, without the output that gradients read, and
// gives the same results when it is read again.
func TestAttentionIsPlainONNX(t *testing.T) {
	g := graph.New()
	x := g.Input("x", tensor.Float32, 2, 5, 18)
	y := op.SelfAttention(x, op.AttentionOptions{Heads: 3, Causal: true})
	q := op.Attention(y, y, y, op.AttentionOptions{Heads: 2})
	op.Gradients(op.ReduceSum(q, nil, false), x)
	g.Output(q)
	m, err := onnx.NewModel(g, nil, onnx.EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var ops []string
	for _, n := range m.Graph.Nodes {
		if n.Domain != "" {
			t.Errorf("%s is of domain %s", n.Op, n.Domain)
		}
		if n.Op == "Attention" && len(n.Outputs) != 1 {
			t.Errorf("Attention has the outputs %q", n.Outputs)
		}
		ops = append(ops, n.Op)
	}
	if want := []string{"Split", "Attention", "Attention"}; !slices.Equal(ops, want) {
		t.Errorf("the model has %v, want %v", ops, want)
	}
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	again, err := onnx.Decode(b.Bytes(), onnx.DecodeOptions{Operators: op.Full})
	if err != nil {
		t.Fatal(err)
	}
	in := tensor.New(tensor.Float32, 2, 5, 18)
	for i := range in.Float32s() {
		in.Float32s()[i] = float32(math.Sin(float64(i)))
	}
	want, err := graph.Eval(g, nil, []*tensor.Tensor{in}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := graph.Eval(again, nil, []*tensor.Tensor{in}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got[0].Float32s(), want[0].Float32s()) {
		t.Error("results differ after writing and reading")
	}
}
