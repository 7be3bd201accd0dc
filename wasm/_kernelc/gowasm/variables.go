package gowasm

import (
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/weft-ml/weft/simd/wasmasm"
)

// variables decides where variables whose address is taken live: in locals when only their fields are read and written,
// in the frame otherwise.
func (g *function) variables() {
	g.slots, g.split, g.spills = map[*ssa.Alloc]int64{}, map[*ssa.Alloc][]operand{}, map[ssa.Value]int64{}
	for _, b := range g.blocks {
		if b.fails {
			continue
		}
		for _, in := range b.Instrs {
			if i, ok := in.(*ssa.Index); ok {
				_, array := i.X.Type().Underlying().(*types.Array)
				if _, isConst := i.Index.(*ssa.Const); array && !isConst {
					g.spills[i.X] = g.frame
					g.frame += (Sizes.Sizeof(i.X.Type()) + 15) &^ 15
				}
			}
			a, ok := in.(*ssa.Alloc)
			if !ok {
				continue
			}
			t := deref(a.Type())
			if g.fieldsOnly(a) && countParts(t) <= maxParts {
				ops := []operand{}
				for _, p := range parts(t) {
					ops = append(ops, operand{local: g.f.Local(p.typ, ""), isLoc: true, typ: p.typ})
				}
				g.split[a] = ops
				continue
			}
			g.escapes(a, a)
			g.slots[a] = g.frame
			g.frame += (Sizes.Sizeof(t) + 15) &^ 15
		}
	}
}

// fieldsOnly reports whether a variable's address is only used to read and write fields at constant places.
func (g *function) fieldsOnly(v ssa.Value) bool {
	for _, in := range *v.Referrers() {
		if g.of[in.Block()] == nil {
			continue
		}
		switch in := in.(type) {
		case *ssa.FieldAddr:
			if !g.fieldsOnly(in) {
				return false
			}
		case *ssa.IndexAddr:
			if !g.isAddress(in) || !g.fieldsOnly(in) {
				return false
			}
		case *ssa.UnOp:
			if _, ok := in.Type().Underlying().(*types.Signature); ok {
				return false
			}
		case *ssa.Store:
			if in.Val == v {
				return false
			}
		case *ssa.DebugRef:
		default:
			return false
		}
	}
	return true
}

// escapes fails when the address of a variable is returned or stored anywhere but in another variable of the function:
// the variable would have to outlive the frame.
func (g *function) escapes(a *ssa.Alloc, v ssa.Value) {
	for _, in := range *v.Referrers() {
		if b := g.of[in.Block()]; b == nil || b.fails {
			continue
		}
		switch in := in.(type) {
		case *ssa.Return:
			fail("the variable %s outlives its function", a.Comment)
		case *ssa.Store:
			if in.Val == v && !g.ownMemory(in.Addr) {
				fail("the address of the variable %s is stored", a.Comment)
			}
		case *ssa.FieldAddr, *ssa.IndexAddr, *ssa.Slice, *ssa.ChangeType, *ssa.Phi:
			if p, ok := in.(*ssa.Phi); ok && p == v {
				continue
			}
			if _, ok := in.(*ssa.Phi); !ok {
				g.escapes(a, in.(ssa.Value))
			}
		}
	}
}

// ownMemory reports whether an address lies in a variable of the function.
func (g *function) ownMemory(v ssa.Value) bool {
	switch v := v.(type) {
	case *ssa.Alloc:
		return true
	case *ssa.FieldAddr:
		return g.ownMemory(v.X)
	case *ssa.IndexAddr:
		return g.ownMemory(v.X)
	}
	return false
}

// zero clears a variable, unless it is written whole before anything else happens to it.
func (g *function) zero(a *ssa.Alloc) {
	for _, in := range a.Block().Instrs[slices.Index(a.Block().Instrs, ssa.Instruction(a))+1:] {
		if st, ok := in.(*ssa.Store); ok && st.Addr == a {
			return
		}
		var ops [8]*ssa.Value
		if slices.ContainsFunc(in.Operands(ops[:0]), func(v *ssa.Value) bool { return *v == a }) {
			break
		}
	}
	if ops, ok := g.split[a]; ok {
		for _, o := range ops {
			g.pushOperand(operand{typ: o.typ})
			g.f.Set(o.local)
		}
		return
	}
	off, n := g.slots[a], (Sizes.Sizeof(deref(a.Type()))+7)&^7
	if n <= 128 {
		for i := int64(0); i < n; i += 8 {
			g.f.Get(g.fp).I64(0).Mem(wasmasm.I64Store, uint32(off+i))
		}
		return
	}
	g.f.Get(g.fp).I32(int32(off)).Op(wasmasm.I32Add).I32(0).I32(int32(n)).MemoryFill()
}
