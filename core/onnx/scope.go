package onnx

import (
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// captures are the values that the subgraphs of one node read from around it.
type captures struct {
	outer []*graph.Value
	at    map[*graph.Value]int
}

func (c *captures) add(v *graph.Value) int {
	i, ok := c.at[v]
	if !ok {
		i = len(c.outer)
		c.outer = append(c.outer, v)
		c.at[v] = i
	}
	return i
}

// lookup returns the value of that name, nil when there is none. A value of the graph around a subgraph is
// captured: it becomes an input of the subgraph, except that constants are copied.
func (s *scope) lookup(name string) *graph.Value {
	if v := s.vals[name]; v != nil {
		return v
	}
	if s.parent == nil {
		return nil
	}
	outer := s.parent.lookup(name)
	if outer == nil {
		return nil
	}
	var v *graph.Value
	if outer.Origin == graph.FromConst {
		v = s.g.NamedConst(outer.Name, outer.Const)
	} else {
		v = innerValue(s.g, outer)
		v.Index = s.caps.add(outer) // until the subgraph is finished
		s.captured = append(s.captured, v)
	}
	s.vals[name] = v
	return v
}

// innerValue returns what stands in a subgraph for a value of the graph around it.
func innerValue(g *graph.Graph, outer *graph.Value) *graph.Value {
	return &graph.Value{Type: moveType(g, outer.G, outer.Type), Name: outer.Name, G: g, Origin: graph.FromInput}
}

// moveType returns a type of graph from with the symbols of graph g.
func moveType(g, from *graph.Graph, t graph.Type) graph.Type {
	shape := make([]int, len(t.Shape))
	for i, d := range t.Shape {
		shape[i] = d
		if sym := from.SymbolName(d); sym != "" {
			shape[i] = g.Symbol(sym)
		}
	}
	return graph.Type{DType: t.DType, Shape: shape, HasRank: t.HasRank}
}

// subgraph converts the graph of an attribute. Its captured inputs are added when all of the node's are known.
func (s *scope) subgraph(m *Graph, caps *captures) *scope {
	sub := &scope{c: s.c, g: graph.New(), vals: map[string]*graph.Value{}, opsets: s.opsets, parent: s, caps: caps, attrs: s.attrs, inFunc: s.inFunc, omitted: s.omitted, prefix: s.prefix}
	sub.g.Name = m.Name
	for _, t := range m.Initializers {
		v, err := t.Value(s.c.opt)
		if err != nil {
			panic(err)
		}
		sub.define(t.Name, sub.g.NamedConst(t.Name, v))
	}
	for _, in := range m.Inputs {
		if sub.vals[in.Name] != nil {
			continue
		}
		v := sub.g.Input(in.Name, sub.inputType(in), sub.shape(in)...)
		v.HasRank = in.HasRank
		sub.define(in.Name, v)
	}
	sub.nodes(m.Nodes)
	for _, o := range m.Outputs {
		sub.g.Output(sub.need(o.Name, "output of a subgraph"))
	}
	return sub
}

// convertAttrs converts attributes, and with them subgraphs. It returns the values that these capture.
func (s *scope) convertAttrs(attrs []*Attribute) ([]graph.Attr, []*graph.Value) {
	out := make([]graph.Attr, 0, len(attrs))
	caps := &captures{at: map[*graph.Value]int{}}
	var subs []*scope
	for _, a := range attrs {
		g := graph.Attr{Name: a.Name, Kind: a.Kind, F: a.F, I: a.I, S: a.S, Floats: a.Floats, Ints: a.Ints, Strings: a.Strings}
		switch {
		case a.Kind == graph.AttrTensor:
			t, err := a.T.Value(s.c.opt)
			if err != nil {
				panic(err)
			}
			g.T = t
		case a.Kind == graph.AttrGraph:
			sub := s.subgraph(a.G, caps)
			subs = append(subs, sub)
			g.G = sub.g
		case a.Kind == 0:
			tensor.Fail("", "attribute ", strconv.Quote(a.Name), " is of kind ", a.Other, ", which is not supported")
		}
		out = append(out, g)
	}
	for _, sub := range subs {
		inner := make([]*graph.Value, len(caps.outer))
		for _, v := range sub.captured {
			inner[v.Index] = v
		}
		for i, o := range caps.outer {
			v := inner[i]
			if v == nil { // another branch reads it
				v = innerValue(sub.g, o)
			}
			v.Index = len(sub.g.Inputs)
			sub.g.Inputs = append(sub.g.Inputs, v)
		}
		sub.g.Captured = len(caps.outer)
	}
	return out, caps.outer
}
