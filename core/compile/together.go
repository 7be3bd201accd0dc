package compile

import "github.com/weft-ml/weft/core/graph"

// fuseChains joins operators to the ones before them where both are worth computing block by block (Def.Chain), and nothing else reads what is between
// them. What has been joined may go on.
func (c *structurer) fuseChains() {
	dropped := false
	for _, u := range c.units {
		rule := u.n.Def.Chain
		if rule == nil || u.in[0] == nil || !onlyRead(u.out) {
			continue
		}
		x := u.in[0]
		p := x.unit
		if p == nil || x.index != 0 || x.root || len(x.readers) != 1 || !onlyRead(p.out) {
			continue
		}
		d, attrs, from, ok := rule.Chain(u.n, p.n, p.act)
		if !ok {
			continue
		}
		n := *u.n
		n.Def, n.Attrs, n.Inputs = d, attrs, make([]*graph.Value, len(from))
		in := make([]*val, len(from))
		for i, k := range from {
			switch {
			case k == graph.NoInput:
				continue
			case k >= graph.OfNode:
				in[i] = u.in[k-graph.OfNode]
			default:
				in[i] = p.in[k]
			}
			n.Inputs[i] = &in[i].Value
		}
		for _, v := range n.Outputs {
			if v != nil {
				v.Node = &n
			}
		}
		for _, v := range p.in {
			if v == nil {
				continue
			}
			for i, r := range v.readers {
				if r == p {
					v.readers[i] = u
				}
			}
		}
		u.n, u.in = &n, in
		p.live = false
		dropped = true
	}
	if dropped {
		c.dropDead()
	}
}
