package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// The counts take a multiplication and an addition as two operations and leave out biases. An elementwise function counts as one, whatever it costs,
// and so does a comparison of a maximum. What only moves elements has no count.

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

// flopsConvTransposeGradInput is a convolution of dy: every element of the result, which is as large as x, meets one filter of w [in, out/group, k...].
func flopsConvTransposeGradInput(_ *graph.Node, in, _ []graph.Type) float64 {
	return flopsPerWeight(in[2], in[1])
}

// flopsConvTransposeGradWeight takes as many operations as the convolution of x that gave dy.
func flopsConvTransposeGradWeight(_ *graph.Node, in, _ []graph.Type) float64 {
	return flopsPerWeight(in[0], in[2])
}

func count(t graph.Type) float64 { return float64(tensor.Size(t.Shape)) }

func flopsOutput(_ *graph.Node, _, out []graph.Type) float64 { return count(out[0]) }
func flopsVariadic(_ *graph.Node, in, out []graph.Type) float64 {
	return float64(len(in)) * count(out[0])
}
func flopsInput(_ *graph.Node, in, _ []graph.Type) float64  { return count(in[0]) }
func flopsInput2(_ *graph.Node, in, _ []graph.Type) float64 { return 2 * count(in[0]) }
func flopsInput3(_ *graph.Node, in, _ []graph.Type) float64 { return 3 * count(in[0]) }
func flopsInput4(_ *graph.Node, in, _ []graph.Type) float64 { return 4 * count(in[0]) }

// flopsInput5 counts a softmax: maximum, difference, exponential, sum, division.
func flopsInput5(_ *graph.Node, in, _ []graph.Type) float64 { return 5 * count(in[0]) }

// flopsNorm counts mean, variance (a difference, a square, a sum), and difference, two products and a sum; flopsNormGrad the two sums over the
// gradient and what becomes of an element.
func flopsNorm(_ *graph.Node, in, _ []graph.Type) float64     { return 8 * count(in[0]) }
func flopsNormGrad(_ *graph.Node, in, _ []graph.Type) float64 { return 12 * count(in[0]) }

// windowSize is how many elements a pooling window has.
func windowSize(n *graph.Node) float64 {
	size := 1.0
	for _, k := range n.Ints("kernel_shape") {
		size *= float64(k)
	}
	return size
}

func flopsPool(n *graph.Node, _, out []graph.Type) float64    { return windowSize(n) * count(out[0]) }
func flopsPoolGrad(n *graph.Node, in, _ []graph.Type) float64 { return windowSize(n) * count(in[0]) }

// Optimizers, by their formulas for an element without weight decay.
func flopsSGD(_ *graph.Node, in, _ []graph.Type) float64      { return 2 * count(in[0]) }
func flopsMomentum(_ *graph.Node, in, _ []graph.Type) float64 { return 4 * count(in[0]) }
func flopsRMSProp(_ *graph.Node, in, _ []graph.Type) float64  { return 8 * count(in[0]) }
func flopsAdam(_ *graph.Node, in, _ []graph.Type) float64     { return 12 * count(in[0]) }
