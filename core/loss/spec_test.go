package loss_test

import (
	"math"
	"testing"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/loss"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// lossOf evaluates a loss of an output that is made from logits.
func lossOf(t *testing.T, s loss.Spec, last func(z *graph.Value) *graph.Value, z, target *tensor.Tensor) float64 {
	t.Helper()
	g := graph.New()
	y := g.Input("z", z.DType(), z.Shape()...)
	if last != nil {
		y = last(y)
	}
	g.Output(s.Apply(y, g.Input("target", target.DType(), target.Shape()...)))
	out, err := graph.Eval(g, nil, []*tensor.Tensor{z, target}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return float64(out[0].Float32s()[0])
}

// Losses of probabilities are those of the logits behind them, where the logits are known even when the probabilities overflow or vanish.
func TestProbabilities(t *testing.T) {
	softmax := func(z *graph.Value) *graph.Value { return op.Softmax(z, -1) }
	hidden := func(z *graph.Value) *graph.Value { return op.Mul(softmax(z), op.ConstLike(z, 1)) } // no longer known as a softmax
	sigmoid := func(z *graph.Value) *graph.Value { return op.Sigmoid(z) }
	z := tensor.From([]float32{1, 2, -1, 0.5, 0, 3}, 2, 3)
	labels, soft := tensor.From([]int64{1, 0}, 2), tensor.From([]float32{0, 1, 0, 1, 0, 0}, 2, 3)
	bits := tensor.From([]float32{1, 0, 1, 1, 0, 0}, 2, 3)
	for _, c := range []struct {
		name   string
		last   func(z *graph.Value) *graph.Value
		target *tensor.Tensor
	}{{loss.SparseCategorical, softmax, labels}, {loss.SparseCategorical, hidden, labels}, {loss.Categorical, softmax, soft}, {loss.Categorical, hidden, soft},
		{loss.Divergence, softmax, soft}, {loss.Binary, sigmoid, bits}, {loss.Binary, func(z *graph.Value) *graph.Value { return op.Mul(op.Sigmoid(z), op.ConstLike(z, 1)) }, bits}} {
		want := lossOf(t, loss.Spec{Name: c.name, FromLogits: true}, nil, z, c.target)
		if got := lossOf(t, loss.Spec{Name: c.name}, c.last, z, c.target); math.Abs(got-want) > 1e-5 {
			t.Errorf("%s: %v of probabilities, %v of logits", c.name, got, want)
		}
	}
	big := tensor.From([]float32{200, -200, 0}, 1, 3)
	if got := lossOf(t, loss.Spec{Name: loss.SparseCategorical}, softmax, big, tensor.From([]int64{1}, 1)); got != 400 {
		t.Errorf("a vanishing probability costs %v, want 400", got)
	}
	if got := lossOf(t, loss.Spec{Name: loss.Binary}, sigmoid, tensor.From([]float32{-200}, 1, 1), tensor.From([]float32{1}, 1, 1)); got != 200 {
		t.Errorf("a vanishing probability costs %v, want 200", got)
	}
}

func TestSpecs(t *testing.T) {
	y, target := tensor.From([]float32{0.5, -2, 3, 0}, 4), tensor.From([]float32{1, 0, 1, 0}, 4)
	for name, want := range map[string]float64{
		"mse": (0.25 + 4 + 4 + 0) / 4, "mae": (0.5 + 2 + 2 + 0) / 4.0, loss.HuberLoss: (0.125 + 1.5 + 1.5 + 0) / 4,
		loss.HingeLoss: (0.5 + 0 + 0 + 1) / 4, // targets 0 and 1 mean -1 and 1
	} {
		s, err := loss.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := lossOf(t, s, nil, y, target); math.Abs(got-want) > 1e-6 {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if _, err := loss.Parse("foo"); err == nil {
		t.Error("foo is a loss")
	}
	// Every position of a sequence is a sample.
	z := tensor.From([]float32{1, 2, -1, 0.5, 0, 3}, 1, 2, 3)
	flat := tensor.From([]float32{1, 2, -1, 0.5, 0, 3}, 2, 3)
	s := loss.Spec{Name: loss.SparseCategorical, FromLogits: true}
	if a, b := lossOf(t, s, nil, z, tensor.From([]int64{1, 0}, 1, 2)), lossOf(t, s, nil, flat, tensor.From([]int64{1, 0}, 2)); a != b {
		t.Errorf("%v and %v", a, b)
	}
}
