package gowasm

import (
	"go/constant"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/weft-ml/weft/simd/wasmasm"
)

// block is a basic block that can be reached.
type block struct {
	*ssa.BasicBlock
	number   int // in reverse postorder
	succs    []*block
	preds    []*block
	idom     *block
	children []*block // in the dominator tree, in reverse postorder
	loop     bool     // the target of a back edge
	merge    bool     // the target of several forward edges
	fails    bool     // ends in a panic: nothing of it runs
}

// prune finds the blocks that can be reached, given what is known, with their dominators.
func (g *function) prune() {
	g.of = map[*ssa.BasicBlock]*block{}
	var post []*block
	var visit func(b *ssa.BasicBlock) *block
	visit = func(sb *ssa.BasicBlock) *block {
		if b := g.of[sb]; b != nil {
			return b
		}
		b := &block{BasicBlock: sb, fails: g.fails(sb)}
		g.of[sb] = b
		for _, s := range g.targets(b) {
			t := visit(s)
			b.succs = append(b.succs, t)
			t.preds = append(t.preds, b)
		}
		post = append(post, b)
		return b
	}
	visit(g.fn.Blocks[0])
	slices.Reverse(post)
	g.blocks = post
	for i, b := range post {
		b.number = i
	}
	g.dominators()
	for _, b := range g.blocks {
		forward := 0
		for _, p := range b.preds {
			if p.number < b.number {
				forward++
				continue
			}
			if !dominates(b, p) {
				fail("control flow that enters a loop in two places")
			}
			b.loop = true
		}
		b.merge = forward > 1
		if b.idom != nil {
			b.idom.children = append(b.idom.children, b)
		}
	}
}

// fails reports whether a block ends in a panic of the program, or in a call of a function that always does.
func (g *function) fails(b *ssa.BasicBlock) bool {
	for _, in := range b.Instrs {
		switch in := in.(type) {
		case *ssa.Panic:
			return true
		case *ssa.Call:
			if g.c.prog.noReturn(in.Call.StaticCallee()) {
				return true
			}
		}
	}
	return false
}

// targets returns where a block goes.
func (g *function) targets(b *block) []*ssa.BasicBlock {
	if b.fails {
		return nil
	}
	if in, ok := b.Instrs[len(b.Instrs)-1].(*ssa.If); ok {
		if k := g.known(in.Cond); k != nil {
			if constant.BoolVal(k) {
				return b.Succs[:1]
			}
			return b.Succs[1:]
		}
		if b.Succs[0] == b.Succs[1] {
			return b.Succs[:1]
		}
	}
	return b.Succs
}

// dominators computes immediate dominators (Cooper, Harvey, Kennedy, A Simple, Fast Dominance Algorithm).
func (g *function) dominators() {
	entry := g.blocks[0]
	entry.idom = entry
	for changed := true; changed; {
		changed = false
		for _, b := range g.blocks[1:] {
			var d *block
			for _, p := range b.preds {
				switch {
				case p.idom == nil:
				case d == nil:
					d = p
				default:
					for x := p; x != d; {
						if x.number > d.number {
							x = x.idom
						} else {
							d = d.idom
						}
					}
				}
			}
			if b.idom != d {
				b.idom, changed = d, true
			}
		}
	}
	entry.idom = nil
}

func dominates(a, b *block) bool {
	for ; b != nil; b = b.idom {
		if a == b {
			return true
		}
	}
	return false
}

// scope is what encloses a point of the structured code: for every block that can be branched to, its label.
type scope struct {
	target *block
	label  wasmasm.Label
	outer  *scope
}

func (s *scope) find(b *block) (wasmasm.Label, bool) {
	for ; s != nil; s = s.outer {
		if s.target == b {
			return s.label, true
		}
	}
	return wasmasm.Label{}, false
}

// tree emits a block and all that it dominates (N. Ramsey, Beyond Relooper, ICFP 2022): a loop where branches lead back to it,
// and within, one inside the other, a block for every point where control flow meets again.
func (g *function) tree(b *block, s *scope) {
	if !b.loop {
		g.within(b, merges(b), s)
		return
	}
	g.f.Loop(func(again wasmasm.Label) { g.within(b, merges(b), &scope{b, again, s}) })
}

// merges returns the children of a block that need a label, the last in reverse postorder first.
func merges(b *block) []*block {
	var ms []*block
	for _, c := range slices.Backward(b.children) {
		if c.merge {
			ms = append(ms, c)
		}
	}
	return ms
}

func (g *function) within(b *block, ms []*block, s *scope) {
	if len(ms) == 0 {
		g.body(b, s)
		return
	}
	g.f.Block(func(exit wasmasm.Label) { g.within(b, ms[1:], &scope{ms[0], exit, s}) })
	g.tree(ms[0], s)
}

// body emits a block's instructions and where it goes.
func (g *function) body(b *block, s *scope) {
	if b.fails {
		g.f.I32(1).SetGlobal(g.c.Failed)
		g.root.abort()
		return
	}
	for _, in := range b.Instrs {
		g.instr(in)
	}
	switch len(b.succs) {
	case 1:
		g.branch(b, b.succs[0], s)
	case 2:
		yes, no := b.succs[0], b.succs[1]
		g.push(b.Instrs[len(b.Instrs)-1].(*ssa.If).Cond)
		if l, ok := g.plain(b, yes, s); ok {
			g.f.BrIf(l)
			g.branch(b, no, s)
			return
		}
		if l, ok := g.plain(b, no, s); ok {
			g.f.Op(wasmasm.I32Eqz).BrIf(l)
			g.branch(b, yes, s)
			return
		}
		g.f.If(func() { g.branch(b, yes, s) }, nil)
		g.branch(b, no, s)
	}
}

// plain returns the label of an edge that only branches.
func (g *function) plain(from, to *block, s *scope) (wasmasm.Label, bool) {
	if g.moves(from, to) {
		return wasmasm.Label{}, false
	}
	if to.merge || to.number <= from.number {
		return s.find(to)
	}
	return wasmasm.Label{}, false
}

// branch emits an edge: its phis, then a branch or the target itself.
func (g *function) branch(from, to *block, s *scope) {
	g.edge(from, to)
	if to.merge || to.number <= from.number {
		l, ok := s.find(to)
		if !ok {
			fail("a branch to block %d has no label", to.Index)
		}
		g.f.Br(l)
		return
	}
	g.tree(to, s)
}

// live reports whether a phi's edge can be taken.
func (g *function) live(p *ssa.Phi, edge int) bool {
	from, to := g.of[p.Block().Preds[edge]], g.of[p.Block()]
	return from != nil && to != nil && slices.Contains(from.succs, to)
}
