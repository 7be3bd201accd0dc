package gowasm

import (
	"bytes"
	"go/types"
	"math"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/weft-ml/weft/simd/wasmasm"
)

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
