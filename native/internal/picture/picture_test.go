package picture

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// network is a graph of one product, [N, ...] to [N, classes].
func network(softmax bool, classes int, sample ...int) *graph.Graph {
	g := graph.New()
	x := g.Input("x", tensor.Float32, append([]int{g.Symbol("N")}, sample...)...)
	y := op.MatMul(op.Flatten(x, 1), g.Variable("w", tensor.New(tensor.Float32, tensor.Size(sample), classes), true))
	if softmax {
		y = op.Softmax(y, -1)
	}
	g.Output(y)
	return g
}

func TestOf(t *testing.T) {
	for _, c := range []struct {
		g                *graph.Graph
		pictures, digits bool
	}{
		{network(false, 10, 1, 28, 28), true, true},
		{network(true, 10, 1, 28, 28), true, true},
		{network(false, 26, 1, 28, 28), true, false},
		{network(false, 10, 3, 32, 32), true, false},
		{network(false, 10, 2, 32, 32), false, false},
		{network(false, 10, 784), false, false},
	} {
		k, err := Of(c.g)
		if err != nil || k.Pictures() != c.pictures || k.Digits() != c.digits {
			t.Errorf("%v: %+v, %v", c, k, err)
		}
	}
	g := network(false, 10, 4)
	g.Input("more", tensor.Float32, 1)
	if _, err := Of(g); err == nil || !strings.Contains(err.Error(), "has 2 inputs and 1 outputs") {
		t.Error(err)
	}
	if _, err := Of(network(false, 1, 4)); err == nil || !strings.Contains(err.Error(), "[N, classes]") {
		t.Error(err)
	}
}

// TestBest: logits become probabilities once, and a model that ends in Softmax gives them.
func TestBest(t *testing.T) {
	logits, err := Of(network(false, 3, 4))
	if err != nil {
		t.Fatal(err)
	}
	class, p, err := logits.Best([]float32{1, 3, 2})
	sum := math.Exp(-2) + 1 + math.Exp(-1)
	if err != nil || class != 1 || math.Abs(p[1]-1/sum) > 1e-12 {
		t.Errorf("%d, %v, %v", class, p, err)
	}
	ends, err := Of(network(true, 3, 4))
	if err != nil {
		t.Fatal(err)
	}
	if class, p, err := ends.Best([]float32{0.25, 0.25, 0.5}); err != nil || class != 2 || !slices.Equal(p, []float64{0.25, 0.25, 0.5}) {
		t.Errorf("%d, %v, %v", class, p, err)
	}
	for _, c := range []Classifier{logits, ends} {
		if _, _, err := c.Best([]float32{1, float32(math.NaN()), 0}); err == nil || !strings.Contains(err.Error(), "NaN") {
			t.Error(err)
		}
	}
}
