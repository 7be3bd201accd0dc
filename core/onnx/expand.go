package onnx

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// expand returns the graph with the operators of domain weft that its outputs need replaced by the operators
// that express them. With keep the nodes that only updates need stay as they are. The given graph is not changed; it is
// returned itself when there is nothing to replace.
func expand(g *graph.Graph, keep bool) *graph.Graph {
	for depth := 0; ; depth++ {
		main := nodesOf(g, g.Outputs)
		found := false
		for _, n := range g.Nodes {
			found = found || main[n] && n.Def.Domain == "weft"
		}
		if !found {
			return g
		}
		if depth == 16 {
			fail("operators of the domain weft expand to each other without end")
		}
		g = expandOnce(g, main, keep)
	}
}

func expandOnce(g *graph.Graph, main map[*graph.Node]bool, keep bool) *graph.Graph {
	out := graph.New()
	out.Name, out.Meta = g.Name, g.Meta
	to := map[*graph.Value]*graph.Value{}
	for _, v := range g.Inputs {
		in := out.Input(v.Name, v.DType, moveType(out, g, v.Type).Shape...)
		in.HasRank = v.HasRank
		to[v] = in
	}
	for _, v := range g.Vars {
		w := *v
		val := *v.Value
		val.G, val.Var = out, &w
		w.Value = &val
		out.Unique(v.Name)
		out.Vars = append(out.Vars, &w)
		to[v.Value] = &val
	}
	value := func(v *graph.Value) *graph.Value {
		if v == nil {
			return nil
		}
		if to[v] == nil && v.Origin == graph.FromConst {
			to[v] = out.NamedConst(v.Name, v.Const)
		}
		return to[v]
	}
	need := main
	if keep {
		need = g.Reachable()
	}
	for _, n := range g.Nodes {
		if !need[n] {
			continue
		}
		in := make([]*graph.Value, len(n.Inputs))
		for i, v := range n.Inputs {
			in[i] = value(v)
		}
		var res []*graph.Value
		if n.Def.Domain == "weft" && main[n] {
			if n.Def.Body == nil {
				tensor.Fail("onnx", n.Describe(), " has no form in ONNX operators and cannot be written in an inference graph")
			}
			out.Scope(n.Name, func() { res = n.Def.Body.Body(out, n, in) })
		} else {
			res = out.AddN(n.Def, n.Name, len(n.Outputs), n.Attrs, in...)
		}
		for i, v := range n.Outputs {
			if v == nil {
				if i < len(res) && res[i] != nil && n.Def.Domain != "weft" {
					res[i].Node.Outputs[i] = nil
				}
				continue
			}
			if i >= len(res) || res[i] == nil {
				tensor.Fail("onnx", n.Describe(), ": its form in ONNX operators does not give output ", i)
			}
			if res[i].Origin == graph.FromNode {
				res[i].Name = v.Name
			}
			to[v] = res[i]
		}
	}
	for _, v := range g.Outputs {
		out.Output(value(v))
	}
	if keep {
		for _, u := range g.Updates {
			out.Updates = append(out.Updates, graph.Update{Var: to[u.Var.Value].Var, Value: value(u.Value)})
		}
	}
	return out
}
