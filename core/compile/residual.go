package compile

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/simd"
)

// fuseResiduals moves sums into the operators that compute one of their terms and can add the other (Def.Bias, Def.Residual), where nothing
// else reads that term. A view between the two is no obstacle to a residual, of which only the size counts. Such an operator then runs
// where the sum stood, its view behind it.
func (c *structurer) fuseResiduals() {
	at := map[*unit]int{}
	before := map[*unit]*unit{} // what runs just before a view
	for i, u := range c.units {
		at[u] = i
		op, ok := c.elemOf(u)
		if !ok || op.Kind != graph.ElemBinary || simd.BinaryOp(op.Code) != simd.Add || u.in[0] == u.in[1] {
			continue
		}
		var p, view *unit
		var other *val
		k := 0
		for j, x := range u.in {
			y := u.in[1-j]
			var v *unit
			input := 0
			if sameDims(x.Type, y.Type) {
				if x.unit != nil && x.unit.n.Def.View && x.index == 0 && !x.root && len(x.readers) == 1 {
					v, x = x.unit, x.unit.in[0]
				}
				if c.addsTo(x) {
					input = c.freeInput(x.unit, x.unit.n.Def.Residual)
				}
			} else if isVector(y.Type, x.Type) && sameDims(x.Type, u.out[0].Type) && c.addsTo(x) && c.freeInput(x.unit, x.unit.n.Def.Residual) > 0 {
				input = c.freeInput(x.unit, x.unit.n.Def.Bias)
			}
			if input > 0 && (p == nil || at[x.unit] > at[p]) {
				p, view, other, k = x.unit, v, y, input
			}
		}
		if p == nil {
			continue
		}
		for len(p.in) <= k {
			p.in, p.n.Inputs = append(p.in, nil), append(p.n.Inputs, nil)
		}
		p.in[k], p.n.Inputs[k] = other, &other.Value
		for i, r := range other.readers {
			if r == u {
				other.readers[i] = p
			}
		}
		last := p
		if view != nil {
			last = view
			before[view] = p
			c.units[at[view]] = nil
		}
		y := u.out[0]
		y.unit, y.index, y.Node, y.Index = last, 0, last.n, 0
		last.out[0], last.n.Outputs[0] = y, &y.Value
		c.units[at[p]], c.units[i] = nil, last
		at[p], at[last] = i, i
	}
	live := make([]*unit, 0, len(c.units))
	for _, u := range c.units {
		if p := before[u]; p != nil {
			live = append(live, p)
		}
		if u != nil {
			live = append(live, u)
		}
	}
	c.units = live
}

// addsTo reports whether the operator that computes a value may add something to it: nothing else sees the value.
func (c *structurer) addsTo(x *val) bool {
	return x != nil && x.unit != nil && x.index == 0 && !x.root && len(x.readers) == 1 && x.unit.act == (graph.Act{})
}

// freeInput returns the number of the input of a trait, 0 when the operator has none or it is given.
func (c *structurer) freeInput(p *unit, trait func(*graph.Node) int) int {
	if trait == nil {
		return 0
	}
	k := trait(p.n)
	if k < len(p.in) && p.in[k] != nil {
		return 0
	}
	return k
}

// isVector reports whether a value is certainly a vector along the last dimension of another.
func isVector(v, of graph.Type) bool {
	if !v.HasRank || !of.HasRank || len(v.Shape) == 0 || len(v.Shape) > len(of.Shape) {
		return false
	}
	last := len(v.Shape) - 1
	for _, d := range v.Shape[:last] {
		if d != 1 {
			return false
		}
	}
	d := v.Shape[last]
	return d == of.Shape[len(of.Shape)-1] && d != graph.Unknown
}
