package graph

import (
	"strconv"

	"github.com/weft-ml/weft/core/tensor"
)

// foldLimit bounds the constants that shape inference evaluates: shape arithmetic, not weights.
const foldLimit = 64

// constOutputs evaluates a node of which every input is a small known integer or bool tensor, as
// the shape arithmetic of exported models is, so that reshapes that follow have known targets.
func (n *Node) constOutputs(c *InferCtx) {
	if n.Def.Ref == nil || n.Def.Random || len(c.In) == 0 {
		return
	}
	for i := range c.In {
		if t := &c.In[i]; t.DType != tensor.Undefined && (t.Const == nil || t.Const.Len() > foldLimit || t.DType == tensor.String) {
			return
		}
	}
	for i := range c.Out {
		t := &c.Out[i]
		if t.Const != nil || !t.HasRank || (!t.DType.IsInt() && t.DType != tensor.Bool) {
			return
		}
		if s, ok := tensor.CheckedSize(t.Shape); !ok || s > foldLimit {
			return
		}
	}
	r := &RefCtx{Node: n, In: make([]*tensor.Tensor, len(c.In)), Out: make([]*tensor.Tensor, len(c.Out))}
	for i := range c.In {
		if c.In[i].DType != tensor.Undefined {
			r.In[i] = c.In[i].Const
		}
	}
	for i, t := range c.Out {
		r.Out[i] = tensor.New(t.DType, t.Shape...)
	}
	n.Def.Ref(r)
	for i := range c.Out {
		c.Out[i].Const = r.Out[i]
	}
}

// EvalOptions are the settings of [Eval].
type EvalOptions struct {
	Rand RandState
	// Keep, when set, is called with every value that is computed; the tensor must not change.
	Keep func(v *Value, t *tensor.Tensor)
	// Stop, when set, is asked before every node; its error ends the evaluation before anything is written to the store.
	Stop func() error
}

// Eval interprets the graph with the reference evaluations: slow, for any element type, and the
// definition of what a compiled program computes. Inputs are given in the order of g.Inputs; updates are applied
// to the store at the end. The store may be nil when the graph has no variables.
func Eval(g *Graph, store *Store, inputs []*tensor.Tensor, opt *EvalOptions) (out []*tensor.Tensor, err error) {
	defer tensor.Catch(&err)
	if opt == nil {
		opt = &EvalOptions{}
	}
	if len(inputs) != len(g.Inputs) {
		return nil, tensor.Err("Eval", "the graph has ", len(g.Inputs), " inputs, got ", len(inputs))
	}
	vals := map[*Value]*tensor.Tensor{}
	for i, v := range g.Inputs {
		if err := CheckInput(v, inputs[i]); err != nil {
			return nil, err
		}
		vals[v] = inputs[i].Contiguous()
	}
	for _, v := range g.Vars {
		var t *tensor.Tensor
		if store != nil {
			t = store.Get(v.Name)
		}
		if t == nil {
			return nil, tensor.Err("Eval", "the store has no variable ", strconv.Quote(v.Name), "; call Store.Init first")
		}
		vals[v.Value] = t
	}
	need := g.Reachable()
	for _, n := range g.Nodes {
		if !need[n] {
			continue
		}
		if opt.Stop != nil {
			if err := opt.Stop(); err != nil {
				return nil, err
			}
		}
		in := make([]*tensor.Tensor, len(n.Inputs))
		for i, v := range n.Inputs {
			if v == nil {
				continue
			}
			if v.Origin == FromConst {
				in[i] = v.Const
			} else {
				in[i] = vals[v]
			}
		}
		res := n.Eval(in, &opt.Rand)
		for i, v := range n.Outputs {
			if v != nil {
				vals[v] = res[i]
				if opt.Keep != nil {
					opt.Keep(v, res[i])
				}
			}
		}
	}
	get := func(v *Value) *tensor.Tensor {
		if v.Origin == FromConst {
			return v.Const
		}
		return vals[v]
	}
	for _, v := range g.Outputs {
		t := get(v)
		if v.Origin == FromVar {
			t = t.Clone() // an update must not change what was returned
		}
		out = append(out, t)
	}
	news := make([]*tensor.Tensor, len(g.Updates))
	for i, u := range g.Updates {
		news[i] = get(u.Value).Clone()
	}
	for i, u := range g.Updates {
		if err := store.Set(u.Var.Name, news[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// CheckInput reports whether a tensor fits an input's type and shape.
func CheckInput(v *Value, t *tensor.Tensor) error {
	if t == nil {
		return tensor.Err("Run", "input ", strconv.Quote(v.Name), " is missing")
	}
	if t.DType() != v.DType || (v.HasRank && !compatible(v.Shape, t.Shape())) {
		return tensor.Err("Run", "input ", strconv.Quote(v.Name), " takes ", v.DType, " ", v.G.ShapeString(v.Shape), ", got ", t.DType(), " ", t.Shape())
	}
	return nil
}

// ShapeString prints a shape with the names of its symbols: "[N 1 28 28]".
func (g *Graph) ShapeString(shape []int) string {
	s := "["
	for i, d := range shape {
		if i > 0 {
			s += " "
		}
		switch {
		case d >= 0:
			s += strconv.Itoa(d)
		case g.SymbolName(d) != "":
			s += g.SymbolName(d)
		default:
			s += "?"
		}
	}
	return s + "]"
}

// Eval evaluates one node on concrete tensors by its Ref, or by its body when it has none.
func (n *Node) Eval(in []*tensor.Tensor, rand *RandState) []*tensor.Tensor {
	types := make([]Type, len(in))
	for i, t := range in {
		if t != nil {
			in[i] = t.Contiguous()
			types[i] = Type{DType: t.DType(), Shape: t.Shape(), HasRank: true, Const: in[i]}
		}
	}
	outs := n.InferTypes(types, len(n.Outputs))
	if n.Def.Ref == nil {
		return n.evalBody(in, rand)
	}
	c := &RefCtx{Node: n, In: in, Out: make([]*tensor.Tensor, len(outs)), Rand: rand}
	for i, t := range outs {
		if n.Outputs[i] == nil || !t.HasRank {
			continue
		}
		if _, ok := tensor.CheckedSize(t.Shape); ok {
			c.Out[i] = tensor.New(t.DType, t.Shape...)
		}
	}
	n.Def.Ref(c)
	return c.Out
}

func (n *Node) evalBody(in []*tensor.Tensor, rand *RandState) []*tensor.Tensor {
	if n.Def.Body == nil {
		tensor.Fail(n.describe(), "the operator has neither a reference evaluation nor a body")
	}
	g := New()
	vals := make([]*Value, len(in))
	var args []*tensor.Tensor
	for i, t := range in {
		if t != nil {
			vals[i] = g.Input("in"+strconv.Itoa(i), t.DType(), t.Shape()...)
			args = append(args, t)
		}
	}
	outs := n.Def.Body.Body(g, n, vals)
	for _, v := range outs {
		if v != nil {
			g.Output(v)
		}
	}
	opt := &EvalOptions{}
	if rand != nil {
		opt.Rand = *rand
	}
	res, err := Eval(g, nil, args, opt)
	if err != nil {
		panic(bodyError(err))
	}
	full := make([]*tensor.Tensor, len(n.Outputs))
	k := 0
	for i, v := range outs {
		if v != nil && i < len(full) {
			full[i] = res[k]
		}
		if v != nil {
			k++
		}
	}
	return full
}

// Reachable returns the nodes that outputs and updates depend on.
func (g *Graph) Reachable() map[*Node]bool {
	need := map[*Node]bool{}
	var visit []*Node
	mark := func(v *Value) {
		if v != nil && v.Origin == FromNode && !need[v.Node] {
			need[v.Node] = true
			visit = append(visit, v.Node)
		}
	}
	for _, v := range g.Outputs {
		mark(v)
	}
	for _, u := range g.Updates {
		mark(u.Value)
	}
	for len(visit) > 0 {
		n := visit[len(visit)-1]
		visit = visit[:len(visit)-1]
		for _, v := range n.Inputs {
			mark(v)
		}
	}
	return need
}

// bodyError keeps an *Error as it is, so that the boundary that catches it knows it.
func bodyError(err error) *tensor.Error {
	if e, ok := err.(*tensor.Error); ok {
		return e
	}
	return tensor.Err("Eval", err)
}
