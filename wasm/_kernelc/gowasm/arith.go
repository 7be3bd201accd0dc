package gowasm

import (
	"go/constant"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/weft-ml/weft/simd/wasmasm"
)

func constInt(n int64) constant.Value { return constant.MakeInt64(n) }

// Operators by the type of their operands: i32 signed and unsigned, i64 signed and unsigned, f32, f64.
var operators = map[token.Token][6]wasmasm.Op{
	token.ADD: {wasmasm.I32Add, wasmasm.I32Add, wasmasm.I64Add, wasmasm.I64Add, wasmasm.F32Add, wasmasm.F64Add},
	token.SUB: {wasmasm.I32Sub, wasmasm.I32Sub, wasmasm.I64Sub, wasmasm.I64Sub, wasmasm.F32Sub, wasmasm.F64Sub},
	token.MUL: {wasmasm.I32Mul, wasmasm.I32Mul, wasmasm.I64Mul, wasmasm.I64Mul, wasmasm.F32Mul, wasmasm.F64Mul},
	token.QUO: {wasmasm.I32DivS, wasmasm.I32DivU, wasmasm.I64DivS, wasmasm.I64DivU, wasmasm.F32Div, wasmasm.F64Div},
	token.REM: {wasmasm.I32RemS, wasmasm.I32RemU, wasmasm.I64RemS, wasmasm.I64RemU},
	token.AND: {wasmasm.I32And, wasmasm.I32And, wasmasm.I64And, wasmasm.I64And},
	token.OR:  {wasmasm.I32Or, wasmasm.I32Or, wasmasm.I64Or, wasmasm.I64Or},
	token.XOR: {wasmasm.I32Xor, wasmasm.I32Xor, wasmasm.I64Xor, wasmasm.I64Xor},
	token.EQL: {wasmasm.I32Eq, wasmasm.I32Eq, wasmasm.I64Eq, wasmasm.I64Eq, wasmasm.F32Eq, wasmasm.F64Eq},
	token.NEQ: {wasmasm.I32Ne, wasmasm.I32Ne, wasmasm.I64Ne, wasmasm.I64Ne, wasmasm.F32Ne, wasmasm.F64Ne},
	token.LSS: {wasmasm.I32LtS, wasmasm.I32LtU, wasmasm.I64LtS, wasmasm.I64LtU, wasmasm.F32Lt, wasmasm.F64Lt},
	token.LEQ: {wasmasm.I32LeS, wasmasm.I32LeU, wasmasm.I64LeS, wasmasm.I64LeU, wasmasm.F32Le, wasmasm.F64Le},
	token.GTR: {wasmasm.I32GtS, wasmasm.I32GtU, wasmasm.I64GtS, wasmasm.I64GtU, wasmasm.F32Gt, wasmasm.F64Gt},
	token.GEQ: {wasmasm.I32GeS, wasmasm.I32GeU, wasmasm.I64GeS, wasmasm.I64GeU, wasmasm.F32Ge, wasmasm.F64Ge},
}

// column returns a type's column of operators.
func column(t types.Type) int {
	u := 1
	if isInteger(t) && signed(t) {
		u = 0
	}
	switch scalarPart(t).typ {
	case wasmasm.I64:
		return 2 + u
	case wasmasm.F32:
		return 4
	case wasmasm.F64:
		return 5
	}
	return u
}

func (g *function) binary(in *ssa.BinOp) {
	t := in.X.Type()
	if _, ok := t.Underlying().(*types.Slice); ok { // compared with nil
		v := in.X
		if k, ok := v.(*ssa.Const); ok && k.Value == nil {
			v = in.Y
		}
		g.pushPart(v, 0)
		g.f.Op(wasmasm.I32Eqz)
		if in.Op == token.NEQ {
			g.f.Op(wasmasm.I32Eqz)
		}
		return
	}
	switch in.Op {
	case token.SHL, token.SHR:
		g.shift(in)
		g.narrowResult(in)
		return
	case token.QUO:
		if isInteger(t) && signed(t) && !nonNegative(in.Y) {
			g.divide(in)
			g.narrowResult(in)
			return
		}
	case token.AND_NOT:
		g.push(in.X)
		g.push(in.Y)
		if scalarPart(t).typ == wasmasm.I64 {
			g.f.I64(-1).Op(wasmasm.I64Xor, wasmasm.I64And)
		} else {
			g.f.I32(-1).Op(wasmasm.I32Xor, wasmasm.I32And)
		}
		g.narrowResult(in)
		return
	}
	ops, ok := operators[in.Op]
	op := ops[column(t)]
	if !ok || op == 0 {
		fail("the operator %s on %s", in.Op, t)
	}
	g.push(in.X)
	g.push(in.Y)
	g.f.Op(op)
	g.narrowResult(in)
}

func (g *function) narrowResult(in *ssa.BinOp) {
	if isInteger(in.Type()) {
		g.narrow(in.Type())
	}
}

// nonNegative reports whether a divisor is a constant other than -1, whose quotients all fit.
func nonNegative(v ssa.Value) bool {
	k, ok := v.(*ssa.Const)
	return ok && intValue(k.Value) > 0
}

// divide emits a signed division: the smallest integer divided by -1 is itself, where WebAssembly traps. Division by 0 traps.
func (g *function) divide(in *ssa.BinOp) {
	p := scalarPart(in.X.Type())
	x, y := g.f.Local(p.typ, ""), g.f.Local(p.typ, "")
	g.push(in.X)
	g.f.Set(x)
	g.push(in.Y)
	g.f.Tee(y)
	if p.typ == wasmasm.I64 {
		g.f.I64(-1).Op(wasmasm.I64Eq).If(
			func() { g.f.I64(0).Get(x).Op(wasmasm.I64Sub) },
			func() { g.f.Get(x, y).Op(wasmasm.I64DivS) }, wasmasm.I64)
		return
	}
	g.f.I32(-1).Op(wasmasm.I32Eq).If(
		func() { g.f.I32(0).Get(x).Op(wasmasm.I32Sub) },
		func() { g.f.Get(x, y).Op(wasmasm.I32DivS) }, wasmasm.I32)
}

// shift emits a shift: by the width or more gives 0, or the sign.
func (g *function) shift(in *ssa.BinOp) {
	p := scalarPart(in.X.Type())
	wide := p.typ == wasmasm.I64
	sgn := signed(in.X.Type())
	var op wasmasm.Op
	switch {
	case in.Op == token.SHL && wide:
		op = wasmasm.I64Shl
	case in.Op == token.SHL:
		op = wasmasm.I32Shl
	case wide && sgn:
		op = wasmasm.I64ShrS
	case wide:
		op = wasmasm.I64ShrU
	case sgn:
		op = wasmasm.I32ShrS
	default:
		op = wasmasm.I32ShrU
	}
	width := int64(32)
	if wide {
		width = 64
	}
	signFill := in.Op == token.SHR && sgn
	if k := g.known(in.Y); k != nil {
		n := intValue(k)
		if n >= width || n < 0 {
			if !signFill {
				g.pushOperand(operand{typ: p.typ})
				return
			}
			n = width - 1
		}
		g.push(in.X)
		if wide {
			g.f.I64(n).Op(op)
		} else {
			g.f.I32(int32(n)).Op(op)
		}
		return
	}
	g.pushInt64(in.Y)
	n := g.temp(wasmasm.I64)
	if signFill {
		clamp := func() {
			g.f.Get(n).I64(width - 1).Get(n).I64(width - 1).Op(wasmasm.I64LtU).Select()
		}
		g.push(in.X)
		clamp()
		if !wide {
			g.f.Op(wasmasm.I32WrapI64)
		}
		g.f.Op(op)
		return
	}
	g.push(in.X)
	g.f.Get(n)
	if !wide {
		g.f.Op(wasmasm.I32WrapI64)
	}
	g.f.Op(op)
	g.pushOperand(operand{typ: p.typ})
	g.f.Get(n).I64(width).Op(wasmasm.I64LtU).Select()
}

// convert pushes a value of type from as one of type to.
func (g *function) convert(v ssa.Value, from, to types.Type) {
	if isPointer(from) && isPointer(to) {
		g.push(v)
		return
	}
	f, t := scalarPart(from), scalarPart(to)
	if isPointer(from) || isPointer(to) { // and uintptr
		g.push(v)
		switch {
		case f.typ == wasmasm.I32 && t.typ == wasmasm.I64:
			g.f.Op(wasmasm.I64ExtendI32U)
		case f.typ == wasmasm.I64 && t.typ == wasmasm.I32:
			g.f.Op(wasmasm.I32WrapI64)
		default:
			fail("the conversion of %s to %s", from, to)
		}
		return
	}
	numeric := func(t types.Type) bool { return isInteger(t) || isFloat(t) }
	if !numeric(from) || !numeric(to) {
		fail("the conversion of %s to %s", from, to)
	}
	g.push(v)
	switch {
	case isInteger(from) && isInteger(to):
		switch {
		case f.typ == t.typ:
		case t.typ == wasmasm.I32:
			g.f.Op(wasmasm.I32WrapI64)
		case signed(from):
			g.f.Op(wasmasm.I64ExtendI32S)
		default:
			g.f.Op(wasmasm.I64ExtendI32U)
		}
		if t.size < f.size || t.size == f.size && t.size < 4 {
			g.narrow(to)
		} else if t.size == 2 && signed(from) != signed(to) {
			g.narrow(to)
		}
	case isInteger(from):
		ops := map[[2]wasmasm.ValType][2]wasmasm.Op{
			{wasmasm.I32, wasmasm.F32}: {wasmasm.F32ConvertI32S, wasmasm.F32ConvertI32U},
			{wasmasm.I32, wasmasm.F64}: {wasmasm.F64ConvertI32S, wasmasm.F64ConvertI32U},
			{wasmasm.I64, wasmasm.F32}: {wasmasm.F32ConvertI64S, wasmasm.F32ConvertI64U},
			{wasmasm.I64, wasmasm.F64}: {wasmasm.F64ConvertI64S, wasmasm.F64ConvertI64U},
		}[[2]wasmasm.ValType{f.typ, t.typ}]
		if signed(from) {
			g.f.Op(ops[0])
		} else {
			g.f.Op(ops[1])
		}
	case isInteger(to):
		// As Go's compiler for WebAssembly does it: to 64 bits, saturating, and then to the width.
		unsigned := t.size == 8 && !signed(to)
		switch {
		case f.typ == wasmasm.F32 && unsigned:
			g.f.Op(wasmasm.I64TruncSatF32U)
		case f.typ == wasmasm.F32:
			g.f.Op(wasmasm.I64TruncSatF32S)
		case unsigned:
			g.f.Op(wasmasm.I64TruncSatF64U)
		default:
			g.f.Op(wasmasm.I64TruncSatF64S)
		}
		if t.typ == wasmasm.I32 {
			g.f.Op(wasmasm.I32WrapI64)
			g.narrow(to)
		}
	case f.typ == wasmasm.F32 && t.typ == wasmasm.F64:
		g.f.Op(wasmasm.F64PromoteF32)
	case f.typ == wasmasm.F64 && t.typ == wasmasm.F32:
		g.f.Op(wasmasm.F32DemoteF64)
	}
}
