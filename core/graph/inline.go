package graph

import (
	"strconv"

	"github.com/weft-ml/weft/core/tensor"
)

// Inline adds what src computes to g and returns the values that stand for src's outputs: its inputs are the given values, its
// variables become variables of g, or those that g has under the same names, its updates are left out. So a model that exists as a graph, such as a
// loaded one, can be continued by a loss.
func (g *Graph) Inline(src *Graph, inputs []*Value) []*Value {
	if len(inputs) != len(src.Inputs) {
		tensor.Fail("Graph.Inline", "the graph has ", len(src.Inputs), " inputs, got ", len(inputs))
	}
	env := map[*Value]*Value{}
	for i, v := range src.Inputs {
		if inputs[i].DType != v.DType {
			tensor.Fail("Graph.Inline", "input ", strconv.Quote(v.Name), " takes ", v.DType, ", got ", inputs[i].DType)
		}
		env[v] = inputs[i]
	}
	have := map[string]*Value{}
	for _, v := range g.Vars {
		have[v.Name] = v.Value
	}
	for _, v := range src.Vars {
		if env[v.Value] = have[v.Name]; env[v.Value] == nil {
			env[v.Value] = g.Variable(v.Name, v.Init, v.Trainable)
		}
	}
	get := func(v *Value) *Value {
		if v == nil {
			return nil
		}
		if x := env[v]; x != nil {
			return x
		}
		if v.Origin != FromConst {
			tensor.Fail("Graph.Inline", "value ", strconv.Quote(v.Name), " is not produced before it is read")
		}
		env[v] = g.NamedConst(v.Name, v.Const)
		return env[v]
	}
	only := Graph{Outputs: src.Outputs}
	need := only.Reachable()
	for _, n := range src.Nodes {
		if !need[n] {
			continue
		}
		in := make([]*Value, len(n.Inputs))
		for i, v := range n.Inputs {
			in[i] = get(v)
		}
		for i, v := range g.AddN(n.Def, g.Unique(n.Name), len(n.Outputs), n.Attrs, in...) {
			if o := n.Outputs[i]; o != nil {
				v.Name = o.Name
				env[o] = v
			} else {
				v.Node.Outputs[i] = nil
			}
		}
	}
	outs := make([]*Value, len(src.Outputs))
	for i, v := range src.Outputs {
		outs[i] = get(v)
	}
	return outs
}
