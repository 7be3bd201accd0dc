package compile

import "slices"

// fuseAfter joins operators to the ones before them where one operator computes both (Def.After), activation included, and nothing else reads
// what is between them.
func (c *structurer) fuseAfter() {
	dropped := false
	for _, u := range c.units {
		rule := u.n.Def.After
		if rule == nil || u.in[0] == nil || !onlyRead(u.out) {
			continue
		}
		x := u.in[0]
		p := x.unit
		if p == nil || x.index != 0 || x.root || len(x.readers) != 1 || !onlyRead(p.out) {
			continue
		}
		d, attrs, ok := rule.After(u.n, p.n, p.act)
		if !ok {
			continue
		}
		n := *p.n
		n.Def, n.Attrs, n.Outputs = d, attrs, u.n.Outputs
		for _, v := range n.Outputs {
			if v != nil {
				v.Node = &n
			}
		}
		for _, v := range u.in[1:] { // what u reads besides, p's inputs give it
			if v != nil {
				i := slices.Index(v.readers, u)
				v.readers = slices.Delete(v.readers, i, i+1)
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
		u.n, u.in = &n, p.in
		p.live = false
		dropped = true
	}
	if dropped {
		c.dropDead()
	}
}
