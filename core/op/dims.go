package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// Exporters compute the target shapes of models whose dimensions are symbols: from Shape, by Gather, Unsqueeze and Concat. Their elements are no constants, but
// they are dimensions of other values, which says more than that nothing is known.

// workedOut stands for a target dimension of -1, which Reshape works out; -1 itself is Unknown.
const workedOut = math.MinInt

// dimsOf returns what is known of the elements of an integer value of rank 0 or 1: sizes, symbols, Unknown, or workedOut. False when not even their number is known.
func dimsOf(v *graph.Value) ([]int, bool) {
	b := dimsBudget
	return dimsIn(v, &b)
}

// dimsBudget bounds the values and elements that are looked at, since models may share parts, or hold much, without end.
const dimsBudget = 128

func dimsIn(v *graph.Value, budget *int) ([]int, bool) {
	if v == nil || v.DType != tensor.Int64 && v.DType != tensor.Int32 || !v.HasRank || len(v.Shape) > 1 {
		return nil, false
	}
	size := 1
	if len(v.Shape) == 1 {
		size = v.Shape[0]
	}
	if *budget--; size < 0 || size > *budget {
		return nil, false
	}
	*budget -= size
	if d, ok := dimsBy(v, budget); ok && len(d) == size {
		return d, true
	}
	return unknownShape(size), true
}

// dimsBy asks what computes a value.
func dimsBy(v *graph.Value, budget *int) ([]int, bool) {
	if v.Const != nil {
		out := []int{}
		for _, d := range v.Const.Int64sOf() {
			if d < -1 {
				return nil, false // no dimension; as an int it could be taken for a symbol
			}
			if d == -1 {
				d = workedOut
			}
			out = append(out, int(d))
		}
		return out, true
	}
	n := v.Node
	if v.Origin != graph.FromNode || n == nil || n.Def.Domain != "" || v.Index != 0 {
		return nil, false
	}
	switch n.Def.Name { // by name: a rule of inference that names the operators would be an initialisation cycle
	case "Shape":
		if x := n.Inputs[0]; x.HasRank {
			lo, hi := shapeRange(n, len(x.Shape))
			return x.Shape[lo:hi], true
		}
	case "Identity", "Cast", "Squeeze", "Unsqueeze":
		return dimsIn(n.Inputs[0], budget)
	case "Concat":
		out := []int{}
		for _, x := range n.Inputs {
			d, ok := dimsIn(x, budget)
			if !ok {
				return nil, false
			}
			out = append(out, d...)
		}
		return out, true
	case "Gather":
		x, at := n.Inputs[0], n.Inputs[1]
		if at.Const == nil || !x.HasRank || len(x.Shape) != 1 {
			return nil, false
		}
		d, ok := dimsIn(x, budget)
		if !ok {
			return nil, false
		}
		out := []int{}
		for _, i := range at.Const.Int64sOf() {
			if i < 0 {
				i += int64(len(d))
			}
			if i < 0 || i >= int64(len(d)) {
				return nil, false
			}
			out = append(out, d[i])
		}
		return out, true
	}
	return nil, false
}

// reshapedTo returns the shape of x as Reshape makes it of a target from dimsOf.
func reshapedTo(x, target []int, allowZero bool) []int {
	out := append([]int{}, target...)
	missing := -1
	for i, d := range out {
		switch {
		case d == 0 && (allowZero || i >= len(x)), d == workedOut && missing >= 0:
			return unknownShape(len(out)) // no elements, or an error that is told once the target is known
		case d == 0:
			out[i] = x[i]
		case d == workedOut:
			out[i], missing = graph.Unknown, i
		}
	}
	if missing >= 0 {
		if rest, exact := quotient(x, out, missing); !exact || rest >= 0 {
			out[missing] = rest
		}
	}
	return out
}
