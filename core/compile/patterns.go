package compile

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// patterns is the state of the pass that puts single operators in the place of what other programs write as several (Def.Fuse).
type patterns struct {
	c     *structurer
	of    map[*graph.Value]*val // by shadow
	reads map[*val]int          // an output counts twice
	now   map[*val]*val         // what took a value's place
}

// fusePatterns asks the operators' rules, node by node; what a pattern leaves without readers is swept later.
func (c *structurer) fusePatterns() {
	any := false
	for _, u := range c.units {
		any = any || u.n.Def.Fuse != nil
	}
	if !any {
		return
	}
	p := &patterns{c: c, of: map[*graph.Value]*val{}, reads: map[*val]int{}, now: map[*val]*val{}}
	p.count()
	old := c.units
	c.units = make([]*unit, 0, len(old))
	for _, u := range old {
		for i, x := range u.in {
			if x == nil {
				continue
			}
			if y := p.now[x]; y != nil {
				u.in[i], u.n.Inputs[i] = y, &y.Value
				x = y
			}
			p.of[&x.Value] = x
		}
		for _, x := range u.out {
			p.of[&x.Value] = x
		}
		if u.n.Def.Fuse != nil && p.reads[u.out[0]] > 0 {
			if y := p.fuse(u); y != nil {
				x := u.out[0]
				p.now[x], p.reads[y], y.Name = y, p.reads[x], x.Name
				continue
			}
		}
		c.units = append(c.units, u)
	}
	for i, x := range c.roots {
		if y := p.now[x]; y != nil {
			c.roots[i] = y
		}
	}
}

// count finds how often each value is read by nodes that outputs and updates depend on.
func (p *patterns) count() {
	need := map[*unit]bool{}
	for _, x := range p.c.roots {
		p.reads[x] += 2
	}
	for i := len(p.c.units) - 1; i >= 0; i-- {
		u := p.c.units[i]
		for _, x := range u.out {
			need[u] = need[u] || p.reads[x] > 0
		}
		if !need[u] {
			continue
		}
		for _, x := range u.in {
			if x != nil {
				p.reads[x]++
			}
		}
	}
}

// fuse asks the rule of a unit. What it has added is dropped again when it does not match, or when the operators do not take the shapes.
func (p *patterns) fuse(u *unit) (y *val) {
	before := len(p.c.units)
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *tensor.Error:
			y = nil
		default:
			panic(r)
		}
		if y == nil {
			p.c.units = p.c.units[:before]
		}
	}()
	v := u.n.Def.Fuse.Fuse(&graph.FuseCtx{
		Node:  u.n,
		Inner: func(v *graph.Value) bool { x := p.of[v]; return x != nil && x.unit != nil && p.reads[x] == 1 },
		Add:   p.add,
		Const: func(t *tensor.Tensor) *graph.Value { return p.known(p.c.constant(t, "")) },
	})
	if v == nil {
		return nil
	}
	y = p.of[v]
	if x := u.out[0]; y == nil || y.DType != x.DType || y.HasRank != x.HasRank || len(y.Shape) != len(x.Shape) || !onlyFirst(u.n.Outputs) {
		return nil
	}
	return y
}

// add appends a unit.
func (p *patterns) add(d *graph.Def, attrs []graph.Attr, in ...*graph.Value) *graph.Value {
	n := &graph.Node{Def: d, Name: d.Name, Attrs: attrs, Inputs: in}
	u := &unit{n: n, in: make([]*val, len(in)), out: []*val{{}}}
	types := make([]graph.Type, len(in))
	for i, v := range in {
		if v != nil {
			u.in[i], types[i] = p.of[v], v.Type
		}
	}
	x := u.out[0]
	n.Outputs = []*graph.Value{&x.Value}
	out := n.InferTypes(types, 1)
	if known := p.c.fold(n, types, out); known != nil {
		return p.known(known[0])
	}
	*x = val{unit: u, Value: graph.Value{Type: out[0], Name: d.Name, G: p.c.g, Origin: graph.FromNode, Node: n}}
	p.c.units = append(p.c.units, u)
	return p.known(x)
}

// known notes a value, so that rules can name it.
func (p *patterns) known(x *val) *graph.Value {
	p.of[&x.Value] = x
	return &x.Value
}
