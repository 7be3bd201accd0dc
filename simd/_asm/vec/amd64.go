package main

import (
	"math"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "github.com/weft-ml/weft/simd/internal/vecir"
)

// Registers with a fixed use.
var (
	rArgs, rIdx, rLen, rTmp, rRuns, rTmp2 = reg.RDI, reg.RAX, reg.RCX, reg.RDX, reg.RSI, reg.RBX
	rIn                                   = []reg.GPPhysical{reg.R8, reg.R9, reg.R10, reg.R11}
	rOut                                  = []reg.GPPhysical{reg.R12, reg.R13, reg.RBX} // a third output never meets a reduction
)

// Offsets of simd's vecArgs.
const (
	argN, argRuns, argStride = 0, 8, 16
	argIn, argOut, argP      = 24, 56, 80
	argResult                = 112
)

// An isa is an amd64 target: 256 or 512 bits, fused or not.
type isa struct{ wide, fused bool }

func (s isa) lanes() int {
	if s.wide {
		return 16
	}
	return 8
}

func (s isa) vectorRegs() int {
	if s.wide {
		return 32
	}
	return 16
}

// lower writes one kernel for one isa.
type lower struct {
	*build.Context
	isa
	k      *Kernel
	free   []int
	kfree  []int
	reg    map[*Node]int
	more   []int          // of columns: accumulators after the first
	held   map[uint32]int // constants kept in registers
	heldP  map[uint32]int // scalar arguments kept in registers
	accs   []int
	prefix string // of the labels of the pass at hand
	consts *pool
}

// pool is the table of constants of one assembly file, each once per lane.
type pool struct {
	at    map[uint32]int
	order []uint32
}

func (l *lower) vec(r int) reg.VecPhysical {
	if l.wide {
		return zmm[r]
	}
	return ymm[r]
}

var ymm = []reg.VecPhysical{reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7, reg.Y8, reg.Y9, reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15}

var zmm = []reg.VecPhysical{reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7, reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
	reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23, reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31}

var kregs = []reg.OpmaskPhysical{reg.K0, reg.K1, reg.K2, reg.K3, reg.K4, reg.K5, reg.K6, reg.K7}

func (l *lower) alloc() int {
	if len(l.free) == 0 {
		panic("out of vector registers in " + l.k.Name)
	}
	r := l.free[len(l.free)-1]
	l.free = l.free[:len(l.free)-1]
	return r
}

func (l *lower) allocK() int {
	r := l.kfree[len(l.kfree)-1]
	l.kfree = l.kfree[:len(l.kfree)-1]
	return r
}

// constMem is the address of a constant in the table.
func (l *lower) constMem(v uint32) operand.Mem {
	i, ok := l.consts.at[v]
	if !ok {
		i = len(l.consts.order)
		l.consts.at[v] = i
		l.consts.order = append(l.consts.order, v)
	}
	return operand.NewDataAddr(operand.NewStaticSymbol("vecConst"), i*l.lanes()*4)
}

func (l *lower) argMem(off int) operand.Mem { return operand.Mem{Base: rArgs, Disp: off} }

// fetch puts a node's value into a register; temp says that it was loaded for this use only.
func (l *lower) fetch(n *Node) (r int, temp bool) {
	switch n.Op {
	case OpConst:
		if r, ok := l.held[n.Imm]; ok {
			return r, false
		}
		r := l.alloc()
		l.load(n, r)
		return r, true
	case OpParam:
		if r, ok := l.heldP[n.Imm]; ok {
			return r, false
		}
		r := l.alloc()
		l.load(n, r)
		return r, true
	}
	return l.reg[n], false
}

// load fills register r with a constant or scalar argument.
func (l *lower) load(n *Node, r int) {
	switch {
	case n.Op == OpParam:
		l.VBROADCASTSS(l.argMem(argP+4*int(n.Imm)), l.vec(r))
	case n.Imm == 0:
		if l.wide {
			l.VPXORD(l.vec(r), l.vec(r), l.vec(r))
		} else {
			l.VXORPS(l.vec(r), l.vec(r), l.vec(r))
		}
	default:
		l.VMOVUPS(l.constMem(n.Imm), l.vec(r))
	}
}

// source is a node as an operand that may lie in memory.
func (l *lower) source(n *Node, temps *[]int) operand.Op {
	if n.Op == OpConst {
		if _, ok := l.held[n.Imm]; !ok && n.Imm != 0 {
			return l.constMem(n.Imm)
		}
	}
	return l.register(n, temps)
}

func (l *lower) register(n *Node, temps *[]int) reg.VecPhysical {
	r, temp := l.fetch(n)
	if temp {
		*temps = append(*temps, r)
	}
	return l.vec(r)
}

// release frees the registers of arguments used for the last time at position i.
func (l *lower) release(i int, temps []int, args ...*Node) {
	l.free = append(l.free, temps...)
	done := map[*Node]bool{}
	for _, a := range args {
		if done[a] || !IsReg(a) || a.Last != i {
			continue
		}
		done[a] = true
		if a.Mask && l.wide {
			l.kfree = append(l.kfree, l.reg[a])
		} else {
			l.free = append(l.free, l.reg[a])
		}
	}
}

// binary emits an instruction of the form OP src2, src1, dst with src1 = x, src2 = y.
func (l *lower) binary(i int, n *Node, f func(...operand.Op), x, y *Node, commutes bool) {
	if commutes && x.Op == OpConst && y.Op != OpConst {
		x, y = y, x
	}
	var temps []int
	b := l.source(y, &temps)
	a := l.register(x, &temps)
	l.release(i, temps, n.Args...)
	l.reg[n] = l.alloc()
	f(b, a, l.vec(l.reg[n]))
}

func (l *lower) unary(i int, n *Node, f func(src, dst operand.Op)) {
	var temps []int
	a := l.register(n.Args[0], &temps)
	l.release(i, temps, n.Args...)
	l.reg[n] = l.alloc()
	f(a, l.vec(l.reg[n]))
}

// vector emits the body for the vector at the given byte offset from the index. mask is a register (mask register when wide) of a partial
// vector, -1 for a whole one; acc the accumulator.
func (l *lower) vector(disp, mask, acc int) { l.body(l.k.Record(), disp, mask, acc) }

func (l *lower) body(b *Body, disp, mask, acc int) {
	l.reg = map[*Node]int{}
	bit := func(narrow, wide func(...operand.Op)) func(...operand.Op) {
		if l.wide {
			return wide
		}
		return narrow
	}
	for i, n := range b.Nodes {
		switch n.Op {
		case OpLoad:
			m := operand.Mem{Base: rIn[n.Imm], Index: rIdx, Scale: 1, Disp: disp}
			l.reg[n] = l.alloc()
			switch {
			case mask < 0:
				l.VMOVUPS(m, l.vec(l.reg[n]))
			case l.wide:
				l.VMOVUPS_Z(m, kregs[mask], l.vec(l.reg[n]))
			default:
				l.VMASKMOVPS(m, l.vec(mask), l.vec(l.reg[n]))
			}
		case OpStore:
			m := operand.Mem{Base: rOut[n.Imm&0xff], Index: rIdx, Scale: 1, Disp: disp + int(n.Imm>>8)}
			var temps []int
			v := l.register(n.Args[0], &temps)
			switch {
			case mask < 0:
				l.VMOVUPS(v, m)
			case l.wide:
				l.VMOVUPS(v, kregs[mask], m)
			default:
				l.VMASKMOVPS(v, l.vec(mask), m)
			}
			l.release(i, temps, n.Args...)
		case OpAcc:
			n.Last = math.MaxInt // the accumulator's register is never freed
			l.reg[n] = l.accumulator(n, acc)
		case OpSetAcc:
			v, acc := l.vec(l.reg[n.Args[0]]), l.accumulator(n, acc)
			switch {
			case mask < 0:
				l.VMOVAPS(v, l.vec(acc))
			case l.wide:
				l.VMOVAPS(v, kregs[mask], l.vec(acc))
			default:
				l.VBLENDVPS(l.vec(mask), v, l.vec(acc), l.vec(acc))
			}
			l.release(i, nil, n.Args...)
		case OpLoadBool:
			m := l.byteMem(rIn[n.Imm], disp)
			if l.wide {
				t := l.alloc()
				l.VPMOVZXBD(m, l.vec(t))
				l.reg[n] = l.allocK()
				l.VPTESTMD(l.vec(t), l.vec(t), kregs[l.reg[n]])
				l.free = append(l.free, t)
				continue
			}
			t, zero := l.alloc(), l.alloc()
			l.VPMOVZXBD(m, l.vec(t))
			l.VPXOR(l.vec(zero), l.vec(zero), l.vec(zero))
			l.VPCMPGTD(l.vec(zero), l.vec(t), l.vec(t))
			l.reg[n] = t
			l.free = append(l.free, zero)
		case OpStoreBool:
			l.storeBool(n, disp)
			l.release(i, nil, n.Args...)
		case OpSetParam:
			var temps []int
			l.VMOVSS(l.register(n.Args[0], &temps).(reg.Vec).AsX(), l.argMem(argP+4*int(n.Imm)))
			l.release(i, temps, n.Args...)
		case OpStat:
			var temps []int
			v := l.register(n.Args[0], &temps).(reg.Vec).AsX()
			l.MOVQ(l.argMem(rowStat+8*int(n.Imm)), rTmp)
			l.VMOVSS(v, operand.Mem{Base: rTmp})
			l.ADDQ(operand.I32(4), l.argMem(rowStat+8*int(n.Imm)))
			l.release(i, temps, n.Args...)
		case OpAdd:
			l.binary(i, n, l.VADDPS, n.Args[0], n.Args[1], true)
		case OpSub:
			l.binary(i, n, l.VSUBPS, n.Args[0], n.Args[1], false)
		case OpMul:
			l.binary(i, n, l.VMULPS, n.Args[0], n.Args[1], true)
		case OpDiv:
			l.binary(i, n, l.VDIVPS, n.Args[0], n.Args[1], false)
		case OpMax: // VMAXPS is src1 > src2 ? src1 : src2
			l.binary(i, n, l.VMAXPS, n.Args[1], n.Args[0], false)
		case OpMin:
			l.binary(i, n, l.VMINPS, n.Args[1], n.Args[0], false)
		case OpAnd:
			l.binary(i, n, bit(l.VANDPS2, l.VPANDD), n.Args[0], n.Args[1], true)
		case OpOr:
			l.binary(i, n, bit(l.VORPS2, l.VPORD), n.Args[0], n.Args[1], true)
		case OpXor:
			l.binary(i, n, bit(l.VXORPS2, l.VPXORD), n.Args[0], n.Args[1], true)
		case OpAndNot: // VANDNPS is ^src1 & src2
			l.binary(i, n, bit(l.VANDNPS2, l.VPANDND), n.Args[1], n.Args[0], false)
		case OpIAdd:
			l.binary(i, n, l.VPADDD, n.Args[0], n.Args[1], true)
		case OpISub:
			l.binary(i, n, l.VPSUBD, n.Args[0], n.Args[1], false)
		case OpIMul:
			l.binary(i, n, l.VPMULLD, n.Args[0], n.Args[1], true)
		case OpMulHi:
			l.mulHi(i, n)
		case OpShl:
			l.unary(i, n, func(s, d operand.Op) { l.VPSLLD(operand.U8(n.Imm), s, d) })
		case OpShr:
			l.unary(i, n, func(s, d operand.Op) { l.VPSRAD(operand.U8(n.Imm), s, d) })
		case OpSqrt:
			l.unary(i, n, func(s, d operand.Op) { l.VSQRTPS(s, d) })
		case OpIToF:
			l.unary(i, n, func(s, d operand.Op) { l.VCVTDQ2PS(s, d) })
		case OpFloor, OpCeil, OpRound:
			mode := map[Op]operand.U8{OpRound: 8, OpFloor: 9, OpCeil: 10}[n.Op]
			l.unary(i, n, func(s, d operand.Op) {
				if l.wide {
					l.VRNDSCALEPS(mode, s, d)
				} else {
					l.VROUNDPS(mode, s, d)
				}
			})
		case OpMadd:
			l.madd(i, n)
		case OpLT, OpLE, OpEQ:
			l.compare(i, n, map[Op]operand.U8{OpEQ: 0, OpLT: 17, OpLE: 18}[n.Op])
		case OpBlend:
			l.blend(i, n)
		default:
			panic("no lowering")
		}
	}
}

// byteMem is the address of the bytes of the vector at the given byte offset of floats.
func (l *lower) byteMem(base reg.GPPhysical, disp int) operand.Mem {
	l.MOVQ(rIdx, rTmp)
	l.SHRQ(operand.U8(2), rTmp)
	return operand.Mem{Base: base, Index: rTmp, Scale: 1, Disp: disp / 4}
}

// storeBool stores a mask as bytes.
func (l *lower) storeBool(n *Node, disp int) {
	m := l.byteMem(rOut[n.Imm&^BoolNot], disp)
	not := n.Imm&BoolNot != 0
	mask, t := l.reg[n.Args[0]], l.alloc()
	if l.wide {
		k := kregs[mask]
		if not {
			l.KNOTW(k, reg.K1)
			k = reg.K1
		}
		l.VMOVUPS_Z(l.constMem(1), k, l.vec(t))
		l.VPMOVDB(l.vec(t), m)
	} else {
		x, high := l.vec(t).(reg.Vec).AsX(), l.alloc()
		l.VEXTRACTI128(operand.U8(1), l.vec(mask), l.vec(high).(reg.Vec).AsX())
		l.VPACKSSDW(l.vec(high).(reg.Vec).AsX(), l.vec(mask).(reg.Vec).AsX(), x)
		l.VPACKSSWB(x, x, x)
		ones := l.constMem(0x01010101)
		if not {
			l.VPANDN(ones, x, x)
		} else {
			l.VPAND(ones, x, x)
		}
		l.VMOVQ(x, m)
		l.free = append(l.free, high)
	}
	l.free = append(l.free, t)
}

// mulHi multiplies the even and the odd lanes, to 64 bits each, and joins the upper halves.
func (l *lower) mulHi(i int, n *Node) {
	var temps []int
	y := l.source(n.Args[1], &temps)
	x := l.register(n.Args[0], &temps)
	even, odd := l.alloc(), l.alloc()
	l.VPMULUDQ(y, x, l.vec(even))
	l.VPSRLQ(operand.U8(32), x, l.vec(odd))
	l.VPMULUDQ(y, l.vec(odd), l.vec(odd))
	l.VPSRLQ(operand.U8(32), l.vec(even), l.vec(even))
	if l.wide {
		l.VPSRLQ(operand.U8(32), l.vec(odd), l.vec(odd))
		l.VPSLLQ(operand.U8(32), l.vec(odd), l.vec(odd))
		l.VPORD(l.vec(odd), l.vec(even), l.vec(even))
	} else {
		l.VPBLENDD(operand.U8(0xaa), l.vec(odd), l.vec(even), l.vec(even))
	}
	l.free = append(l.free, odd)
	l.release(i, temps, n.Args...)
	l.reg[n] = even
}

func (l *lower) accumulator(n *Node, first int) int {
	if n.Imm == 0 {
		return first
	}
	return l.more[n.Imm-1]
}

func (l *lower) madd(i int, n *Node) {
	x, y, z := n.Args[0], n.Args[1], n.Args[2]
	if !IsReg(x) && IsReg(y) {
		x, y = y, x
	}
	var temps []int
	if !l.fused {
		b := l.source(y, &temps)
		a := l.register(x, &temps)
		d := l.alloc()
		l.VMULPS(b, a, l.vec(d))
		l.VADDPS(l.source(z, &temps), l.vec(d), l.vec(d))
		l.release(i, temps, n.Args...)
		l.reg[n] = d
		return
	}
	dies := func(a *Node) bool { return IsReg(a) && a.Last == i && a.Op != OpAcc }
	switch {
	case dies(z) && z != x && z != y:
		b := l.source(y, &temps)
		l.VFMADD231PS(b, l.register(x, &temps), l.vec(l.reg[z]))
		l.reg[n] = l.reg[z]
		l.release(i, temps, x, y)
	case dies(x) && x != z:
		b := l.source(z, &temps)
		l.VFMADD213PS(b, l.register(y, &temps), l.vec(l.reg[x]))
		l.reg[n] = l.reg[x]
		if y == x {
			l.release(i, temps, z)
		} else {
			l.release(i, temps, y, z)
		}
	default:
		d := l.alloc()
		if IsReg(z) {
			l.VMOVAPS(l.vec(l.reg[z]), l.vec(d))
		} else if r, ok := l.keptAt(z); ok {
			l.VMOVAPS(l.vec(r), l.vec(d))
		} else {
			l.load(z, d)
		}
		b := l.source(y, &temps)
		l.VFMADD231PS(b, l.register(x, &temps), l.vec(d))
		l.release(i, temps, n.Args...)
		l.reg[n] = d
	}
}

func (l *lower) keptAt(n *Node) (r int, ok bool) {
	if n.Op == OpConst {
		r, ok = l.held[n.Imm]
	} else {
		r, ok = l.heldP[n.Imm]
	}
	return r, ok
}

func (l *lower) compare(i int, n *Node, predicate operand.U8) {
	var temps []int
	b := l.source(n.Args[1], &temps)
	a := l.register(n.Args[0], &temps)
	if l.wide {
		l.reg[n] = l.allocK()
		l.VCMPPS(predicate, b, a, kregs[l.reg[n]])
		l.release(i, temps, n.Args...)
		return
	}
	l.release(i, temps, n.Args...)
	l.reg[n] = l.alloc()
	l.VCMPPS(predicate, b, a, l.vec(l.reg[n]))
}

func (l *lower) blend(i int, n *Node) {
	var temps []int
	yes := l.source(n.Args[1], &temps)
	no := l.register(n.Args[2], &temps)
	m := l.reg[n.Args[0]]
	l.release(i, temps, n.Args...)
	l.reg[n] = l.alloc()
	if l.wide {
		l.VBLENDMPS(yes, no, kregs[m], l.vec(l.reg[n]))
	} else {
		l.VBLENDVPS(l.vec(m), yes, no, l.vec(l.reg[n]))
	}
}

// function writes the whole function.
func (l *lower) function(name string) {
	l.Function(name)
	l.Attributes(attr.NOSPLIT)
	l.SignatureExpr("func(a *byte)")
	l.Doc(l.k.Name + ": " + l.k.Doc)
	l.Load(l.Param("a"), rArgs)
	l.MOVQ(l.argMem(argN), rLen)
	l.SHLQ(operand.U8(2), rLen)
	for i := range l.k.Ins {
		l.MOVQ(l.argMem(argIn+8*i), rIn[i])
	}
	for i := range l.k.Outs {
		l.MOVQ(l.argMem(argOut+8*i), rOut[i])
	}
	l.start()
	switch {
	case l.k.Columns:
		l.columns()
	case l.k.Down:
		l.down()
	case l.k.Reduces():
		l.runs()
		l.tree()
		l.VMOVSS(l.sum(), l.argMem(argResult))
	default:
		l.elements()
	}
	l.VZEROUPPER()
	l.RET()
}

// shortBody is the largest number of operations whose temporaries leave half of sixteen registers free.
const shortBody = 20

// start gives out registers for a kernel, or a pass of one: accumulators, scalar arguments and constants first.
func (l *lower) start() {
	l.free, l.accs = nil, nil
	for r := l.vectorRegs() - 1; r >= 0; r-- {
		l.free = append(l.free, r)
	}
	l.kfree = []int{7, 6, 5, 4, 3, 2}
	l.held, l.heldP = map[uint32]int{}, map[uint32]int{}
	body := l.k.Record()
	if l.k.Reduces() {
		for range 32 / l.lanes() {
			l.accs = append(l.accs, l.alloc())
			l.load(&Node{Op: OpConst, Imm: l.k.Identity}, l.accs[len(l.accs)-1])
		}
	}
	room := 3
	switch {
	case l.wide:
		room = 14
	case !l.k.Reduces() && len(body.Nodes) <= shortBody:
		room = 6
	}
	for i := range uint32(8) {
		if _, used := body.Params[i]; used && room > 0 {
			l.heldP[i] = l.alloc()
			l.load(body.Params[i], l.heldP[i])
			room--
		}
	}
	if l.wide {
		for _, n := range body.Nodes {
			for _, a := range n.Args {
				if _, have := l.held[a.Imm]; a.Op == OpConst && !have && room > 0 {
					l.held[a.Imm] = l.alloc()
					l.load(a, l.held[a.Imm])
					room--
				}
			}
		}
	}
}

// elements emits the loops of an elementwise kernel.
func (l *lower) elements() {
	l.XORQ(rIdx, rIdx)
	l.loop("block", max(l.k.Unroll, 1))
	if l.k.Unroll > 1 {
		l.loop("vector", 1)
	}
	if l.k.Whole() {
		return
	}
	l.CMPQ(rIdx, rLen)
	l.JE(operand.LabelRef(l.prefix + "done"))
	l.masks(1)
	m := l.mask(0)
	l.vector(0, m, -1)
	l.Label(l.prefix + "done")
}

// loop emits a loop over turns of n whole vectors.
func (l *lower) loop(name string, n int) {
	step := n * l.lanes() * 4
	name = l.prefix + name
	l.Label(name)
	l.LEAQ(operand.Mem{Base: rIdx, Disp: step}, rTmp)
	l.CMPQ(rTmp, rLen)
	l.JHI(operand.LabelRef(name + "End"))
	for u := range n {
		acc := -1
		if l.k.Reduces() {
			acc = l.accs[u]
		}
		l.vector(u*l.lanes()*4, -1, acc)
	}
	l.ADDQ(operand.I32(step), rIdx)
	l.JMP(operand.LabelRef(name))
	l.Label(name + "End")
}

// runs emits the loops of a reduction: 32 values a turn, and a masked turn at the end of every run.
func (l *lower) runs() {
	l.MOVQ(l.argMem(argRuns), rRuns)
	l.Label("run")
	l.run()
	l.MOVQ(l.argMem(argStride), rTmp)
	for i := range l.k.Ins {
		l.LEAQ(operand.Mem{Base: rIn[i], Index: rTmp, Scale: 4}, rIn[i])
	}
	l.DECQ(rRuns)
	l.JNE(operand.LabelRef("run"))
}

// run emits the loop of a reduction over one run.
func (l *lower) run() {
	l.XORQ(rIdx, rIdx)
	l.loop("block", len(l.accs))
	l.CMPQ(rIdx, rLen)
	l.JE(operand.LabelRef(l.prefix + "next"))
	l.masks(len(l.accs))
	for u, acc := range l.accs {
		m := l.mask(u)
		l.vector(u*l.lanes()*4, m, acc)
		if !l.wide {
			l.free = append(l.free, m)
		}
	}
	l.Label(l.prefix + "next")
}

// masks prepares the masks of a partial block of n vectors in rTmp: a window into a table of ones and zeros, or bits.
func (l *lower) masks(n int) {
	if l.wide {
		l.MOVQ(rLen, rTmp2Free(l.k))
		t := rTmp2Free(l.k)
		l.SUBQ(rIdx, t)
		l.SHRQ(operand.U8(2), t)
		l.MOVQ(operand.I32(-1), rTmp)
		l.BZHIQ(t, rTmp, rTmp)
		return
	}
	l.LEAQ(operand.NewDataAddr(operand.NewStaticSymbol("vecMask"), 128), rTmp)
	l.SUBQ(rLen, rTmp)
	l.ADDQ(rIdx, rTmp)
}

// rTmp2Free is a spare register: elementwise kernels do not count runs.
func rTmp2Free(k *Kernel) reg.GPPhysical {
	if k.Reduces() {
		return rTmp2
	}
	return rRuns
}

// mask returns the mask of vector u of the partial block, in turn.
func (l *lower) mask(u int) int {
	if l.wide {
		if u > 0 {
			l.SHRQ(operand.U8(16), rTmp)
		}
		l.KMOVW(rTmp.As32(), reg.K1)
		return 1
	}
	m := l.alloc()
	l.VMOVUPS(operand.Mem{Base: rTmp, Disp: 32 * u}, l.vec(m))
	return m
}

// tree joins the lanes: l with l+16, l+8, l+4, l+2, l+1.
func (l *lower) tree() {
	merge := map[Op]func(...operand.Op){OpAdd: l.VADDPS, OpMul: l.VMULPS, OpMax: l.VMAXPS, OpMin: l.VMINPS}[l.k.Merge]
	// merge's result on a tie or NaN is its first operand in this order, the lower lane.
	y := func(r int) reg.VecPhysical { return ymm[r] }
	a := l.accs
	if l.wide {
		merge(zmm[a[0]], zmm[a[1]], zmm[a[0]])
		l.VEXTRACTF64X4(operand.U8(1), zmm[a[0]], y(a[1]))
		merge(y(a[0]), y(a[1]), y(a[0]))
	} else {
		merge(y(a[0]), y(a[2]), y(a[0]))
		merge(y(a[1]), y(a[3]), y(a[1]))
		merge(y(a[0]), y(a[1]), y(a[0]))
	}
	lo, hi := y(a[0]).(reg.Vec).AsX(), y(a[1]).(reg.Vec).AsX()
	l.VEXTRACTF128(operand.U8(1), y(a[0]), hi)
	merge(lo, hi, lo)
	l.VMOVHLPS(lo, lo, hi)
	merge(lo, hi, lo)
	l.VMOVSHDUP(lo, hi)
	merge(lo, hi, lo)
}

// sum is the register that tree leaves the result in.
func (l *lower) sum() reg.VecPhysical { return ymm[l.accs[0]].(reg.Vec).AsX().(reg.VecPhysical) }

// VANDPS2 and the like give avo's fixed-arity methods the variadic form of the others.
func (l *lower) VANDPS2(o ...operand.Op)  { l.VANDPS(o[0], o[1], o[2]) }
func (l *lower) VORPS2(o ...operand.Op)   { l.VORPS(o[0], o[1], o[2]) }
func (l *lower) VXORPS2(o ...operand.Op)  { l.VXORPS(o[0], o[1], o[2]) }
func (l *lower) VANDNPS2(o ...operand.Op) { l.VANDNPS(o[0], o[1], o[2]) }

// data writes the constant and mask tables of a file.
func data(ctx *build.Context, p *pool, lanes int) {
	ctx.StaticGlobal("vecConst")
	ctx.DataAttributes(attr.RODATA | attr.NOPTR)
	for i, v := range p.order {
		for j := range lanes {
			ctx.AddDatum((i*lanes+j)*4, operand.U32(v))
		}
	}
	if lanes == 8 {
		ctx.StaticGlobal("vecMask")
		ctx.DataAttributes(attr.RODATA | attr.NOPTR)
		for i := range 64 {
			v := uint32(0)
			if i < 32 {
				v = math.MaxUint32
			}
			ctx.AddDatum(4*i, operand.U32(v))
		}
	}
}

// suffix is what the isa adds to a kernel's name.
func (s isa) suffix(k *Kernel) string {
	n := "AVX2"
	if s.wide {
		n = "AVX512"
	}
	if k != nil && !s.fused && k.Fuses() {
		n += "MulAdd"
	}
	return n
}

// rowSuffix is what the isa adds to a row kernel's name.
func (s isa) rowSuffix(k *RowKernel) string {
	n := s.suffix(nil)
	if !s.fused && k.Fuses() {
		n += "MulAdd"
	}
	return n
}
