package gowasm

import (
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/weft-ml/weft/simd/wasmasm"
)

// call emits a call and keeps its results.
func (g *function) call(in *ssa.Call) {
	c := &in.Call
	if c.IsInvoke() {
		fail("a call through the interface %s", c.Value.Type())
	}
	if b, ok := c.Value.(*ssa.Builtin); ok {
		g.builtin(in, b, c.Args)
		if in.Type() != nil && countParts(in.Type()) > 0 && g.vals[in] == nil {
			g.set(in, parts(in.Type()))
		}
		return
	}
	ref := g.funcOf(c.Value)
	if ref.others != nil {
		g.callOneOf(in, ref)
		return
	}
	if ref.fn == nil {
		fail("a call of a nil function")
	}
	if g.special(in, ref.fn) {
		g.keep(in, parts(in.Type()))
		return
	}
	args := g.arguments(in)
	if g.expand(in, ref, args) {
		return
	}
	callee := g.invoke(in, ref, args)
	g.keep(in, callee.results)
	if callee.mayFail {
		g.f.GetGlobal(g.c.Failed).If(func() { g.root.abort() }, nil)
	}
}

// arguments returns what is known of a call's arguments.
func (g *function) arguments(in *ssa.Call) []argument {
	args := make([]argument, len(in.Call.Args))
	for i, a := range in.Call.Args {
		switch {
		case g.c.opt.Specialise[typeName(a.Type())]:
			args[i].konst = g.known(a)
		default:
			if _, ok := a.Type().Underlying().(*types.Signature); ok {
				args[i].fn = g.funcOf(a)
			}
		}
	}
	return args
}

// invoke pushes the arguments and calls a compiled function.
func (g *function) invoke(in *ssa.Call, ref *funcRef, args []argument) *compiled {
	c := &in.Call
	callee := g.c.function(ref, args)
	for i, a := range c.Args {
		if args[i].konst == nil {
			g.push(a)
		}
	}
	if len(ref.parts()) > 0 {
		g.push(c.Value)
	}
	g.f.Call(callee.f)
	return callee
}

// callOneOf calls a function that is one of several.
func (g *function) callOneOf(in *ssa.Call, ref *funcRef) {
	g.push(in.Call.Value)
	which := g.temp(wasmasm.I32)
	all := append([]*ssa.Function{ref.fn}, ref.others...)
	results := parts(in.Type())
	mayFail := false
	var from func(i int)
	from = func(i int) {
		one := func() {
			if !g.special(in, all[i]) {
				mayFail = g.invoke(in, &funcRef{fn: all[i]}, g.arguments(in)).mayFail || mayFail
			}
		}
		if i == len(all)-1 {
			one()
			return
		}
		g.f.Get(which).I32(int32(i)).Op(wasmasm.I32Eq).If(one, func() { from(i + 1) }, valTypes(results)...)
	}
	from(0)
	g.keep(in, results)
	if mayFail {
		g.f.GetGlobal(g.c.Failed).If(func() { g.root.abort() }, nil)
	}
}

func typeName(t types.Type) string {
	n, ok := t.(*types.Named)
	if !ok {
		return ""
	}
	return qualified(n.Obj().Pkg(), n.Obj().Name())
}

// keep stores a call's results, or drops them.
func (g *function) keep(in *ssa.Call, results []part) {
	if len(results) == 0 {
		return
	}
	if len(g.uses(in)) == 0 {
		for range results {
			g.f.Drop()
		}
		return
	}
	g.set(in, results)
}

// special emits calls of functions that are not compiled from their body.
func (g *function) special(in *ssa.Call, fn *ssa.Function) bool {
	name := funcName(fn)
	emit := intrinsics[name]
	if f, ok := g.c.opt.Intrinsics[name]; ok {
		emit = f
	}
	if emit != nil {
		for _, a := range in.Call.Args {
			g.push(a)
		}
		emit(g.f)
		return true
	}
	o, _ := fn.Object().(*types.Func)
	imported, ok := g.c.prog.imports[o]
	if !ok || fn.Blocks != nil {
		return false
	}
	callee := g.c.opt.Imports[imported]
	if callee == nil {
		fail("%s imports %s, which the module does not have", name, imported)
	}
	for _, a := range in.Call.Args {
		g.push(a)
	}
	g.f.Call(callee)
	return true
}

// builtin emits a call of a builtin function, leaving its result on the stack unless it is a value that exists already.
func (g *function) builtin(in *ssa.Call, b *ssa.Builtin, args []ssa.Value) {
	f := g.f
	switch b.Name() {
	case "len", "cap":
		part := 1
		if b.Name() == "cap" {
			part = 2
		}
		switch t := args[0].Type().Underlying().(type) {
		case *types.Slice:
			g.vals[in] = g.operands(args[0])[part : part+1]
			return
		case *types.Array:
			f.I64(t.Len())
			return
		case *types.Pointer:
			f.I64(t.Elem().Underlying().(*types.Array).Len())
			return
		}
		fail("%s of %s", b.Name(), args[0].Type())
	case "min", "max":
		g.extreme(in, b.Name() == "min", args)
	case "copy":
		g.copy(in, args)
	case "clear":
		ops, t := g.operands(args[0]), args[0].Type().Underlying().(*types.Slice)
		g.pushOperand(ops[0])
		f.I32(0)
		g.pushOperand(ops[1])
		f.Op(wasmasm.I32WrapI64)
		g.scale(Sizes.Sizeof(t.Elem()))
		f.MemoryFill()
	case "Add": // unsafe
		g.push(args[0])
		g.push(args[1])
		if scalarPart(args[1].Type()).typ == wasmasm.I64 {
			f.Op(wasmasm.I32WrapI64)
		}
		f.Op(wasmasm.I32Add)
	case "Slice":
		n := g.intLocal(args[1])
		g.push(args[0])
		base := operand{local: g.temp(wasmasm.I32), isLoc: true, typ: wasmasm.I32}
		g.vals[in] = []operand{base, n, n}
	case "SliceData":
		g.vals[in] = g.operands(args[0])[:1]
	case "Sizeof":
		f.I64(Sizes.Sizeof(args[0].Type()))
	case "ssa:wrapnilchk":
		g.push(args[0])
	default:
		fail("the builtin %s", b.Name())
	}
}

// extreme emits min or max.
func (g *function) extreme(in *ssa.Call, least bool, args []ssa.Value) {
	t := scalarPart(in.Type()).typ
	g.push(args[0])
	for _, a := range args[1:] {
		if t == wasmasm.F32 || t == wasmasm.F64 {
			g.push(a)
			op := map[bool]map[wasmasm.ValType]wasmasm.Op{
				true:  {wasmasm.F32: wasmasm.F32Min, wasmasm.F64: wasmasm.F64Min},
				false: {wasmasm.F32: wasmasm.F32Max, wasmasm.F64: wasmasm.F64Max},
			}[least][t]
			g.f.Op(op)
			continue
		}
		x, y := g.temp(t), g.f.Local(t, "")
		g.push(a)
		g.f.Set(y)
		op := extremes[column(in.Type())]
		if least {
			g.f.Get(x, y, x, y).Op(op).Select()
		} else {
			g.f.Get(y, x, x, y).Op(op).Select()
		}
	}
}

// extremes is the comparison "less" by column of operators.
var extremes = [4]wasmasm.Op{wasmasm.I32LtS, wasmasm.I32LtU, wasmasm.I64LtS, wasmasm.I64LtU}

// copy emits copy; its result is the number of elements.
func (g *function) copy(in *ssa.Call, args []ssa.Value) {
	dst, src := g.operands(args[0]), g.operands(args[1])
	size := Sizes.Sizeof(args[0].Type().Underlying().(*types.Slice).Elem())
	g.pushOperand(dst[1])
	g.pushOperand(src[1])
	g.pushOperand(dst[1])
	g.pushOperand(src[1])
	g.f.Op(wasmasm.I64LtU).Select()
	n := g.temp(wasmasm.I64)
	g.pushOperand(dst[0])
	g.pushOperand(src[0])
	g.f.Get(n).Op(wasmasm.I32WrapI64)
	g.scale(size)
	g.f.MemoryCopy()
	g.vals[in] = []operand{{local: n, isLoc: true, typ: wasmasm.I64}}
}

// intrinsics are functions of the standard library that are instructions, as they are for Go's compiler.
var intrinsics = map[string]func(f *wasmasm.Func){
	"math.Float32bits":     op(wasmasm.I32ReinterpretF32),
	"math.Float32frombits": op(wasmasm.F32ReinterpretI32),
	"math.Float64bits":     op(wasmasm.I64ReinterpretF64),
	"math.Float64frombits": op(wasmasm.F64ReinterpretI64),
	"math.Sqrt":            op(wasmasm.F64Sqrt),
	"math.sqrt":            op(wasmasm.F64Sqrt),
	"math.Abs":             op(wasmasm.F64Abs),
	"math.Floor":           op(wasmasm.F64Floor),
	"math.Ceil":            op(wasmasm.F64Ceil),
	"math.Trunc":           op(wasmasm.F64Trunc),
	"math.RoundToEven":     op(wasmasm.F64Nearest),
	"math.Copysign":        op(wasmasm.F64Copysign),

	"math/bits.LeadingZeros64":  op(wasmasm.I64Clz),
	"math/bits.TrailingZeros64": op(wasmasm.I64Ctz),
	"math/bits.OnesCount64":     op(wasmasm.I64Popcnt),
	"math/bits.LeadingZeros32":  op(wasmasm.I32Clz, wasmasm.I64ExtendI32U),
	"math/bits.TrailingZeros32": op(wasmasm.I32Ctz, wasmasm.I64ExtendI32U),
	"math/bits.RotateLeft64":    op(wasmasm.I64Rotl),
	"math/bits.RotateLeft32":    func(f *wasmasm.Func) { f.Op(wasmasm.I32WrapI64, wasmasm.I32Rotl) },
	"math/bits.Len64": func(f *wasmasm.Func) {
		n := f.Local(wasmasm.I64, "")
		f.Op(wasmasm.I64Clz).Set(n).I64(64).Get(n).Op(wasmasm.I64Sub)
	},
}

func op(ops ...wasmasm.Op) func(f *wasmasm.Func) { return func(f *wasmasm.Func) { f.Op(ops...) } }
