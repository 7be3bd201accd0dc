package gowasm

import (
	"golang.org/x/tools/go/ssa"

	"github.com/weft-ml/weft/simd/wasmasm"
)

// Browsers do not expand calls between the functions of a module reliably, so small functions are compiled in place of their calls.
const (
	smallInstrs = 10 // instructions of a small function
	callInstrs  = 4  // what a call counts besides
	smallBlocks = 5
	mostNested  = 6
)

// site is a call in whose place a function is compiled.
type site struct {
	call    *ssa.Call
	results []operand
	exit    wasmasm.Label
	single  bool // the function has one block: its end is the end of the call
	outer   *function
}

// leave ends the function: its results are the call's.
func (s *site) leave(g *function, results []ssa.Value) {
	if s.single {
		for _, r := range results {
			s.results = append(s.results, g.settled(r)...)
		}
		return
	}
	for _, r := range results {
		g.push(r)
	}
	g.pop(s.results)
	g.f.Br(s.exit)
}

// settled returns a value's parts, computed.
func (g *function) settled(v ssa.Value) []operand {
	_, isGlobal := v.(*ssa.Global)
	if k := g.known(v); !isGlobal && !g.inlined[v] && (k == nil || isConst(v)) {
		return g.operands(v)
	}
	g.push(v)
	ps := g.partsOf(v)
	ops := make([]operand, len(ps))
	for i, p := range ps {
		ops[i] = operand{local: g.f.Local(p.typ, ""), isLoc: true, typ: p.typ}
	}
	g.pop(ops)
	return ops
}

func isConst(v ssa.Value) bool {
	_, ok := v.(*ssa.Const)
	return ok
}

// small reports whether a function is worth compiling in place of its calls.
func small(fn *ssa.Function) bool {
	if len(fn.Blocks) == 0 || len(fn.Blocks) > smallBlocks {
		return false
	}
	n := 0
	for _, b := range fn.Blocks {
		for _, in := range b.Instrs {
			switch in.(type) {
			case *ssa.DebugRef, *ssa.Jump, *ssa.Return:
				continue
			case *ssa.Alloc, *ssa.Index, *ssa.MakeClosure, *ssa.Panic:
				return false
			case *ssa.Call:
				n += callInstrs
			}
			n++
		}
	}
	return n <= smallInstrs
}

// expand compiles a small function in place of a call.
func (g *function) expand(in *ssa.Call, ref *funcRef, args []argument) bool {
	fn := ref.fn
	if ref.memory || !small(fn) || g.c.prog.noReturn(fn) {
		return false
	}
	depth := 0
	for s := g.in; s != nil; s = s.outer.in {
		if depth++; s.call.Call.StaticCallee() == fn {
			return false
		}
	}
	if depth >= mostNested {
		return false
	}
	s := &site{call: in, outer: g}
	x := &function{c: g.c, fn: fn, ref: ref, out: &compiled{results: parts(fn.Signature.Results())}, args: args, in: s, root: g.root, f: g.f, fp: g.fp}
	x.prune()
	for _, b := range x.blocks {
		if b.loop {
			return false
		}
	}
	x.vals = map[ssa.Value][]operand{}
	for i, p := range fn.Params {
		if args[i].konst == nil {
			x.vals[p] = g.settled(in.Call.Args[i])
		}
	}
	if ref.static == nil && len(fn.FreeVars) > 0 {
		ops := g.settled(in.Call.Value)
		for _, v := range fn.FreeVars {
			n := len(parts(v.Type()))
			x.vals[v], ops = ops[:n], ops[n:]
		}
	}
	x.variables()
	x.inline()
	x.phis()
	s.single = len(x.blocks) == 1 && !x.blocks[0].fails
	if s.single {
		x.tree(x.blocks[0], nil)
	} else {
		for _, p := range x.out.results {
			s.results = append(s.results, operand{local: g.f.Local(p.typ, ""), isLoc: true, typ: p.typ})
		}
		g.f.Block(func(exit wasmasm.Label) {
			s.exit = exit
			x.tree(x.blocks[0], nil)
		})
	}
	g.vals[in] = s.results
	return true
}
