package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// The counts take a multiplication and an addition as two operations and leave out biases.

// flopsPerWeight is 2 |operand| |w| / w[0]: every element of the operand (the output of a convolution, its gradient, or the input of a
// transposed convolution) meets one filter.
func flopsPerWeight(operand, w graph.Type) float64 {
	if len(w.Shape) == 0 || w.Shape[0] == 0 {
		return 0
	}
	return 2 * float64(tensor.Size(operand.Shape)) * float64(tensor.Size(w.Shape)/w.Shape[0])
}

func flopsConv(_ *graph.Node, in, out []graph.Type) float64 { return flopsPerWeight(out[0], in[1]) }

func flopsConvGradInput(_ *graph.Node, in, _ []graph.Type) float64 {
	return flopsPerWeight(in[0], in[1])
}

func flopsConvGradWeight(_ *graph.Node, in, _ []graph.Type) float64 {
	return flopsPerWeight(in[1], in[2])
}

func flopsConvTranspose(_ *graph.Node, in, _ []graph.Type) float64 {
	return flopsPerWeight(in[0], in[1])
}

// flopsProduct is 2 |y| K, K being the dimension of a that is summed over.
func flopsProduct(n *graph.Node, in, out []graph.Type) float64 {
	a := in[0].Shape
	if len(a) == 0 {
		return 0
	}
	k := a[len(a)-1]
	if n.Int("transA") != 0 && len(a) >= 2 {
		k = a[len(a)-2]
	}
	return 2 * float64(tensor.Size(out[0].Shape)) * float64(k)
}

// flopsRNN counts the products of the input's and the recurrent weights.
func flopsRNN(_ *graph.Node, in, _ []graph.Type) float64 {
	x, w, r := in[rnnX].Shape, in[rnnW].Shape, in[rnnR].Shape
	if len(x) != 3 || len(w) != 3 || len(r) != 3 {
		return 0
	}
	return 2 * float64(x[0]) * float64(x[1]) * float64(tensor.Size(w)+tensor.Size(r))
}

// flopsRNNGrad counts for each of the weights' products two, by both operands; whether X's gradient is wanted is not known here.
func flopsRNNGrad(n *graph.Node, in, out []graph.Type) float64 {
	return 2 * flopsRNN(n, in[gradIn:], out)
}
