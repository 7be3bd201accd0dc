package gowasm

import (
	"bytes"
	"go/types"
	"math"
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

// place finds the split variable that an address lies in, with the number of parts before.
func (g *function) place(v ssa.Value) (a *ssa.Alloc, before int) {
	switch v := v.(type) {
	case *ssa.Alloc:
		if _, ok := g.split[v]; ok {
			return v, 0
		}
	case *ssa.FieldAddr:
		if a, n := g.place(v.X); a != nil {
			_, m := fieldOffset(deref(v.X.Type()), v.Field)
			return a, n + m
		}
	case *ssa.IndexAddr:
		if !g.isAddress(v) {
			return nil, 0
		}
		if a, n := g.place(v.X); a != nil {
			return a, n + int(intValue(v.Index.(*ssa.Const).Value))*countParts(deref(v.Type()))
		}
	}
	return nil, 0
}

// address pushes the base of an address and returns the offset from it.
func (g *function) address(v ssa.Value) uint32 {
	switch v := v.(type) {
	case *ssa.Global:
		return g.global(v)
	case *ssa.Alloc:
		off, ok := g.slots[v]
		if !ok {
			fail("the address of a variable in locals")
		}
		g.f.Get(g.fp)
		return uint32(off)
	case *ssa.FieldAddr:
		off, _ := fieldOffset(deref(v.X.Type()), v.Field)
		return g.address(v.X) + uint32(off)
	case *ssa.IndexAddr:
		if g.isAddress(v) {
			i := intValue(v.Index.(*ssa.Const).Value)
			if n := deref(v.X.Type()).Underlying().(*types.Array).Len(); i < 0 || i >= n {
				fail("index %d of an array of %d", i, n)
			}
			return g.address(v.X) + uint32(i*Sizes.Sizeof(deref(v.Type())))
		}
		if g.inlined[v] {
			return g.index(v)
		}
	}
	g.push(v)
	return 0
}

// index pushes the address of an element, less the returned offset, after the check of its index.
func (g *function) index(v *ssa.IndexAddr) uint32 {
	size := Sizes.Sizeof(deref(v.Type()))
	_, slice := v.X.Type().Underlying().(*types.Slice)
	// base
	var off uint32
	var length func()
	if slice {
		ops := g.operands(v.X)
		g.pushOperand(ops[0])
		length = func() { g.pushOperand(ops[1]) }
	} else {
		off = g.address(v.X)
		n := deref(v.X.Type()).Underlying().(*types.Array).Len()
		length = func() { g.f.I64(n) }
	}
	if k, ok := v.Index.(*ssa.Const); ok {
		i := intValue(k.Value)
		g.f.I64(i)
		length()
		g.f.Op(wasmasm.I64GeU).If(func() { g.f.Unreachable() }, nil)
		if o := i * size; o >= 0 && o < 1<<30 {
			return off + uint32(o)
		}
		fail("index %d", i)
	}
	g.pushInt64(v.Index)
	l := g.f.Local(wasmasm.I64, "")
	g.f.Tee(l)
	length()
	g.f.Op(wasmasm.I64GeU).If(func() { g.f.Unreachable() }, nil)
	g.f.Get(l).Op(wasmasm.I32WrapI64)
	g.scale(size)
	g.f.Op(wasmasm.I32Add)
	return off
}

// scale multiplies the i32 on the stack.
func (g *function) scale(size int64) {
	switch {
	case size == 1:
	case size&(size-1) == 0:
		g.f.I32(int32(math.Log2(float64(size)))).Op(wasmasm.I32Shl)
	default:
		g.f.I32(int32(size)).Op(wasmasm.I32Mul)
	}
}

// pushInt64 pushes an integer of any type as an int.
func (g *function) pushInt64(v ssa.Value) {
	g.push(v)
	if scalarPart(v.Type()).typ == wasmasm.I32 {
		if signed(v.Type()) {
			g.f.Op(wasmasm.I64ExtendI32S)
		} else {
			g.f.Op(wasmasm.I64ExtendI32U)
		}
	}
}

func (g *function) loadOp(p part) wasmasm.Op {
	switch p.kind {
	case types.Int8:
		return wasmasm.I32Load8S
	case types.Uint8:
		return wasmasm.I32Load8U
	case types.Int16:
		return wasmasm.I32Load16S
	case types.Uint16:
		return wasmasm.I32Load16U
	}
	switch p.typ {
	case wasmasm.I64:
		return wasmasm.I64Load
	case wasmasm.F32:
		return wasmasm.F32Load
	case wasmasm.F64:
		return wasmasm.F64Load
	}
	return wasmasm.I32Load
}

// load pushes the parts of a value in memory.
func (g *function) load(addr ssa.Value, t types.Type) {
	if a, n := g.place(addr); a != nil {
		for _, o := range g.split[a][n : n+countParts(t)] {
			g.f.Get(o.local)
		}
		return
	}
	ps := parts(t)
	if len(ps) == 0 {
		return
	}
	off := g.address(addr)
	if len(ps) == 1 {
		g.f.Mem(g.loadOp(ps[0]), off+uint32(ps[0].offset))
		return
	}
	l := g.f.Local(wasmasm.I32, "")
	g.f.Set(l)
	for _, p := range ps {
		g.f.Get(l).Mem(g.loadOp(p), off+uint32(p.offset))
	}
}

// store writes a value to memory.
func (g *function) store(addr ssa.Value, v ssa.Value) {
	t := v.Type()
	if a, n := g.place(addr); a != nil {
		g.push(v)
		g.pop(g.split[a][n : n+countParts(t)])
		return
	}
	if _, ok := t.Underlying().(*types.Signature); ok {
		fail("a function value is stored")
	}
	ps := parts(t)
	if len(ps) == 0 {
		return
	}
	off := g.address(addr)
	if len(ps) == 1 {
		g.push(v)
		g.storePart(ps[0], off)
		return
	}
	l := g.temp(wasmasm.I32)
	ops := g.operands(v)
	for i, p := range ps {
		g.f.Get(l)
		g.pushOperand(ops[i])
		g.storePart(p, off)
	}
}

// storePart writes the part on top of the stack to the address below it.
func (g *function) storePart(p part, off uint32) {
	off += uint32(p.offset)
	switch {
	case p.typ == wasmasm.I32 && p.size == 8: // a pointer
		g.f.Op(wasmasm.I64ExtendI32U).Mem(wasmasm.I64Store, off)
	case p.typ == wasmasm.I32 && p.size == 1:
		g.f.Mem(wasmasm.I32Store8, off)
	case p.typ == wasmasm.I32 && p.size == 2:
		g.f.Mem(wasmasm.I32Store16, off)
	case p.typ == wasmasm.I32:
		g.f.Mem(wasmasm.I32Store, off)
	case p.typ == wasmasm.I64:
		g.f.Mem(wasmasm.I64Store, off)
	case p.typ == wasmasm.F32:
		g.f.Mem(wasmasm.F32Store, off)
	default:
		g.f.Mem(wasmasm.F64Store, off)
	}
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

// global pushes the base of a package variable and returns the offset from it.
func (g *function) global(v *ssa.Global) uint32 {
	name := qualified(v.Pkg.Pkg, v.Name())
	if i := slices.Index(g.c.opt.Shared, name); i >= 0 {
		g.f.GetGlobal(g.c.Table).Mem(wasmasm.I32Load, uint32(8*i))
		return 0
	}
	g.f.GetGlobal(g.c.Data)
	return uint32(g.c.staticGlobal(v))
}

// staticGlobal returns the offset in the static data of a variable that only its initialiser writes, and that with constants.
func (c *Compiler) staticGlobal(v *ssa.Global) int {
	if off, ok := c.statics[v]; ok {
		return off
	}
	if c.prog.written[v] && !c.opt.Constant[qualified(v.Pkg.Pkg, v.Name())] {
		fail("the variable %s, which is written", v)
	}
	t := deref(v.Type())
	x := image{c: c, b: make([]byte, Sizes.Sizeof(t))}
	for _, in := range c.prog.inits[v] {
		if !x.store(0, in.(*ssa.Store)) {
			fail("the variable %s, whose initial value is computed (%s)", v, in)
		}
	}
	off := c.addStatic(x.b)
	if len(x.relocs) > 0 && off < len(c.static)-len(x.b) {
		fail("the variable %s is twice in the static data", v)
	}
	for _, r := range x.relocs {
		c.relocs = append(c.relocs, reloc{off + r.at, r.to})
	}
	c.statics[v] = off
	return off
}

// addStatic appends to the static data and returns the offset.
func (c *Compiler) addStatic(b []byte) int {
	if at := bytes.Index(c.static, b); at >= 0 && at%16 == 0 {
		return at
	}
	for len(c.static)%16 != 0 {
		c.static = append(c.static, 0)
	}
	off := len(c.static)
	c.static = append(c.static, b...)
	return off
}
