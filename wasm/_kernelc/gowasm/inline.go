package gowasm

import (
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// isAddress reports whether a value is an address that costs nothing to compute again: a base and a constant offset.
func (g *function) isAddress(v ssa.Value) bool {
	switch v := v.(type) {
	case *ssa.Alloc:
		return true
	case *ssa.FieldAddr:
		return true
	case *ssa.IndexAddr:
		if _, ok := v.X.Type().Underlying().(*types.Pointer); !ok {
			return false
		}
		_, ok := v.Index.(*ssa.Const)
		return ok
	}
	return false
}

// use is one place where a value is needed: an instruction, or the end of the block that a phi's edge comes from.
type use struct {
	in    ssa.Instruction
	block *ssa.BasicBlock
}

// uses returns where a value is needed, looking through addresses, which are computed where they are used.
func (g *function) uses(v ssa.Value) []use {
	var us []use
	refs := v.Referrers()
	if refs == nil {
		return nil
	}
	for _, in := range *refs {
		switch in := in.(type) {
		case *ssa.DebugRef:
			continue
		case *ssa.Phi:
			for i, e := range in.Edges {
				if e == v && g.live(in, i) {
					us = append(us, use{in, in.Block().Preds[i]})
				}
			}
			continue
		}
		b := g.of[in.Block()]
		if b == nil || b.fails {
			continue
		}
		if a, ok := in.(ssa.Value); ok && g.isAddress(a) {
			us = append(us, g.uses(a)...)
			continue
		}
		n := 0
		var ops [8]*ssa.Value
		for _, op := range in.Operands(ops[:0]) {
			if *op == v {
				n++
			}
		}
		for range n {
			us = append(us, use{in, in.Block()})
		}
	}
	return us
}

// pure reports whether an instruction can be computed where its value is used; load: as long as nothing is stored in between.
func (g *function) pure(in ssa.Instruction) (ok, load bool) {
	switch in := in.(type) {
	case *ssa.BinOp:
		if _, ok := in.X.Type().Underlying().(*types.Slice); ok {
			return true, false
		}
		return true, false
	case *ssa.Convert:
		return true, false
	case *ssa.IndexAddr:
		return true, false
	case *ssa.UnOp:
		return true, true
	case *ssa.Call:
		b, ok := in.Call.Value.(*ssa.Builtin)
		return ok && (b.Name() == "min" || b.Name() == "max" || b.Name() == "Add"), false
	}
	return false, false
}

// effect reports whether an instruction writes memory or may call something that does.
func effect(in ssa.Instruction) bool {
	switch in := in.(type) {
	case *ssa.Store, *ssa.Alloc:
		return true
	case *ssa.Call:
		b, ok := in.Call.Value.(*ssa.Builtin)
		if !ok {
			return true
		}
		switch b.Name() {
		case "copy", "clear":
			return true
		}
	}
	return false
}

// inline decides which values are computed where they are used, on the operand stack, and never live in a local: scalars that are
// used once, in the block that computes them.
func (g *function) inline() {
	g.inlined = map[ssa.Value]bool{}
	for _, b := range g.blocks {
		if b.fails {
			continue
		}
		at := map[ssa.Instruction]int{} // where an instruction is emitted
		for i := len(b.Instrs) - 1; i >= 0; i-- {
			in := b.Instrs[i]
			at[in] = i
			v, ok := in.(ssa.Value)
			if !ok {
				continue
			}
			if g.isAddress(v) {
				g.inlined[v] = true
				continue
			}
			ok, load := g.pure(in)
			if !ok {
				continue
			}
			if _, ok := v.Type().Underlying().(*types.Signature); ok || countParts(v.Type()) != 1 {
				continue
			}
			us := g.uses(v)
			if len(us) == 0 {
				g.inlined[v] = true // never computed
				continue
			}
			if len(us) != 1 || us[0].block != b.BasicBlock {
				continue
			}
			pos := len(b.Instrs)
			if _, phi := us[0].in.(*ssa.Phi); !phi {
				pos = at[us[0].in]
			}
			if load {
				clean := true
				for k := i + 1; k < pos; k++ {
					clean = clean && !effect(b.Instrs[k])
				}
				if !clean {
					continue
				}
			}
			g.inlined[v] = true
			at[in] = pos
		}
	}
}
