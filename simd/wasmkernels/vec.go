package wasmkernels

import (
	"fmt"
	"slices"

	"github.com/weft-ml/weft/simd/internal/vecir"
	. "github.com/weft-ml/weft/simd/wasmasm"
)

// Offsets of simd's vecArgs. Its ints and pointers have 8 bytes, of which the lower 4 say all.
const (
	argN, argRuns, argStride = 0, 8, 16
	argIn, argOut, argP      = 24, 56, 80
	argResult                = 112
)

// addVec adds the vector kernels that are written in the vector language. Kernels of one meaning (a row's sum is
// an addition) share one function.
func (b *builder) addVec() {
	p := b.addParts()
	same := map[string]*Func{}
	for _, k := range vecir.Kernels() {
		key := meaning(k)
		if f := same[key]; f != nil {
			b.names, b.kernels = append(b.names, k.Name), append(b.kernels, f)
			continue
		}
		f, args := b.kernel(k.Name)
		same[key] = f
		l := &vec{Func: f, relaxed: b.variant.Relaxed, k: k, args: args, parts: p}
		l.function()
	}
	b.addRows(p, same)
}

// meaning returns a text that is the same for kernels that compute the same.
func meaning(k *vecir.Kernel) string {
	numbers := map[*vecir.Node]int{}
	name := func(n *vecir.Node) string {
		if !vecir.IsReg(n) {
			return fmt.Sprintf("%d/%x", n.Op, n.Imm)
		}
		return fmt.Sprint("v", numbers[n])
	}
	text := fmt.Sprint(k.Ins, k.Outs, k.Unroll, k.Merge, k.Identity, k.Columns, k.Lists, k.Down)
	for i, n := range k.Record().Nodes {
		numbers[n] = i
		text += fmt.Sprintf(" %d/%d", n.Op, n.Imm)
		args := make([]string, len(n.Args))
		for j, a := range n.Args {
			args[j] = name(a)
		}
		if n.Op == vecir.OpAdd || n.Op == vecir.OpMul {
			slices.Sort(args)
		}
		text += fmt.Sprint(args)
	}
	return text
}

// vec writes one kernel of the vector language.
type vec struct {
	*Func
	relaxed bool
	k       *vecir.Kernel
	args    Local
	parts   parts

	in, out []Local // addresses
	left    Local   // elements left of the run
	consts  map[uint32]Local
	params  map[uint32]Local
	accs    []Local
	temps   []Local // of one vector's body; V8 gives every use a register of its own
	used    int
	local   map[*vecir.Node]Local
}

// function writes the whole function.
func (l *vec) function() {
	for i := range l.k.Ins {
		l.in = append(l.in, l.load(argIn+8*i))
	}
	for i := range l.k.Outs {
		l.out = append(l.out, l.load(argOut+8*i))
	}
	l.left = l.load(argN)
	l.hold()
	length := len(l.k.Record().Nodes)
	if l.k.Columns {
		l.columns()
		return
	}
	if l.k.Down {
		l.down()
		return
	}
	if l.k.Reduces() && length > shortBody {
		l.longRun()
		return
	}
	if l.k.Reduces() {
		l.runs()
		return
	}
	// Short bodies, as those of the optimizers, are worth a loop of whole vectors only.
	unroll := l.k.Unroll
	if unroll <= 1 && length <= shortBody {
		unroll = 2
	}
	if unroll > 1 || l.k.Whole() {
		l.blocks(max(unroll, 1), nil)
	}
	if !l.k.Whole() { // those come in whole blocks
		l.rest(unroll > 1)
	}
}

// shortBody is the largest number of operations that are emitted twice over.
const shortBody = 20

// load returns a local with the word at an offset of the arguments.
func (l *vec) load(off int) Local {
	v := l.Local(I32, "")
	l.Get(l.args).Mem(I32Load, uint32(off)).Set(v)
	return v
}

// hold puts constants and scalar arguments into locals. V8 keeps those that find no register in the frame, which is cheaper than
// making them anew.
func (l *vec) hold() {
	l.consts, l.params = map[uint32]Local{}, map[uint32]Local{}
	for _, n := range l.k.Record().Nodes {
		for i, a := range n.Args {
			switch {
			case a.Op == vecir.OpParam:
				if _, have := l.params[a.Imm]; !have {
					v := l.Local(V128, "")
					l.Get(l.args).Mem(V128Load32Splat, uint32(argP+4*a.Imm)).Set(v)
					l.params[a.Imm] = v
				}
			case a.Op == vecir.OpConst && !l.implied(n, i):
				l.constant(a.Imm)
			}
		}
	}
}

// constant returns the local that holds a constant.
func (l *vec) constant(bits uint32) Local {
	v, have := l.consts[bits]
	if !have {
		v = l.Local(V128, "")
		if bits != 0 { // locals start at zero
			l.I32(int32(bits)).Op(I32x4Splat).Set(v)
		}
		l.consts[bits] = v
	}
	return v
}

const (
	absMask = 0x7fffffff
	signBit = 1 << 31
)

// implied reports whether argument i of n is a constant that its instruction says itself.
func (l *vec) implied(n *vecir.Node, i int) bool {
	a := n.Args[i]
	switch {
	case a.Op != vecir.OpConst:
		return false
	case n.Op == vecir.OpAnd:
		return i == 1 && a.Imm == absMask
	case n.Op == vecir.OpXor:
		return i == 1 && a.Imm == signBit
	case n.Op == vecir.OpBlend:
		return i > 0 && a.Imm == 0
	}
	return false
}

// access says how one vector's body reads its inputs and writes its outputs.
type access struct {
	load  func(i int)               // pushes input i
	store func(i int, value func()) // stores what value pushes
	// The same of bytes, as masks.
	loadBool  func(i int)
	storeBool func(i int, not bool, value func())
	acc       Local
	more      []Local // of columns: accumulators after the first
	mask      *Local  // lanes that exist, of a reduction's partial vector; nil for all
}

func (a *access) accumulator(n *vecir.Node) Local {
	if n.Imm == 0 {
		return a.acc
	}
	return a.more[n.Imm-1]
}

// body emits the operations of one vector. Values used once stay on the operand stack.
func (l *vec) body(a access) { l.bodyOf(l.k.Record(), a) }

func (l *vec) bodyOf(b *vecir.Body, a access) {
	uses, stores := map[*vecir.Node]int{}, map[*vecir.Node]int{}
	user := map[*vecir.Node]*vecir.Node{}
	count := 0
	for _, n := range b.Nodes {
		stores[n] = count
		if n.Op == vecir.OpStore || n.Op == vecir.OpStoreBool {
			count++
		}
		for _, arg := range n.Args {
			uses[arg]++
			user[arg] = n
		}
	}
	// evaluatedAt is how many stores have gone by when a value on the stack is computed.
	var evaluatedAt func(n *vecir.Node) int
	inline := func(n *vecir.Node) bool {
		if n.Op == vecir.OpStore || n.Op == vecir.OpStoreBool || n.Op == vecir.OpSetAcc || n.Op == vecir.OpSetParam || n.Op == vecir.OpStat || uses[n] != 1 {
			return false
		}
		return n.Op != vecir.OpLoad && n.Op != vecir.OpLoadBool || evaluatedAt(user[n]) == stores[n]
	}
	evaluatedAt = func(n *vecir.Node) int {
		for uses[n] == 1 && n.Op != vecir.OpStore && n.Op != vecir.OpStoreBool && n.Op != vecir.OpSetAcc {
			n = user[n]
		}
		return stores[n]
	}
	l.used, l.local = 0, map[*vecir.Node]Local{}
	var value func(n *vecir.Node)
	value = func(n *vecir.Node) {
		switch v, have := l.local[n]; {
		case have:
			l.Get(v)
		case n.Op == vecir.OpConst:
			l.Get(l.constant(n.Imm))
		case n.Op == vecir.OpParam:
			l.Get(l.params[n.Imm])
		case n.Op == vecir.OpLoad:
			a.load(int(n.Imm))
		case n.Op == vecir.OpLoadBool:
			a.loadBool(int(n.Imm))
		case n.Op == vecir.OpAcc:
			l.Get(a.accumulator(n))
		default:
			l.operation(n, value)
		}
	}
	for _, n := range b.Nodes {
		switch {
		case n.Op == vecir.OpStore:
			a.store(int(n.Imm), func() { value(n.Args[0]) })
		case n.Op == vecir.OpStoreBool:
			a.storeBool(int(n.Imm&^vecir.BoolNot), n.Imm&vecir.BoolNot != 0, func() { value(n.Args[0]) })
		case n.Op == vecir.OpSetParam:
			l.Get(l.args)
			value(n.Args[0])
			l.MemLane(V128Store32Lane, argP+4*n.Imm, 0)
		case n.Op == vecir.OpStat:
			at := rowStat + 8*n.Imm
			l.Get(l.args).Mem(I32Load, at)
			value(n.Args[0])
			l.MemLane(V128Store32Lane, 0, 0)
			l.Get(l.args).Get(l.args).Mem(I32Load, at).I32(4).Op(I32Add).Mem(I32Store, at)
		case n.Op == vecir.OpSetAcc:
			value(n.Args[0])
			if a.mask != nil {
				l.Get(a.acc, *a.mask)
				l.choose()
			}
			l.Set(a.accumulator(n))
		case n.Op != vecir.OpAcc && !inline(n):
			v := l.temp()
			value(n)
			l.Set(v)
			l.local[n] = v
		}
	}
}

func (l *vec) temp() Local {
	if l.used == len(l.temps) {
		l.temps = append(l.temps, l.Local(V128, ""))
	}
	l.used++
	return l.temps[l.used-1]
}

// choose pops x, y and a mask of ones and zeros and pushes mask ? x : y.
func (l *vec) choose() {
	if l.relaxed {
		l.Op(I32x4RelaxedLaneselect) // one instruction on x86; such masks leave it no choice
	} else {
		l.Op(V128Bitselect)
	}
}

var vecOps = map[vecir.Op]Op{
	vecir.OpAdd: F32x4Add, vecir.OpSub: F32x4Sub, vecir.OpMul: F32x4Mul, vecir.OpDiv: F32x4Div, vecir.OpSqrt: F32x4Sqrt,
	vecir.OpMax: F32x4Pmax, vecir.OpMin: F32x4Pmin, // pmax is a < b ? b : a
	vecir.OpAnd: V128And, vecir.OpOr: V128Or, vecir.OpXor: V128Xor, vecir.OpAndNot: V128Andnot, vecir.OpIAdd: I32x4Add, vecir.OpISub: I32x4Sub, vecir.OpIMul: I32x4Mul,
	vecir.OpIToF: F32x4ConvertI32x4S, vecir.OpFloor: F32x4Floor, vecir.OpCeil: F32x4Ceil, vecir.OpRound: F32x4Nearest,
	vecir.OpLT: F32x4Lt, vecir.OpLE: F32x4Le, vecir.OpEQ: F32x4Eq,
}

// operation emits one operation; value emits its arguments.
func (l *vec) operation(n *vecir.Node, value func(*vecir.Node)) {
	switch a := n.Args; n.Op {
	case vecir.OpMadd:
		if l.relaxed {
			value(a[0])
			value(a[1])
			value(a[2])
			l.Op(F32x4RelaxedMadd)
			return
		}
		value(a[0])
		value(a[1])
		l.Op(F32x4Mul)
		value(a[2])
		l.Op(F32x4Add)
	case vecir.OpMulHi:
		x, y, t := l.temp(), l.temp(), l.temp()
		value(a[0])
		l.Set(x)
		value(a[1])
		l.Set(y)
		l.Get(x, y).Op(I64x2ExtmulLowI32x4U).Set(t)
		l.Get(t).Get(x, y).Op(I64x2ExtmulHighI32x4U).Shuffle(words([4]int{1, 3, 5, 7}))
	case vecir.OpShl, vecir.OpShr:
		value(a[0])
		l.I32(int32(n.Imm)).Op(map[vecir.Op]Op{vecir.OpShl: I32x4Shl, vecir.OpShr: I32x4ShrS}[n.Op])
	case vecir.OpBlend:
		switch {
		case l.implied(n, 2):
			value(a[1])
			value(a[0])
			l.Op(V128And)
		case l.implied(n, 1):
			value(a[2])
			value(a[0])
			l.Op(V128Andnot)
		default:
			value(a[1])
			value(a[2])
			value(a[0])
			l.choose()
		}
	default:
		value(a[0])
		switch {
		case n.Op == vecir.OpAnd && l.implied(n, 1):
			l.Op(F32x4Abs)
			return
		case n.Op == vecir.OpXor && l.implied(n, 1):
			l.Op(F32x4Neg)
			return
		case len(a) == 2:
			value(a[1])
		}
		l.Op(vecOps[n.Op])
	}
}

// whole is the access to vector u of a block.
func (l *vec) whole(u int) access {
	return access{
		load:  func(i int) { l.Get(l.in[i]).Mem(V128Load, uint32(16*u)) },
		store: func(i int, value func()) { l.Get(l.out[i&0xff]); value(); l.Mem(V128Store, uint32(16*u+i>>8)) },
		loadBool: func(i int) {
			l.Get(l.in[i]).Mem(V128Load32Zero, uint32(4*u)).Op(I16x8ExtendLowI8x16U, I32x4ExtendLowI16x8U)
			l.Get(l.constant(0)).Op(I32x4Ne)
		},
		storeBool: func(i int, not bool, value func()) {
			t := l.temp()
			l.Get(l.out[i])
			value()
			l.Tee(t).Get(t).Op(I16x8NarrowI32x4S).Tee(t).Get(t).Op(I8x16NarrowI16x8S)
			if not {
				l.Op(V128Not)
			}
			l.I32(7).Op(I8x16ShrU).MemLane(V128Store32Lane, uint32(4*u), 0)
		},
	}
}

// advance moves all addresses by n vectors.
func (l *vec) advance(n int) {
	ins, outs := l.k.Bools()
	move := func(p Local, bytes bool) {
		size := int32(16 * n)
		if bytes {
			size /= 4
		}
		l.Get(p).I32(size).Op(I32Add).Set(p)
	}
	for i, p := range l.in {
		move(p, ins[i])
	}
	for i, p := range l.out {
		move(p, outs[i])
	}
}

// blocks emits a loop over turns of n whole vectors, with an accumulator for each.
func (l *vec) blocks(n int, accs []Local) {
	step := func() *Func { return l.Get(l.left).I32(int32(4 * n)).Op(I32Sub).Tee(l.left).I32(0).Op(I32GeS) }
	step().If(func() {
		l.Loop(func(again Label) {
			for u := range n {
				a := l.whole(u)
				if accs != nil {
					a.acc = accs[u]
				}
				l.body(a)
			}
			l.advance(n)
			step().BrIf(again)
		})
	}, nil)
	l.Get(l.left).I32(int32(4 * n)).Op(I32Add).Set(l.left)
}

// rest emits a loop over single vectors, the last of which may be partial. Where whole blocks have gone before, functions
// access the partial vector; a call in the only loop would cost it its registers.
func (l *vec) rest(call bool) {
	load, store := loadPart, storePart
	if call {
		load, store = l.parts.callLoad, l.parts.callStore
	}
	nothing := func() {}
	l.eachVector(load, store, access{}, nothing, nothing, nothing)
}

// eachVector emits a loop over single vectors, the last of which may be partial. One body serves both, as a branch that is foreseen
// costs less than the second body's bytes. before comes before the body, partial or whole after it.
func (l *vec) eachVector(load func(f *Func, p, n Local), store func(f *Func, p, v, n Local), a access, before, partial, whole func()) {
	ins, outs := make([]Local, l.k.Ins), make([]Local, l.k.Outs)
	for i := range ins {
		ins[i] = l.Local(V128, "")
	}
	for i := range outs {
		outs[i] = l.Local(V128, "")
	}
	a.load = func(i int) { l.Get(ins[i]) }
	a.store = func(i int, value func()) { value(); l.Set(outs[i]) }
	l.Get(l.left).If(func() {
		l.Loop(func(again Label) {
			l.Get(l.left).I32(4).Op(I32LtU).If(func() {
				for i, v := range ins {
					load(l.Func, l.in[i], l.left)
					l.Set(v)
				}
			}, func() {
				for i, v := range ins {
					l.Get(l.in[i]).Mem(V128Load, 0).Set(v)
				}
			})
			before()
			l.body(a)
			l.Get(l.left).I32(4).Op(I32LtU).If(func() {
				for i, v := range outs {
					store(l.Func, l.out[i], v, l.left)
				}
				partial()
			}, func() {
				for i, v := range outs {
					l.Get(l.out[i], v).Mem(V128Store, 0)
				}
				whole()
				l.advance(1)
				l.Get(l.left).I32(4).Op(I32Sub).Tee(l.left).BrIf(again)
			})
		})
	}, nil)
}
