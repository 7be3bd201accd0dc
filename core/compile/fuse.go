package compile

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// fuseActs moves activations into the operators before them that can apply them (Def.TakesAct), where nothing
// else reads the value before the activation.
func (c *structurer) fuseActs() {
	dropped := false
	for _, u := range c.units {
		if u.n.Def.Act == nil || len(u.in) == 0 || u.in[0] == nil {
			continue
		}
		x := u.in[0]
		p := x.unit
		if p == nil || !p.n.Def.TakesAct || p.act != (graph.Act{}) || x.index != 0 || x.root || len(x.readers) != 1 || x.DType != tensor.Float32 {
			continue
		}
		act, ok := u.n.Def.Act(u.n)
		if !ok || !onlyRead(u.out) || u.out[0].DType != x.DType {
			continue
		}
		p.act, p.actN = act, u.n
		y := u.out[0]
		y.unit, y.index = p, 0
		p.out[0] = y
		p.n.Outputs[0] = &y.Value
		y.Node, y.Index = p.n, 0
		u.live = false
		dropped = true
	}
	if dropped {
		c.dropDead()
	}
}

// onlyRead reports whether output 0 is the only one that is read.
func onlyRead(out []*val) bool {
	for i, x := range out {
		if i > 0 && (x.root || len(x.readers) > 0) {
			return false
		}
	}
	return true
}

func (c *structurer) dropDead() {
	live := c.units[:0]
	for _, u := range c.units {
		if u.live {
			live = append(live, u)
		}
	}
	c.units = live
}

// group is a chain of elementwise operators over one iteration space.
type group struct {
	units  []*unit
	ext    int // operands read from memory, counted with repetition
	closed bool
	into   *group // the group it was merged into
}

func (g *group) top() *group {
	for g.into != nil {
		g = g.into
	}
	return g
}

// Bounds of a chain: registers and operands must fit the kernel's fixed tables.
const (
	maxChainOps = 24
	maxChainIn  = 32
)

// chains gathers elementwise units into groups. A group runs where its last member stands, so a unit may join
// the groups of its operands as long as nothing outside them has read a value of theirs yet: such a reader would
// stand before the group.
func (c *structurer) chains() {
	for _, u := range c.units {
		op, ok := c.elemOf(u)
		if !ok {
			for _, x := range u.in {
				if x != nil && x.unit != nil && x.unit.group != nil {
					x.unit.group.top().closed = true
				}
			}
			continue
		}
		u.elem = op
		g := &group{units: []*unit{u}, ext: len(u.in)}
		u.group = g
		for _, x := range u.in {
			if x == nil || x.unit == nil || x.unit.group == nil {
				continue
			}
			o := x.unit.group.top()
			if o == g {
				continue
			}
			if c.opt.NoFusion || o.closed || !sameDims(o.units[0].out[0].Type, u.out[0].Type) ||
				len(o.units)+len(g.units) > maxChainOps || o.ext+g.ext > maxChainIn {
				o.closed = true
				continue
			}
			// g holds u last; o's members go before it, behind those that g took from other operands.
			g.units = append(append(g.units[:len(g.units)-1:len(g.units)-1], o.units...), u)
			g.ext += o.ext
			o.into = g
		}
	}
	for _, u := range c.units {
		if u.group != nil {
			u.group = u.group.top()
		}
	}
}

// elemOf returns the vector kernel of a unit, when it has one for these types.
func (c *structurer) elemOf(u *unit) (graph.ElemOp, bool) {
	d := u.n.Def
	if d.Elem == nil || len(u.in) == 0 || len(u.out) != 1 || u.act != (graph.Act{}) {
		return graph.ElemOp{}, false
	}
	op, ok := d.Elem(u.n)
	if !ok {
		return op, false
	}
	in, out := tensor.Float32, tensor.Float32
	args := elemArgs(op.Kind)
	if len(u.in) < args {
		return op, false
	}
	if op.Kind == graph.ElemCompare {
		out = tensor.Bool
	}
	for i := range args {
		want := in
		if op.Kind == graph.ElemSelect && i == 0 {
			want = tensor.Bool
		}
		if u.in[i] == nil || u.in[i].DType != want {
			return op, false
		}
	}
	return op, u.out[0].DType == out
}

// elemArgs returns how many operands the vector kernels of a kind take; further inputs of a node are parameters
// that its Def has put into the ElemOp.
func elemArgs(k graph.ElemKind) int {
	switch k {
	case graph.ElemUnary:
		return 1
	case graph.ElemSelect:
		return 3
	}
	return 2
}
