package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// ConstLike returns a constant of rank 0 with the element type of x.
func ConstLike(x *graph.Value, v float64) *graph.Value {
	t := tensor.New(x.DType)
	t.SetFloat64s([]float64{v})
	return x.G.Const(t)
}

// ConstInts returns a constant vector of int64, as axes and target shapes are given.
func ConstInts(g *graph.Graph, v ...int) *graph.Value {
	t := tensor.New(tensor.Int64, len(v))
	for i, x := range v {
		t.Int64s()[i] = int64(x)
	}
	return g.Const(t)
}

// extraOutput returns output i of the node, adding it when the node was built without: gradient rules
// use optional outputs (masks, saved statistics) that an imported model does not ask for.
func extraOutput(n *graph.Node, i int) *graph.Value {
	if i < len(n.Outputs) && n.Outputs[i] != nil {
		return n.Outputs[i]
	}
	in := make([]graph.Type, len(n.Inputs))
	for k, v := range n.Inputs {
		if v != nil {
			in[k] = v.Type
		}
	}
	types := n.InferTypes(in, max(i+1, len(n.Outputs)))
	for len(n.Outputs) <= i {
		n.Outputs = append(n.Outputs, nil)
	}
	g := n.Outputs[0].G
	n.Outputs[i] = &graph.Value{Type: types[i], Name: g.Unique(n.Name + ":extra"), G: g, Origin: graph.FromNode, Node: n, Index: i}
	return n.Outputs[i]
}

// unary applies an operator of one input and one output without attributes.
func unary(d *graph.Def, x *graph.Value) *graph.Value { return x.G.Add(d, nil, x) }

// binary applies an operator of two inputs and one output without attributes.
func binary(d *graph.Def, a, b *graph.Value) *graph.Value { return a.G.Add(d, nil, a, b) }
