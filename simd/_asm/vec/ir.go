package main

import (
	"math"
	"slices"
)

// An op is an operation of the little vector language in which kernels are written once for every instruction set. Each works lane by
// lane on float32 (or, where named i, on int32).
type op int

const (
	opConst op = iota // imm: the bits of a constant
	opParam           // imm: number of a scalar argument
	opLoad            // imm: number of an input
	opStore           // imm: number of an output
	opAcc             // imm: number of an accumulator: its value before this vector
	opSetAcc
	opAdd
	opSub
	opMul
	opDiv
	opSqrt
	opMadd // a*b + c, rounded as the class says
	opMax  // a < b ? b : a
	opMin  // b < a ? b : a
	opAnd
	opOr
	opXor
	opAndNot // a &^ b
	opIAdd
	opISub
	opShl // by imm
	opShr // arithmetic, by imm
	opIToF
	opFloor
	opCeil
	opRound
	opLT // masks
	opLE
	opEQ
	opBlend // mask ? a : b
)

// A node is one operation's result.
type node struct {
	op   op
	args []*node
	imm  uint32
	mask bool // the result is a mask
	last int  // position of the last use
}

// body records one vector's worth of a kernel.
type body struct {
	nodes  []*node
	consts map[uint32]*node
	params map[uint32]*node
}

func newBody() *body { return &body{consts: map[uint32]*node{}, params: map[uint32]*node{}} }

func (b *body) emit(o op, imm uint32, args ...*node) *node {
	n := &node{op: o, imm: imm, args: args, last: -1}
	switch o {
	case opLT, opLE, opEQ:
		n.mask = true
	}
	for _, a := range args {
		a.last = len(b.nodes)
	}
	b.nodes = append(b.nodes, n)
	return n
}

// bits is a constant by its bits, c by its value.
func (b *body) bits(v uint32) *node {
	if n := b.consts[v]; n != nil {
		return n
	}
	n := &node{op: opConst, imm: v, last: math.MaxInt}
	b.consts[v] = n
	return n
}
func (b *body) c(v float64) *node { return b.bits(math.Float32bits(float32(v))) }

func (b *body) p(i int) *node {
	if n := b.params[uint32(i)]; n != nil {
		return n
	}
	n := &node{op: opParam, imm: uint32(i), last: math.MaxInt}
	b.params[uint32(i)] = n
	return n
}

func (b *body) in(i int) *node           { return b.emit(opLoad, uint32(i)) }
func (b *body) out(i int, v *node)       { b.emit(opStore, uint32(i), v) }
func (b *body) acc() *node               { return b.emit(opAcc, 0) }
func (b *body) setAcc(v *node)           { b.emit(opSetAcc, 0, v) }
func (b *body) add(x, y *node) *node     { return b.emit(opAdd, 0, x, y) }
func (b *body) sub(x, y *node) *node     { return b.emit(opSub, 0, x, y) }
func (b *body) mul(x, y *node) *node     { return b.emit(opMul, 0, x, y) }
func (b *body) div(x, y *node) *node     { return b.emit(opDiv, 0, x, y) }
func (b *body) sqrt(x *node) *node       { return b.emit(opSqrt, 0, x) }
func (b *body) madd(x, y, z *node) *node { return b.emit(opMadd, 0, x, y, z) }
func (b *body) max(x, y *node) *node     { return b.emit(opMax, 0, x, y) }
func (b *body) min(x, y *node) *node     { return b.emit(opMin, 0, x, y) }
func (b *body) and(x, y *node) *node     { return b.emit(opAnd, 0, x, y) }
func (b *body) or(x, y *node) *node      { return b.emit(opOr, 0, x, y) }
func (b *body) xor(x, y *node) *node     { return b.emit(opXor, 0, x, y) }
func (b *body) andNot(x, y *node) *node  { return b.emit(opAndNot, 0, x, y) }
func (b *body) iadd(x, y *node) *node    { return b.emit(opIAdd, 0, x, y) }
func (b *body) isub(x, y *node) *node    { return b.emit(opISub, 0, x, y) }
func (b *body) shl(x *node, k int) *node { return b.emit(opShl, uint32(k), x) }
func (b *body) shr(x *node, k int) *node { return b.emit(opShr, uint32(k), x) }
func (b *body) itof(x *node) *node       { return b.emit(opIToF, 0, x) }
func (b *body) floor(x *node) *node      { return b.emit(opFloor, 0, x) }
func (b *body) ceil(x *node) *node       { return b.emit(opCeil, 0, x) }
func (b *body) round(x *node) *node      { return b.emit(opRound, 0, x) }
func (b *body) lt(x, y *node) *node      { return b.emit(opLT, 0, x, y) }
func (b *body) le(x, y *node) *node      { return b.emit(opLE, 0, x, y) }
func (b *body) eq(x, y *node) *node      { return b.emit(opEQ, 0, x, y) }

// sel is mask ? x : y.
func (b *body) sel(mask, x, y *node) *node { return b.emit(opBlend, 0, mask, x, y) }

func (b *body) abs(x *node) *node { return b.and(x, b.bits(0x7fffffff)) }
func (b *body) neg(x *node) *node { return b.xor(x, b.bits(1<<31)) }

// copysign is |x| with the sign of s.
func (b *body) copysign(x, s *node) *node {
	return b.or(b.abs(x), b.and(s, b.bits(1<<31)))
}

// A kernel is one function: what one vector of its loop does, and the shape of the loop.
type kernel struct {
	name, doc string
	slot      string // where simd's vecTable holds it
	ins, outs int
	params    int
	unroll    int    // vectors per turn of the main loop; 0 means 1
	merge     op     // of reductions: how two lanes are joined; opConst (zero) means no reduction
	identity  uint32 // of reductions: the start value's bits
	do        func(b *body)
}

func (k *kernel) reduces() bool { return k.merge != opConst }

func (k *kernel) record() *body {
	b := newBody()
	k.do(b)
	b.prune()
	return b
}

// prune drops operations whose result nobody uses.
func (b *body) prune() {
	used := map[*node]bool{}
	var live []*node
	for i := len(b.nodes) - 1; i >= 0; i-- {
		n := b.nodes[i]
		if used[n] || n.op == opStore || n.op == opSetAcc {
			live = append(live, n)
			for _, a := range n.args {
				used[a] = true
			}
		}
	}
	slices.Reverse(live)
	for i, n := range live {
		for _, a := range n.args {
			if isReg(a) {
				a.last = i
			}
		}
	}
	b.nodes = live
}

// fuses reports whether the kernel differs between the numeric classes.
func (k *kernel) fuses() bool {
	for _, n := range k.record().nodes {
		if n.op == opMadd {
			return true
		}
	}
	return false
}
