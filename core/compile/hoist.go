package compile

import (
	"slices"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// What a program computes from constants and from variables that it does not write, a transposed weight say, is the same in every run until somebody else
// writes such a variable. It is hoisted out of the program into another one, the prelude, which runs before the first run and after a variable's
// change. The program sees the results as variables of its own, which no store knows.
//
// Results stay in memory, so an operator that makes much from little (Expand) is not hoisted: its result may have hoistSmall bytes, or hoistGrowth times
// the bytes of its operands; a cast of halves or bytes to floats passes.
const (
	hoistSmall  = 1 << 16
	hoistGrowth = 4
)

// prelude computes a program's hoisted values.
type prelude struct {
	prog  *Program
	reads []*graph.Cell // the variables behind them
	seen  []uint64      // their versions when the prelude last ran
	ready bool
	cells []*graph.Cell // the results, the last of the program's cells
	outs  []*tensor.Tensor
}

// hoist moves nodes out of the structure and returns the structure of the prelude, nil when there is nothing to move. Its outputs are, in order, the
// variables that it adds to s behind those of the graph.
func (s *structure) hoist() *structure {
	updated := s.updated()
	fixed := make([]bool, len(s.vals)) // the value is the same in every run
	for i := range s.vals {
		v := &s.vals[i]
		fixed[i] = v.origin == graph.FromConst || v.origin == graph.FromVar && !updated[v.index]
	}
	moved, view := make([]bool, len(s.nodes)), make([]bool, len(s.nodes))
	some := false
	for i := range s.nodes {
		nd := &s.nodes[i]
		if !s.hoistable(nd, fixed) {
			continue
		}
		for k := range nd.ops {
			for _, v := range nd.ops[k].out {
				if v >= 0 {
					fixed[v] = true
				}
			}
		}
		// Views cost nothing where they are; they come along for the nodes behind them.
		view[i] = !nd.chain && nd.ops[0].n.Def.View
		moved[i] = !view[i]
		some = some || moved[i]
	}
	if !some {
		return nil
	}

	pre := &structure{vals: slices.Clone(s.vals), vars: s.vars, varVals: s.varVals, consts: s.consts}
	for i := range pre.vals {
		if v := &pre.vals[i]; v.origin == graph.FromInput || v.origin == graph.FromNode {
			v.origin, v.node = graph.FromNode, -1
		}
	}

	// What stays: nodes that are not moved, but for views that only moved nodes look through.
	need := make([]bool, len(s.vals))
	for _, v := range s.outputs {
		need[v] = true
	}
	for _, u := range s.updates {
		need[u.value] = true
	}
	stays := make([]bool, len(s.nodes))
	for i := len(s.nodes) - 1; i >= 0; i-- {
		if nd := &s.nodes[i]; !moved[i] && (!view[i] || anyOut(nd, need)) {
			stays[i] = true
			markIn(nd, need)
		}
	}

	// What the prelude computes: the moved nodes, with their views. All of them lead to something that stays, or they would have been swept.
	inside := make([]bool, len(s.vals))
	comes := make([]bool, len(s.nodes))
	for i := len(s.nodes) - 1; i >= 0; i-- {
		if nd := &s.nodes[i]; moved[i] || view[i] && anyOut(nd, inside) {
			comes[i] = true
			markIn(nd, inside)
		}
	}
	var nodes []pnode
	for i := range s.nodes {
		nd := s.nodes[i]
		if comes[i] {
			for k := range nd.ops {
				for _, v := range nd.ops[k].out {
					if v >= 0 {
						pre.vals[v].node = int32(len(pre.nodes))
					}
				}
			}
			pre.nodes = append(pre.nodes, nd)
		}
		if stays[i] {
			for k := range nd.ops {
				for _, v := range nd.ops[k].out {
					if v >= 0 {
						s.vals[v].node = int32(len(nodes))
					}
				}
			}
			nodes = append(nodes, nd)
			continue
		}
		for k := range nd.ops {
			for _, v := range nd.ops[k].out {
				if v < 0 {
					continue
				}
				s.vals[v].node = -1
				if moved[i] && need[v] {
					s.vals[v].origin, s.vals[v].index = graph.FromVar, len(s.vars)+len(pre.outputs)
					pre.outputs = append(pre.outputs, v)
				}
			}
		}
	}
	s.nodes = nodes
	s.varVals = slices.Clone(s.varVals)
	for i, v := range s.varVals {
		if v >= 0 && !need[v] {
			s.varVals[i] = -1
		}
	}
	return pre
}

// updated reports by variable whether the program writes it.
func (s *structure) updated() []bool {
	w := make([]bool, len(s.vars))
	for _, u := range s.updates {
		w[u.variable] = true
	}
	return w
}

func anyOut(nd *pnode, set []bool) bool {
	for k := range nd.ops {
		for _, v := range nd.ops[k].out {
			if v >= 0 && set[v] {
				return true
			}
		}
	}
	return false
}

func markIn(nd *pnode, set []bool) {
	for k := range nd.ops {
		for _, v := range nd.ops[k].in {
			if v >= 0 {
				set[v] = true
			}
		}
	}
}

// hoistable reports whether a node gives the same in every run, in types that are known already, without making much from little.
func (s *structure) hoistable(nd *pnode, fixed []bool) bool {
	from, to := 0, 0
	given := map[int32]bool{} // by an operator of the chain
	for k := range nd.ops {
		o := &nd.ops[k]
		if o.n.Def.Random {
			return false
		}
		for _, v := range o.in {
			switch {
			case v < 0 || given[v]:
			case !fixed[v] || !known(s.vals[v].typ):
				return false
			default:
				from += typeBytes(s.vals[v].typ)
			}
		}
		for _, v := range o.out {
			if v < 0 {
				continue
			}
			// Binding knows small integers and reads them itself.
			if t := s.vals[v].typ; !known(t) || t.Const != nil || !t.DType.IsFloat() {
				return false
			}
			to += typeBytes(s.vals[v].typ)
			given[v] = true
		}
	}
	return from > 0 && to <= max(hoistSmall, hoistGrowth*from)
}

func typeBytes(t graph.Type) int { return t.DType.Bytes(tensor.Size(t.Shape)) }

// newPrelude makes the program of hoisted values, and their variables in p.
func (p *Program) newPrelude(s *structure) {
	g := graph.New()
	for _, v := range s.outputs {
		g.Outputs = append(g.Outputs, &graph.Value{Name: s.vals[v].name})
	}
	h := &prelude{prog: newProgram(p.rt, g, p.store, p.opt, s)}
	h.prog.layout()
	for i := range s.nodes {
		for k := range s.nodes[i].ops {
			for _, v := range s.nodes[i].ops[k].in {
				if v >= 0 && s.vals[v].origin == graph.FromVar {
					if c := h.prog.cells[s.vals[v].index]; !slices.Contains(h.reads, c) {
						h.reads = append(h.reads, c)
					}
				}
			}
		}
	}
	h.seen = make([]uint64, len(h.reads))
	for _, v := range s.outputs {
		c := &graph.Cell{Name: s.vals[v].name, Version: 1, Tensor: tensor.New(s.vals[v].typ.DType, 0)}
		h.cells = append(h.cells, c)
		p.cells, p.updated = append(p.cells, c), append(p.updated, false)
	}
	p.prelude = h
}

// prepare computes the hoisted values when they are not there or a variable behind them has changed.
func (h *prelude) prepare() error {
	p := h.prog
	if p.kernels != simd.Current() {
		h.ready = false
	}
	for i, c := range h.reads {
		if h.seen[i] != c.Version {
			h.seen[i], h.ready = c.Version, false
		}
	}
	if h.ready {
		return nil
	}
	if h.outs == nil {
		for k, v := range p.s.outputs {
			t := p.s.vals[v].typ
			x, err := p.rt.alloc.NewTensor(t.DType, t.Shape...)
			if err != nil {
				h.free()
				return err
			}
			h.outs = append(h.outs, x)
			h.cells[k].Tensor = x
		}
	}
	b, err := p.boundFor(nil)
	if err != nil {
		return err
	}
	if err := p.rt.reserve(b.arena, b.scratch); err != nil {
		return err
	}
	defer p.detach()
	if err := p.attach(b, nil, &RunOptions{Outputs: h.outs}); err != nil {
		return err
	}
	if err := p.execute(b, nil, nil); err != nil {
		return err
	}
	for _, c := range h.cells {
		c.Version++
	}
	h.ready = true
	return nil
}

// free gives the memory back.
func (h *prelude) free() {
	for k, t := range h.outs {
		h.cells[k].Tensor = tensor.New(t.DType(), 0)
		h.prog.rt.alloc.Free(t.Bytes())
	}
	h.outs, h.ready = nil, false
}
