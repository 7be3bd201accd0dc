package vecir

import (
	"math"
	"slices"
)

// An Op is an operation of the language. Each works lane by lane on float32 (or, where named I, on int32).
type Op int

// The operations.

const (
	OpConst Op = iota // Imm: the bits of a constant
	OpParam           // Imm: number of a scalar argument
	OpLoad            // Imm: number of an input
	OpStore           // Imm: number of an output, plus 256 times a distance in bytes
	OpAcc             // Imm: number of an accumulator: its value before this vector
	OpSetAcc
	OpAdd
	OpSub
	OpMul
	OpDiv
	OpSqrt
	OpMadd // a*b + c, rounded as the class says
	OpMax  // a < b ? b : a
	OpMin  // b < a ? b : a
	OpAnd
	OpOr
	OpXor
	OpAndNot // a &^ b
	OpIAdd
	OpISub
	OpIMul  // lower 32 bits
	OpMulHi // upper 32 bits of a product without signs, by a constant
	OpShl   // by imm
	OpShr   // arithmetic, by imm
	OpIToF
	OpFloor
	OpCeil
	OpRound
	OpLT // masks
	OpLE
	OpEQ
	OpBlend     // mask ? a : b
	OpSetParam  // Imm: number of a scalar argument that becomes lane 0; between the passes of a RowKernel
	OpLoadBool  // Imm: number of an input of bytes; a mask of those that are not 0
	OpStoreBool // Imm: number of an output of bytes, plus BoolNot; a mask as bytes of 1 and 0, or of 0 and 1
	OpStat      // Imm: number of a list that lane 0 is appended to; likewise
)

// A Node is one operation's result.
type Node struct {
	Op   Op
	Args []*Node
	Imm  uint32
	Mask bool // the result is a mask
	Last int  // position of the last use
}

// Body records one vector's worth of a kernel.
type Body struct {
	Nodes  []*Node
	consts map[uint32]*Node
	Params map[uint32]*Node // scalar arguments by number

	unfused bool // madds are products and sums in both classes
}

func newBody() *Body { return &Body{consts: map[uint32]*Node{}, Params: map[uint32]*Node{}} }

func (b *Body) emit(o Op, imm uint32, args ...*Node) *Node {
	n := &Node{Op: o, Imm: imm, Args: args, Last: -1}
	switch o {
	case OpLT, OpLE, OpEQ, OpLoadBool:
		n.Mask = true
	}
	for _, a := range args {
		a.Last = len(b.Nodes)
	}
	b.Nodes = append(b.Nodes, n)
	return n
}

// bits is a constant by its bits, c by its value.
func (b *Body) bits(v uint32) *Node {
	if n := b.consts[v]; n != nil {
		return n
	}
	n := &Node{Op: OpConst, Imm: v, Last: math.MaxInt}
	b.consts[v] = n
	return n
}
func (b *Body) c(v float64) *Node { return b.bits(math.Float32bits(float32(v))) }

func (b *Body) p(i int) *Node {
	if n := b.Params[uint32(i)]; n != nil {
		return n
	}
	n := &Node{Op: OpParam, Imm: uint32(i), Last: math.MaxInt}
	b.Params[uint32(i)] = n
	return n
}

func (b *Body) in(i int) *Node              { return b.emit(OpLoad, uint32(i)) }
func (b *Body) out(i int, v *Node)          { b.emit(OpStore, uint32(i), v) }
func (b *Body) inBool(i int) *Node          { return b.emit(OpLoadBool, uint32(i)) }
func (b *Body) outBool(i int, v *Node)      { b.emit(OpStoreBool, uint32(i), v) }
func (b *Body) set(i int, v *Node)          { b.emit(OpSetParam, uint32(i), v) }
func (b *Body) stat(i int, v *Node)         { b.emit(OpStat, uint32(i), v) }
func (b *Body) outAt(i, bytes int, v *Node) { b.emit(OpStore, uint32(i|bytes<<8), v) }
func (b *Body) imul(x, y *Node) *Node       { return b.emit(OpIMul, 0, x, y) }
func (b *Body) mulHi(x, y *Node) *Node      { return b.emit(OpMulHi, 0, x, y) }
func (b *Body) acc() *Node                  { return b.emit(OpAcc, 0) }
func (b *Body) setAcc(v *Node)              { b.emit(OpSetAcc, 0, v) }
func (b *Body) accOf(i int) *Node           { return b.emit(OpAcc, uint32(i)) }
func (b *Body) setAccOf(i int, v *Node)     { b.emit(OpSetAcc, uint32(i), v) }
func (b *Body) add(x, y *Node) *Node        { return b.emit(OpAdd, 0, x, y) }
func (b *Body) sub(x, y *Node) *Node        { return b.emit(OpSub, 0, x, y) }
func (b *Body) mul(x, y *Node) *Node        { return b.emit(OpMul, 0, x, y) }
func (b *Body) div(x, y *Node) *Node        { return b.emit(OpDiv, 0, x, y) }
func (b *Body) sqrt(x *Node) *Node          { return b.emit(OpSqrt, 0, x) }
func (b *Body) max(x, y *Node) *Node        { return b.emit(OpMax, 0, x, y) }
func (b *Body) min(x, y *Node) *Node        { return b.emit(OpMin, 0, x, y) }
func (b *Body) and(x, y *Node) *Node        { return b.emit(OpAnd, 0, x, y) }
func (b *Body) or(x, y *Node) *Node         { return b.emit(OpOr, 0, x, y) }
func (b *Body) xor(x, y *Node) *Node        { return b.emit(OpXor, 0, x, y) }
func (b *Body) andNot(x, y *Node) *Node     { return b.emit(OpAndNot, 0, x, y) }
func (b *Body) iadd(x, y *Node) *Node       { return b.emit(OpIAdd, 0, x, y) }
func (b *Body) isub(x, y *Node) *Node       { return b.emit(OpISub, 0, x, y) }
func (b *Body) shl(x *Node, k int) *Node    { return b.emit(OpShl, uint32(k), x) }
func (b *Body) shr(x *Node, k int) *Node    { return b.emit(OpShr, uint32(k), x) }
func (b *Body) itof(x *Node) *Node          { return b.emit(OpIToF, 0, x) }
func (b *Body) floor(x *Node) *Node         { return b.emit(OpFloor, 0, x) }
func (b *Body) ceil(x *Node) *Node          { return b.emit(OpCeil, 0, x) }
func (b *Body) round(x *Node) *Node         { return b.emit(OpRound, 0, x) }
func (b *Body) lt(x, y *Node) *Node         { return b.emit(OpLT, 0, x, y) }
func (b *Body) le(x, y *Node) *Node         { return b.emit(OpLE, 0, x, y) }
func (b *Body) eq(x, y *Node) *Node         { return b.emit(OpEQ, 0, x, y) }

// sel is mask ? x : y.
func (b *Body) sel(mask, x, y *Node) *Node { return b.emit(OpBlend, 0, mask, x, y) }

// madd is x*y + z.
func (b *Body) madd(x, y, z *Node) *Node {
	if b.unfused {
		return b.add(b.mul(x, y), z)
	}
	return b.emit(OpMadd, 0, x, y, z)
}

func (b *Body) abs(x *Node) *Node { return b.and(x, b.bits(0x7fffffff)) }
func (b *Body) neg(x *Node) *Node { return b.xor(x, b.bits(1<<31)) }

// copysign is |x| with the sign of s.
func (b *Body) copysign(x, s *Node) *Node {
	return b.or(b.abs(x), b.and(s, b.bits(1<<31)))
}

// A Kernel is one function: what one vector of its loop does, and the shape of the loop.
type Kernel struct {
	Name, Doc string
	Slot      string // where simd's vecTable holds it
	Ins, Outs int
	Params    int
	Unroll    int    // vectors per turn of the main loop; 0 means 1
	Merge     Op     // of reductions: how two lanes are joined; OpConst (zero) means no reduction
	Identity  uint32 // of reductions: the start value's bits
	Columns   bool   // a reduction of every column of in0 and in1: runs rows, stride elements apart; the outputs get the accumulators
	Lists     int    // of columns: p0, p1 are read for every row from lists, at in2 and in3
	// Down says that the kernel goes down the columns of a matrix and changes it: n columns, a multiple of 16, and runs rows, at least 1, stride apart. Input and
	// output 0 are the matrix, the other operands one row; the accumulator starts as input 1 and ends in output 1.
	Down bool

	whole bool // takes multiples of 16 elements
	do    func(b *Body)
}

// Reduces reports whether the kernel is a reduction: its result is one number.
func (k *Kernel) Reduces() bool { return k.Merge != OpConst && !k.Columns }

// Record returns the operations of one vector, without those whose result nobody uses.
func (k *Kernel) Record() *Body {
	b := newBody()
	k.do(b)
	b.prune()
	return b
}

// prune drops operations whose result nobody uses.
func (b *Body) prune() {
	used := map[*Node]bool{}
	var live []*Node
	for i := len(b.Nodes) - 1; i >= 0; i-- {
		n := b.Nodes[i]
		if used[n] || n.effect() {
			live = append(live, n)
			for _, a := range n.Args {
				used[a] = true
			}
		}
	}
	slices.Reverse(live)
	for i, n := range live {
		for _, a := range n.Args {
			if IsReg(a) {
				a.Last = i
			}
		}
	}
	b.Nodes = live
}

// BoolNot, added to the number of an output of bytes, stores the opposite.
const BoolNot = 1 << 8

// Bools returns which inputs and outputs of a kernel are of bytes. Such a kernel takes multiples of 16 elements.
func (k *Kernel) Bools() (ins, outs [4]bool) {
	for _, n := range k.Record().Nodes {
		switch n.Op {
		case OpLoadBool:
			ins[n.Imm] = true
		case OpStoreBool:
			outs[n.Imm&^BoolNot] = true
		}
	}
	return ins, outs
}

// Whole reports whether the kernel takes multiples of 16 elements only.
func (k *Kernel) Whole() bool {
	ins, outs := k.Bools()
	return k.whole || slices.Contains(ins[:], true) || slices.Contains(outs[:], true)
}

// effect reports whether an operation is there for what it does and not for its result.
func (n *Node) effect() bool {
	return n.Op == OpStore || n.Op == OpStoreBool || n.Op == OpSetAcc || n.Op == OpSetParam || n.Op == OpStat
}

// IsReg reports whether a node is computed: neither a constant nor a scalar argument.
func IsReg(n *Node) bool { return n.Op != OpConst && n.Op != OpParam }

// Fuses reports whether the kernel differs between the numeric classes.
func (k *Kernel) Fuses() bool { return k.Record().fuses() }

func (b *Body) fuses() bool {
	for _, n := range b.Nodes {
		if n.Op == OpMadd {
			return true
		}
	}
	return false
}
