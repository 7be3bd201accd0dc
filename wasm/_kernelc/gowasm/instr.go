package gowasm

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/weft-ml/weft/simd/wasmasm"
)

// instr emits an instruction at its own place.
func (g *function) instr(in ssa.Instruction) {
	if v, ok := in.(ssa.Value); ok {
		if _, isCall := in.(*ssa.Call); g.inlined[v] || !isCall && g.known(v) != nil {
			if a, ok := in.(*ssa.Alloc); ok {
				g.zero(a)
			}
			return
		}
	}
	switch in := in.(type) {
	case *ssa.Phi, *ssa.If, *ssa.Jump, *ssa.DebugRef, *ssa.RunDefers:
	case *ssa.Return:
		g.results(in)
	case *ssa.Store:
		g.store(in.Addr, in.Val)
	case *ssa.ChangeType:
		if _, ok := in.Type().Underlying().(*types.Signature); !ok {
			g.alias(in, in.X, 0, countParts(in.Type()))
		}
	case *ssa.MakeInterface, *ssa.TypeAssert:
		if !g.typeSwitch(in.(ssa.Value)) {
			fail("the interface of %s", in)
		}
	case *ssa.Extract:
		if a, ok := in.Tuple.(*ssa.TypeAssert); ok {
			x := a.X.(*ssa.MakeInterface).X
			g.alias(in, x, 0, countParts(in.Type()))
			return
		}
		before := 0
		tuple := in.Tuple.Type().(*types.Tuple)
		for i := range in.Index {
			before += countParts(tuple.At(i).Type())
		}
		g.alias(in, in.Tuple, before, countParts(in.Type()))
	case *ssa.Field:
		_, before := fieldOffset(in.X.Type(), in.Field)
		g.alias(in, in.X, before, countParts(in.Type()))
	case *ssa.Index:
		if b, ok := in.X.Type().Underlying().(*types.Basic); ok && b.Info()&types.IsString != 0 {
			ops, i := g.operands(in.X), g.intLocal(in.Index)
			g.pushOperand(i)
			g.pushOperand(ops[1])
			g.f.Op(wasmasm.I64GeU).If(func() { g.f.Unreachable() }, nil)
			g.pushOperand(ops[0])
			g.pushOperand(i)
			g.f.Op(wasmasm.I32WrapI64, wasmasm.I32Add).Mem(wasmasm.I32Load8U, 0)
			g.set(in, parts(in.Type()))
			return
		}
		k, ok := in.Index.(*ssa.Const)
		if !ok {
			g.indexValue(in)
			return
		}
		n := countParts(in.Type())
		g.alias(in, in.X, int(intValue(k.Value))*n, n)
	case *ssa.Slice:
		g.slice(in)
	case *ssa.MakeClosure:
		var ops []operand
		for _, b := range in.Bindings {
			if g.inlined[b] {
				g.push(b)
				l := g.temp(wasmasm.I32)
				ops = append(ops, operand{local: l, isLoc: true, typ: wasmasm.I32})
				continue
			}
			ops = append(ops, g.operands(b)...)
		}
		g.vals[in] = ops
	case *ssa.Call:
		g.call(in)
	case ssa.Value:
		g.compute(in.(ssa.Instruction))
		g.set(in, g.partsOf(in))
	default:
		fail("the statement %s (%T)", in, in)
	}
}

// partsOf is parts for values that may be functions.
func (g *function) partsOf(v ssa.Value) []part {
	if _, ok := v.Type().Underlying().(*types.Signature); ok {
		return g.funcOf(v).parts()
	}
	return parts(v.Type())
}

// alias makes some parts of a value the value of an instruction.
func (g *function) alias(in, of ssa.Value, before, n int) {
	if n == 1 && (g.inlined[of]) {
		g.push(of)
		g.set(in, parts(in.Type()))
		return
	}
	if k := g.known(of); k != nil {
		g.vals[in] = []operand{{typ: scalarPart(in.Type()).typ, konst: k}}
		return
	}
	g.vals[in] = g.operands(of)[before : before+n]
}

func (g *function) results(in *ssa.Return) {
	if g.in != nil {
		g.in.leave(g, in.Results)
		return
	}
	for _, r := range in.Results {
		g.push(r)
	}
	g.leave()
}

// compute pushes the value of an instruction.
func (g *function) compute(in ssa.Instruction) {
	switch in := in.(type) {
	case *ssa.BinOp:
		g.binary(in)
	case *ssa.UnOp:
		g.unary(in)
	case *ssa.Convert:
		g.convert(in.X, in.X.Type(), in.Type())
	case *ssa.IndexAddr, *ssa.FieldAddr:
		v := in.(ssa.Value)
		var off uint32
		if ia, ok := v.(*ssa.IndexAddr); ok && !g.isAddress(v) {
			off = g.index(ia)
		} else {
			off = g.address(v)
		}
		if off != 0 {
			g.f.I32(int32(off)).Op(wasmasm.I32Add)
		}
	case *ssa.SliceToArrayPointer:
		n := deref(in.Type()).Underlying().(*types.Array).Len()
		g.pushPart(in.X, 1)
		g.f.I64(n).Op(wasmasm.I64LtU).If(func() { g.f.Unreachable() }, nil)
		g.pushPart(in.X, 0)
	case *ssa.Call:
		g.builtin(in, in.Call.Value.(*ssa.Builtin), in.Call.Args)
	default:
		fail("the expression %s (%T)", in, in)
	}
}

func (g *function) unary(in *ssa.UnOp) {
	t := in.Type()
	switch in.Op {
	case token.MUL:
		if _, ok := t.Underlying().(*types.Signature); ok {
			if r := g.funcOf(in); r.memory {
				g.f.Mem(wasmasm.I32Load, g.address(in.X))
			}
			return
		}
		if f, ok := in.X.(*ssa.FreeVar); ok && g.ref.static[f].global != nil {
			g.push(g.ref.static[f].global)
			return
		}
		g.load(in.X, t)
	case token.NOT:
		g.push(in.X)
		g.f.Op(wasmasm.I32Eqz)
	case token.SUB:
		switch scalarPart(t).typ {
		case wasmasm.F32:
			g.push(in.X)
			g.f.Op(wasmasm.F32Neg)
		case wasmasm.F64:
			g.push(in.X)
			g.f.Op(wasmasm.F64Neg)
		case wasmasm.I32:
			g.f.I32(0)
			g.push(in.X)
			g.f.Op(wasmasm.I32Sub)
			g.narrow(t)
		case wasmasm.I64:
			g.f.I64(0)
			g.push(in.X)
			g.f.Op(wasmasm.I64Sub)
		}
	case token.XOR:
		g.push(in.X)
		if scalarPart(t).typ == wasmasm.I64 {
			g.f.I64(-1).Op(wasmasm.I64Xor)
			return
		}
		g.f.I32(-1).Op(wasmasm.I32Xor)
		g.narrow(t)
	default:
		fail("the operator %s", in.Op)
	}
}

// narrow brings the i32 on the stack back to a type of 8 or 16 bits.
func (g *function) narrow(t types.Type) {
	switch t.Underlying().(*types.Basic).Kind() {
	case types.Int8:
		g.f.Op(wasmasm.I32Extend8S)
	case types.Uint8:
		g.f.I32(0xFF).Op(wasmasm.I32And)
	case types.Int16:
		g.f.Op(wasmasm.I32Extend16S)
	case types.Uint16:
		g.f.I32(0xFFFF).Op(wasmasm.I32And)
	}
}

// slice emits x[low:high:max].
func (g *function) slice(in *ssa.Slice) {
	var base, length, capacity operand
	var elem int64
	switch t := in.X.Type().Underlying().(type) {
	case *types.Slice:
		ops := g.operands(in.X)
		base, length, capacity = ops[0], ops[1], ops[2]
		elem = Sizes.Sizeof(t.Elem())
	case *types.Pointer:
		a := t.Elem().Underlying().(*types.Array)
		if off := g.address(in.X); off != 0 {
			g.f.I32(int32(off)).Op(wasmasm.I32Add)
		}
		base = operand{local: g.temp(wasmasm.I32), isLoc: true, typ: wasmasm.I32}
		length = intOperand(a.Len())
		capacity = length
		elem = Sizes.Sizeof(a.Elem())
	default:
		fail("a slice of %s", in.X.Type())
	}
	low, high, most := intOperand(0), length, capacity
	if in.Low != nil {
		low = g.intLocal(in.Low)
	}
	if in.High != nil {
		high = g.intLocal(in.High)
	}
	if in.Max != nil {
		most = g.intLocal(in.Max)
		g.check(most, capacity)
	}
	if in.High != nil {
		g.check(high, most)
	}
	if in.Low != nil {
		g.check(low, high)
	}
	out := []operand{base, high, most}
	if in.Low != nil {
		g.pushOperand(base)
		g.pushOperand(low)
		g.f.Op(wasmasm.I32WrapI64)
		g.scale(elem)
		g.f.Op(wasmasm.I32Add)
		out[0] = operand{local: g.temp(wasmasm.I32), isLoc: true, typ: wasmasm.I32}
		for i := 1; i < 3; i++ {
			g.pushOperand(out[i])
			g.pushOperand(low)
			g.f.Op(wasmasm.I64Sub)
			out[i] = operand{local: g.temp(wasmasm.I64), isLoc: true, typ: wasmasm.I64}
		}
	}
	g.vals[in] = out
}

func intOperand(n int64) operand { return operand{typ: wasmasm.I64, konst: constInt(n)} }

// intLocal returns an integer of any type as an int that can be pushed several times.
func (g *function) intLocal(v ssa.Value) operand {
	if k := g.known(v); k != nil {
		return operand{typ: wasmasm.I64, konst: k}
	}
	if !g.inlined[v] && scalarPart(v.Type()).typ == wasmasm.I64 {
		return g.operands(v)[0]
	}
	g.pushInt64(v)
	return operand{local: g.temp(wasmasm.I64), isLoc: true, typ: wasmasm.I64}
}

// check traps unless 0 <= a <= b.
func (g *function) check(a, b operand) {
	if a == b {
		return
	}
	g.pushOperand(a)
	g.pushOperand(b)
	g.f.Op(wasmasm.I64GtU).If(func() { g.f.Unreachable() }, nil)
}

// indexValue indexes an array that is a value, by way of the frame.
func (g *function) indexValue(in *ssa.Index) {
	t := in.X.Type()
	elem, off := Sizes.Sizeof(in.Type()), uint32(g.spills[in.X])
	i := g.intLocal(in.Index)
	g.pushOperand(i)
	g.f.I64(t.Underlying().(*types.Array).Len()).Op(wasmasm.I64GeU).If(func() { g.f.Unreachable() }, nil)
	ops := g.operands(in.X)
	for k, p := range parts(t) {
		g.f.Get(g.fp)
		g.pushOperand(ops[k])
		g.storePart(p, off)
	}
	g.f.Get(g.fp)
	g.pushOperand(i)
	g.f.Op(wasmasm.I32WrapI64)
	g.scale(elem)
	g.f.Op(wasmasm.I32Add)
	l := g.temp(wasmasm.I32)
	for _, p := range parts(in.Type()) {
		g.f.Get(l).Mem(g.loadOp(p), off+uint32(p.offset))
	}
	g.set(in, parts(in.Type()))
}

// typeSwitch reports whether an interface is only asked for its type, which is known.
func (g *function) typeSwitch(v ssa.Value) bool {
	a, ok := v.(*ssa.TypeAssert)
	if ok {
		_, ok := a.X.(*ssa.MakeInterface)
		return ok && a.CommaOk
	}
	for _, in := range *v.Referrers() {
		switch in.(type) {
		case *ssa.TypeAssert, *ssa.DebugRef:
		default:
			return false
		}
	}
	return true
}
