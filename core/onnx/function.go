package onnx

import (
	"slices"
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

func defTable(set []*graph.Def) map[opName]*graph.Def {
	t := map[opName]*graph.Def{}
	for _, d := range set {
		t[opName{d.Domain, d.Name}] = d
	}
	return t
}

// function returns the function of the model that a node calls, nil when it calls none. Operators of the domain weft are
// taken from the build: their functions in a file are for other programs.
func (c *converter) function(n *Node) *Function { return c.m.function(n) }

func (m *Model) function(n *Node) *Function {
	if n.Domain == "weft" {
		return nil
	}
	for _, f := range m.Functions {
		if f.Name == n.Op && f.Domain == n.Domain && f.Overload == n.Overload {
			return f
		}
	}
	return nil
}

// call expands a call of a function: its nodes are converted in a scope in which the formal inputs are the actual ones.
func (s *scope) call(n *Node, fn *Function) {
	if slices.Contains(s.c.calls, fn) {
		tensor.Fail("", "function ", fn.Name, " calls itself")
	}
	if len(n.Inputs) > len(fn.Inputs) || len(n.Outputs) > len(fn.Outputs) {
		tensor.Fail("", "function ", fn.Name, " takes ", len(fn.Inputs), " inputs and gives ", len(fn.Outputs), " outputs, it is called with ",
			len(n.Inputs), " and ", len(n.Outputs))
	}
	f := &scope{c: s.c, g: s.g, vals: map[string]*graph.Value{}, opsets: fn.Opsets, attrs: map[string]*Attribute{}, inFunc: true}
	if n.Name != "" {
		f.prefix = s.prefix + n.Name + "/"
	} else {
		f.prefix = s.g.Unique(s.prefix+fn.Name) + "/"
	}
	for i, name := range n.Inputs {
		if name == "" {
			continue
		}
		v := s.lookup(name)
		if v == nil {
			tensor.Fail("", "input ", strconv.Quote(name), " is produced by nothing before this node")
		}
		f.define(fn.Inputs[i], v)
	}
	for _, a := range fn.Defaults {
		f.attrs[a.Name] = a
	}
	for _, a := range s.attributes(n) {
		f.attrs[a.Name] = a
	}
	s.c.calls = append(s.c.calls, fn)
	f.omitted = fn.Inputs
	f.nodes(fn.Nodes)
	s.c.calls = s.c.calls[:len(s.c.calls)-1]
	for i, name := range n.Outputs {
		if name != "" {
			s.define(name, f.need(fn.Outputs[i], "output of function "+fn.Name))
		}
	}
}

// attributes returns the node's attributes with references to those of the call resolved; one that the call does not
// give is absent.
func (s *scope) attributes(n *Node) []*Attribute {
	out := make([]*Attribute, 0, len(n.Attrs))
	for _, a := range n.Attrs {
		if a.Ref == "" {
			out = append(out, a)
			continue
		}
		if !s.inFunc {
			tensor.Fail("", "attribute ", strconv.Quote(a.Name), " refers to ", strconv.Quote(a.Ref), " outside a function")
		}
		if r := s.attrs[a.Ref]; r != nil {
			c := *r
			c.Name = a.Name
			out = append(out, &c)
		}
	}
	return out
}

// constant defines the value of a Constant node.
func (s *scope) constant(n *Node, attrs []*Attribute) {
	if len(n.Outputs) == 0 || n.Outputs[0] == "" {
		return
	}
	var t *tensor.Tensor
	var err error
	for _, a := range attrs {
		switch a.Name {
		case "value":
			if a.T == nil {
				tensor.Fail("", "attribute \"value\" is no tensor")
			}
			t, err = a.T.Value(s.c.opt)
		case "sparse_value":
			if a.Sparse == nil {
				tensor.Fail("", "attribute \"sparse_value\" is no sparse tensor")
			}
			t, err = a.Sparse.dense(s.c.opt)
		case "value_float":
			t = tensor.Scalar(a.F)
		case "value_floats":
			t = tensor.From(a.Floats, len(a.Floats))
		case "value_int":
			t = tensor.Scalar(a.I)
		case "value_ints":
			t = tensor.From(a.Ints, len(a.Ints))
		case "value_string":
			t = tensor.FromStrings([]string{a.S})
		case "value_strings":
			t = tensor.FromStrings(a.Strings, len(a.Strings))
		}
	}
	if err != nil {
		panic(err)
	}
	if t == nil {
		tensor.Fail("", "has no value")
	}
	s.define(n.Outputs[0], s.g.NamedConst(s.prefix+n.Outputs[0], t))
}

// Missing returns the operators that the model needs and the set does not have, each once, in the order of
// their first use: "LSTM", "com.microsoft.FusedGemm". A loader uses it to choose a set.
func (m *Model) Missing(set []*graph.Def) []string {
	var out []string
	m.eachMissing(set, func(n *Node, _ []Opset) {
		name := n.Op
		if n.Domain != "" {
			name = n.Domain + "." + n.Op
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	})
	return out
}

func (m *Model) checkMissing(set []*graph.Def) error {
	var first *Node
	var opsets []Opset
	m.eachMissing(set, func(n *Node, o []Opset) {
		if first == nil {
			first, opsets = n, o
		}
	})
	if first == nil {
		return nil
	}
	d := first.Domain
	if d == "" {
		d = "ai.onnx"
	}
	msg := "operator " + first.Op + " of domain " + d + " (opset " + strconv.Itoa(opsetOf(opsets, first.Domain)) + ") is not in this build: node "
	msg += strconv.Quote(first.Name) + " at byte " + strconv.Itoa(first.off) + " needs it"
	if all := m.Missing(set); len(all) > 1 {
		msg += "; the model's operators that are missing: "
		for i, s := range all {
			if i > 0 {
				msg += ", "
			}
			msg += s
		}
	}
	return tensor.Err("onnx", msg)
}

func (m *Model) eachMissing(set []*graph.Def, f func(n *Node, opsets []Opset)) {
	defs := defTable(set)
	seen := map[*Function]bool{}
	var visit func(nodes []*Node, opsets []Opset)
	visit = func(nodes []*Node, opsets []Opset) {
		for _, n := range nodes {
			if fn := m.function(n); fn != nil {
				if !seen[fn] {
					seen[fn] = true
					visit(fn.Nodes, fn.Opsets)
				}
				continue
			}
			if defs[opName{n.Domain, n.Op}] == nil && !(n.Domain == "" && n.Op == "Constant") {
				f(n, opsets)
			}
			for _, a := range n.Attrs {
				if a.G != nil {
					visit(a.G.Nodes, opsets)
				}
			}
		}
	}
	visit(m.Graph.Nodes, m.Opsets)
}
