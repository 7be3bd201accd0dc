package compile

import (
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// absorb takes maps of channels, normalisations by given statistics above all, into the weights of the products and convolutions beside them. The new
// weights are computed by nodes of the graph, once for constants, and by the prelude after every change for variables. That rounds otherwise than the
// graph says: results agree to a few units in the last place of the sums. Programs that update anything are left alone.

// still reports whether a value depends on nothing but weights.
func (c *structurer) still(x *val) bool {
	switch {
	case x == nil || x.Origin == graph.FromConst:
		return true
	case x.Origin == graph.FromVar:
		return len(c.g.Updates) == 0
	}
	return x.unit != nil && x.unit.still
}

// settle notes whether a unit depends on nothing but weights.
func (c *structurer) settle(u *unit) {
	u.still = !u.n.Def.Random && len(u.in) > 0
	for _, x := range u.in {
		u.still = u.still && c.still(x)
	}
}

// reachable returns the units that outputs and updates depend on.
func (c *structurer) reachable() map[*unit]bool {
	live := make(map[*unit]bool, len(c.units))
	for _, x := range c.roots {
		if x.unit != nil {
			live[x.unit] = true
		}
	}
	for i := len(c.units) - 1; i >= 0; i-- {
		if u := c.units[i]; live[u] {
			for _, x := range u.in {
				if x != nil && x.unit != nil {
					live[x.unit] = true
				}
			}
		}
	}
	return live
}

// absorb takes maps of channels into weights.
func (c *structurer) absorb() {
	if len(c.g.Updates) > 0 {
		return
	}
	any := false
	for _, u := range c.units {
		any = any || !u.still && u.n.Def.Affine != nil
	}
	if !any {
		return
	}
	reads := map[*val]int{}
	live := c.reachable()
	for _, u := range c.units {
		if live[u] {
			for _, x := range u.in {
				reads[x]++
			}
		}
	}
	for _, x := range c.roots {
		reads[x]++
	}
	old := c.units
	c.units = make([]*unit, 0, len(old))
	for _, u := range old {
		if !live[u] || u.still || u.out[0].DType != tensor.Float32 {
			c.units = append(c.units, u)
			continue
		}
		if k := c.affine(u); k >= 0 && c.absorbs(u.in[k].unit, u.in[k], true, reads) {
			p := u.in[k].unit
			c.take(p, u, k, true)
			y := u.out[0]
			y.unit, y.index, y.Node, y.Index = p, 0, p.n, 0
			p.out[0], p.n.Outputs[0] = y, &y.Value
			continue // nothing computes what stood between the two
		}
		if m := firstOf(u.in); u.n.Def.Absorb != nil && m != nil && m.unit != nil && m.index == 0 && m.Origin == graph.FromNode {
			if k := c.affine(m.unit); k >= 0 && c.absorbs(u, m, false, reads) {
				x := m.unit.in[k]
				c.take(u, m.unit, k, false)
				u.in[0], u.n.Inputs[0] = x, &x.Value
			}
		}
		c.units = append(c.units, u)
	}
	// New units, all of them still, stand behind what reads them.
	units := make([]*unit, 0, len(c.units))
	for _, still := range []bool{true, false} {
		for _, u := range c.units {
			if u.still == still {
				units = append(units, u)
			}
		}
	}
	c.units = units
}

// affine returns which input a unit maps by channels, -1 when it does no such thing.
func (c *structurer) affine(u *unit) int {
	rule := u.n.Def.Affine
	if rule == nil || u.still {
		return -1
	}
	still := make([]bool, len(u.in))
	for i, x := range u.in {
		still[i] = c.still(x)
	}
	k, ok := rule.Affine(u.n, still)
	if !ok || u.in[k] == nil || !sameDimsOrSymbols(u.in[k].Type, u.out[0].Type) {
		return -1
	}
	return k
}

// sameDimsOrSymbols reports whether two shapes agree, as far as they are known.
func sameDimsOrSymbols(a, b graph.Type) bool {
	if !a.HasRank || !b.HasRank || len(a.Shape) != len(b.Shape) {
		return false
	}
	for i, d := range a.Shape {
		if d != b.Shape[i] {
			return false
		}
	}
	return true
}

// absorbs reports whether a unit can take a map that makes, or is made from, x, which nothing else may read.
func (c *structurer) absorbs(p *unit, x *val, behind bool, reads map[*val]int) bool {
	if p == nil || p.n.Def.Absorb == nil || reads[x] != 1 || x.Origin != graph.FromNode || behind && (x.index != 0 || p.still) {
		return false
	}
	for _, w := range p.in[1:] {
		if !c.still(w) || w != nil && w.DType != tensor.Float32 {
			return false
		}
	}
	return p.n.Def.Absorb.Absorbs(p.n, behind, true)
}

// take makes the map of input k by unit u part of the weights of p.
func (c *structurer) take(p, u *unit, k int, behind bool) {
	b := bodyBuilder{c: c, g: graph.New(), to: map[*graph.Value]*val{}}
	scale, shift := u.n.Def.Affine.Map(b.g, u.n, k, b.args(u.in))
	in := p.n.Def.Absorb.Absorb(b.g, p.n, b.args(p.in), scale, shift, behind)
	b.build()
	p.in = append(p.in[:1:1], make([]*val, len(in))...)
	p.n.Inputs = append(p.n.Inputs[:1:1], make([]*graph.Value, len(in))...)
	for i, w := range in {
		x := c.resolve(w, b.to)
		p.in[1+i], p.n.Inputs[1+i] = x, &x.Value
	}
}

// bodyBuilder adds what a rule writes down as a graph to the structure.
type bodyBuilder struct {
	c  *structurer
	g  *graph.Graph
	to map[*graph.Value]*val
}

// args returns values of the graph that stand for values of the structure.
func (b *bodyBuilder) args(in []*val) []*graph.Value {
	out := make([]*graph.Value, len(in))
	for i, x := range in {
		if x == nil {
			continue
		}
		a := b.g.Input("in"+strconv.Itoa(i), x.DType, x.Shape...)
		a.Type = x.Type
		out[i], b.to[a] = a, x
	}
	return out
}

func (b *bodyBuilder) build() {
	for _, n := range b.g.Nodes {
		b.c.add(n, b.to)
	}
}
