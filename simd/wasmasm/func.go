package wasmasm

import "fmt"

// Func is a function of a module: one to emit instructions to (see [Module.Func]) or an imported one to call.
// Methods that emit return the Func, so that instructions chain.
type Func struct {
	m      *Module
	name   string
	index  uint32
	typ    FuncType
	locals []ValType // parameters first
	names  []string  // of locals; "" where there is none

	body  []byte // nil for imports
	stack []ValType
	ctrls []ctrl

	count, blocks int
	at            string // the instruction being emitted, for errors
	err           error
}

// Local is a parameter or local variable of one function.
type Local struct {
	f *Func
	i uint32
	t ValType
}

// Type returns the function's type.
func (f *Func) Type() FuncType { return f.typ }

// Err returns the first error of the function.
func (f *Func) Err() error { return f.err }

// Param returns the i'th parameter and names it for the name section (no name: none is written).
func (f *Func) Param(i int, name ...string) Local {
	if i < 0 || i >= len(f.typ.Params) {
		f.at = "param"
		f.fail("parameter %d of %s", i, f.typ)
		return Local{f, 0, unknown}
	}
	if len(name) > 0 {
		f.names[i] = name[0]
	}
	return Local{f, uint32(i), f.typ.Params[i]}
}

// Local declares a local variable, which starts at zero.
func (f *Func) Local(t ValType, name string) Local {
	if !t.numeric() {
		f.at = "local"
		f.fail("a local of type %s is not supported", t)
	}
	f.locals = append(f.locals, t)
	f.names = append(f.names, name)
	return Local{f, uint32(len(f.locals) - 1), t}
}

// Op emits instructions without immediates, in order.
func (f *Func) Op(ops ...Op) *Func {
	for _, op := range ops {
		info, ok := opTable[op]
		if !f.begin(op.String()) {
			break
		}
		switch {
		case !ok:
			f.fail("not in the table of instructions")
		case info.imm&immMem != 0:
			f.fail("takes a memory argument: use Mem or MemLane")
		case info.imm&immLane != 0:
			f.fail("takes a lane: use Lane")
		default:
			f.body = appendOp(f.body, op)
			f.apply(info.operands, info.results)
		}
	}
	return f
}

// Lane emits an instruction that takes the index of a lane.
func (f *Func) Lane(op Op, lane int) *Func {
	info := opTable[op]
	if !f.begin(op.String()) {
		return f
	}
	if info.imm != immLane {
		f.fail("does not take just a lane")
		return f
	}
	if lane < 0 || lane >= int(info.lanes) {
		f.fail("lane %d of %d", lane, info.lanes)
		return f
	}
	f.body = append(appendOp(f.body, op), byte(lane))
	f.apply(info.operands, info.results)
	return f
}

// Shuffle emits i8x16.shuffle: byte i of the result is byte lanes[i] of the two operands side by side.
func (f *Func) Shuffle(lanes [16]byte) *Func {
	if !f.begin("i8x16.shuffle") {
		return f
	}
	for _, l := range lanes {
		if l >= 32 {
			f.fail("lane %d of 32", l)
			return f
		}
	}
	f.body = append(appendOp(f.body, opShuffle), lanes[:]...)
	f.apply("vv", "v")
	return f
}

// constant emits a constant's code.
func (f *Func) constant(c Const) *Func {
	if f.begin(c.t.String() + ".const") {
		f.body = append(f.body, c.code...)
		f.push(c.t)
	}
	return f
}

// I32 emits an i32 constant.
func (f *Func) I32(v int32) *Func { return f.constant(ConstI32(v)) }

// I64 emits an i64 constant.
func (f *Func) I64(v int64) *Func { return f.constant(ConstI64(v)) }

// F32 emits an f32 constant.
func (f *Func) F32(v float32) *Func { return f.constant(ConstF32(v)) }

// F64 emits an f64 constant.
func (f *Func) F64(v float64) *Func { return f.constant(ConstF64(v)) }

// V128 emits a v128 constant, given in memory order.
func (f *Func) V128(v [16]byte) *Func { return f.constant(ConstV128(v)) }

// local emits local.get, local.set or local.tee.
func (f *Func) local(op byte, name string, l Local) bool {
	if !f.begin(name) {
		return false
	}
	if l.f != f {
		f.fail("the local belongs to another function")
		return false
	}
	f.at = fmt.Sprintf("%s %d %s", name, l.i, f.names[l.i])
	f.body = appendU32(append(f.body, op), l.i)
	return true
}

// Get pushes locals, in order.
func (f *Func) Get(ls ...Local) *Func {
	for _, l := range ls {
		if f.local(opLocalGet, "local.get", l) {
			f.push(l.t)
		}
	}
	return f
}

// Set pops a local's new value.
func (f *Func) Set(l Local) *Func {
	if f.local(opLocalSet, "local.set", l) {
		f.pop(l.t)
	}
	return f
}

// Tee gives a local the value on top of the stack and leaves it there.
func (f *Func) Tee(l Local) *Func {
	if f.local(opLocalTee, "local.tee", l) {
		f.pop(l.t)
		f.push(l.t)
	}
	return f
}

// GetGlobal pushes a global.
func (f *Func) GetGlobal(g Global) *Func {
	if f.begin("global.get") {
		if g.m != f.m {
			f.fail("the global belongs to another module")
			return f
		}
		f.body = appendU32(append(f.body, opGlobalGet), g.i)
		f.push(g.t)
	}
	return f
}

// SetGlobal pops a mutable global's new value.
func (f *Func) SetGlobal(g Global) *Func {
	if f.begin("global.set") {
		if g.m != f.m || !g.mutable {
			f.fail("the global is immutable or belongs to another module")
			return f
		}
		f.body = appendU32(append(f.body, opGlobalSet), g.i)
		f.pop(g.t)
	}
	return f
}

// Drop pops a value.
func (f *Func) Drop() *Func {
	if f.begin("drop") {
		f.body = append(f.body, opDrop)
		f.pop(unknown)
	}
	return f
}

// Select pops a condition and two values of one type, and pushes the first if the condition is not zero.
func (f *Func) Select() *Func {
	if f.begin("select") {
		f.body = append(f.body, opSelect)
		f.pop(I32)
		t := f.pop(unknown)
		f.push(f.pop(t))
	}
	return f
}
