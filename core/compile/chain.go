package compile

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
)

// A chain of elementwise operators is one step. Its code lies in region regBound: the addresses of its operands and
// outputs, eight bytes each, then 32-bit words:
//
//	header    hdrWords words
//	dims      the iteration space: the output's dimensions, those merged that every operand walks alike
//	operands  mode, then a stride in elements per dimension, each
//	code      instrWords words per operator
//
// The kernel runs the code block by block, so that intermediate values stay in the first-level cache. Slots number
// operands, then outputs, then registers.
const (
	hdrIn    = iota // operands
	hdrOut          // outputs
	hdrCode         // operators
	hdrRank         // dimensions of the iteration space
	hdrBlock        // elements of a block, and of a register
	hdrRun          // a block never crosses a multiple of it; 0: blocks cross everything
	hdrRegs         // registers
	hdrBools        // bit per output: it is of bytes, not floats
	hdrWords
)

const (
	insKind = iota // graph.ElemKind
	insOp          // code of the kernel
	insDst         // slots
	insA
	insB
	insC
	insP0 // bits of the parameters
	insP1
	instrWords
)

// How an operand is read; the low bits of its mode word. modeReg<<8 is the register that holds what is filled in.
const (
	readVector   = iota // its elements follow one another within a block
	readScalar          // one element for the whole block
	readSplat           // one element for the whole block, repeated in a register
	readFill            // gathered into a register, block by block
	readPeriodic        // gathered once: every block reads the same
	readMask     = 7
	readBool     = 8 // elements are bytes
)

// Sizes of the kernel. Blocks of all registers together should fill about three quarters of a 32 KB first-level cache;
// runs shorter than minRun are gathered, as a kernel call per run would cost more than the copy.
const (
	blockBytes = 24 << 10
	minBlock   = 512
	maxBlock   = 4096
	loneBlock  = 1 << 16 // without registers
	minRun     = 192
	minLoneRun = 96      // of one operator, whose runs cost less
	maxPeriod  = 1024    // blocks of whole rows that every operand has alike: longer rows are runs
	chainTile  = 8 << 10 // elements times operators that are worth a thread
)

// chainArg is an operand of a chain while it is lowered.
type chainArg struct {
	v       int32
	strides []int
	full    bool // read in step with the output
	one     bool // a single element
	boolean bool
	vector  bool // some operator needs it as a vector
	mode    int
	reg     int
}

// chainer is the working state of lowering chains.
type chainer struct {
	args  []chainArg
	outs  []int32
	slot  map[int32]int // by value: operand number, output number or register while lowering
	words []int32
	code  []int32
	busy  []bool // registers
	last  map[int32]int
}

// lowerChain emits the step of node i, a chain.
func (l *lowering) lowerChain(i int) {
	m, c := l.m, &l.m.p.chainer
	c.reset()
	var shape []int
	// Operands, outputs, and where every value is read last.
	inside := func(v int32) bool { x := &m.p.s.vals[v]; return x.node == int32(i) && !m.isKnown(v) }
	ops, least := 0, minRun
	for k := range l.nd.ops {
		o := &l.nd.ops[k]
		if !m.wanted(o) {
			continue
		}
		ops++
		shape = m.types[o.out[0]].Shape
		for j := range elemArgs(o.elem.Kind) {
			v := o.in[j]
			c.last[v] = k
			if !inside(v) {
				c.operand(m, v)
			}
		}
		if v := o.out[0]; m.leaves(l.nd, i, v) {
			c.outs = append(c.outs, v)
		}
	}
	n := tensor.Size(shape)
	if n == 0 || len(c.outs) == 0 {
		return
	}
	dims := c.space(m, shape, n)
	run := 0
	if ops == 1 && len(c.args) == 2 {
		least = minLoneRun
	}
	if len(dims) > 1 && dims[len(dims)-1] >= least && !c.periodic(dims) {
		run = dims[len(dims)-1]
	}
	c.needVectors(l.nd, m, inside, run)
	regs := c.modes(dims, run)
	code, used := c.assemble(l.nd, m, i, regs, inside)
	block := c.block(dims, run, used, n, l.Threads())

	nIn := len(c.args)
	rank := len(dims)
	hdr := [hdrWords]int32{hdrIn: int32(nIn), hdrOut: int32(len(c.outs)), hdrCode: int32(ops), hdrRank: int32(rank), hdrBlock: int32(block), hdrRun: int32(run), hdrRegs: int32(used)}
	for k, v := range c.outs {
		if m.types[v].DType == tensor.Bool {
			hdr[hdrBools] |= 1 << k
		}
	}
	c.words = append(c.words[:0], hdr[:]...)
	for _, d := range dims {
		c.words = append(c.words, int32(d))
	}
	for k := range c.args {
		a := &c.args[k]
		c.words = append(c.words, int32(a.mode|a.reg<<8))
		for _, st := range a.strides {
			c.words = append(c.words, int32(st))
		}
	}
	c.words = append(c.words, code...)

	refs := nIn + len(c.outs)
	off := m.reserve(8*refs + 4*len(c.words))
	tab := tensor.Cast[uint64](m.b.data[off : off+8*refs])
	for k := range c.args {
		tab[k] = uint64(m.ref(c.args[k].v))
		m.fixes = append(m.fixes, off+8*k)
	}
	// m.ref may add known values to the data and move it: take the slices again.
	tab = tensor.Cast[uint64](m.b.data[off : off+8*refs])
	for k := range c.args {
		tab[k] = uint64(m.ref(c.args[k].v))
	}
	for k, v := range c.outs {
		tab[nIn+k] = uint64(m.ref(v))
		m.fixes = append(m.fixes, off+8*(nIn+k))
	}
	copy(tensor.Cast[int32](m.b.data[off+8*refs:off+8*refs+4*len(c.words)]), c.words)

	s := prog.Step{Kernel: &kChain, Tiles: 1, Worker: int32(used * block * 4)}
	if nIn+len(c.outs)+used > fewSlots {
		s.Kernel = &kChainWide
	}
	for k := range s.A {
		s.A[k] = prog.None
	}
	s.A[0] = prog.At(regBound, off)
	s.N[0], s.N[1], s.N[2], s.N[3] = int32(refs), int32(len(c.words)), int32(n&(1<<31-1)), int32(n>>31)
	if l.Threads() > 1 {
		s.Tiles = int32(min(max(n*ops/chainTile, 1), 64, max(n/block, 1)))
	}
	l.Emit(s)
}

func (c *chainer) reset() {
	if c.slot == nil {
		c.slot, c.last = map[int32]int{}, map[int32]int{}
	}
	clear(c.slot)
	clear(c.last)
	c.args, c.outs, c.busy = c.args[:0], c.outs[:0], c.busy[:0]
}

func (c *chainer) operand(m *binder, v int32) {
	for k := range c.args {
		if c.args[k].v == v {
			return
		}
	}
	c.args = append(c.args, chainArg{v: v, boolean: m.types[v].DType == tensor.Bool})
}

// space works out the iteration space: the output's dimensions without those of size 1, neighbours merged where every
// operand walks through both as through one.
func (c *chainer) space(m *binder, shape []int, n int) []int {
	for k := range c.args {
		a := &c.args[k]
		t := &m.types[a.v]
		a.strides = tensor.BroadcastStrides(t.Shape, shape)
		size := tensor.Size(t.Shape)
		a.full, a.one = size == n, size == 1
	}
	dims := make([]int, 0, len(shape))
	for i, d := range shape {
		if d == 1 {
			continue
		}
		last := len(dims) - 1
		merge := last >= 0
		for k := range c.args {
			a := &c.args[k]
			if merge && a.strides[last] != a.strides[i]*d {
				merge = false
			}
		}
		if merge {
			dims[last] *= d
		} else {
			last++
			dims = append(dims, d)
		}
		for k := range c.args {
			c.args[k].strides[last] = c.args[k].strides[i]
		}
	}
	for k := range c.args {
		c.args[k].strides = c.args[k].strides[:len(dims)]
	}
	return dims
}

// periodic reports whether all operands are elements in step, one element, or the same row for all rows, which a block of many rows reads
// as it reads one.
func (c *chainer) periodic(dims []int) bool {
	if len(dims) != 2 || dims[1] > maxPeriod {
		return false
	}
	for k := range c.args {
		if a := &c.args[k]; !a.full && !a.one && (a.strides[0] != 0 || a.strides[1] != 1) {
			return false
		}
	}
	return true
}

// needVectors marks the operands that some operator cannot take as a scalar.
func (c *chainer) needVectors(nd *pnode, m *binder, inside func(int32) bool, run int) {
	arg := func(v int32) *chainArg {
		for k := range c.args {
			if c.args[k].v == v {
				return &c.args[k]
			}
		}
		return nil
	}
	for k := range nd.ops {
		o := &nd.ops[k]
		if !m.wanted(o) {
			continue
		}
		for j := range elemArgs(o.elem.Kind) {
			v := o.in[j]
			if inside(v) {
				continue
			}
			a := arg(v)
			switch o.elem.Kind {
			case graph.ElemUnary, graph.ElemSelect:
				a.vector = true
			case graph.ElemCompare:
				a.vector = a.vector || j == 0
			case graph.ElemBinary:
				// Two scalars meet only where a block has one element or both are broadcast: the first becomes a vector, unless the other is one in every run.
				a.vector = a.vector || j == 0 && !inside(o.in[1]) && !arg(o.in[1]).steps(run)
			}
		}
	}
}

// steps reports whether an operand's elements follow one another within a block.
func (a *chainArg) steps(run int) bool {
	return a.full || run > 0 && a.strides[len(a.strides)-1] == 1
}

// modes chooses how every operand is read and returns how many registers that takes.
func (c *chainer) modes(dims []int, run int) int {
	regs := 0
	for k := range c.args {
		a := &c.args[k]
		switch {
		case a.steps(run):
			a.mode = readVector
		case a.one, run > 0:
			a.mode = readScalar
			if a.vector || a.boolean {
				a.mode = readSplat
			}
		case len(dims) == 2 && a.strides[0] == 0:
			a.mode = readPeriodic
		default:
			a.mode = readFill
		}
		if a.mode >= readSplat {
			a.reg = regs
			regs++
			c.busy = append(c.busy, true)
		}
		if a.boolean {
			a.mode |= readBool
		}
	}
	return regs
}

// assemble writes the code and returns it with the number of registers.
func (c *chainer) assemble(nd *pnode, m *binder, i, regs int, inside func(int32) bool) ([]int32, int) {
	nIn := len(c.args)
	firstReg := nIn + len(c.outs)
	for k := range c.args {
		c.slot[c.args[k].v] = k
	}
	for k, v := range c.outs {
		c.slot[v] = nIn + k
	}
	take := func() int {
		for r, b := range c.busy {
			if !b {
				c.busy[r] = true
				return firstReg + r
			}
		}
		c.busy = append(c.busy, true)
		return firstReg + len(c.busy) - 1
	}
	code := c.code[:0]
	for k := range nd.ops {
		o := &nd.ops[k]
		if !m.wanted(o) {
			continue
		}
		args := elemArgs(o.elem.Kind)
		release := func() {
			for j := range args {
				if v := o.in[j]; inside(v) && c.last[v] == k && c.slot[v] >= firstReg {
					c.busy[c.slot[v]-firstReg] = false
				}
			}
		}
		out := o.out[0]
		// A kernel of floats may write over an operand; of bytes and floats it may not.
		over := o.elem.Kind == graph.ElemUnary || o.elem.Kind == graph.ElemBinary
		if over {
			release()
		}
		if _, ok := c.slot[out]; !ok {
			c.slot[out] = take()
		}
		if !over {
			release()
		}
		w := [instrWords]int32{insKind: int32(o.elem.Kind), insOp: int32(o.elem.Code), insDst: int32(c.slot[out]),
			insP0: int32(math.Float32bits(o.elem.P0)), insP1: int32(math.Float32bits(o.elem.P1))}
		for j := range args {
			w[insA+j] = int32(c.slot[o.in[j]])
		}
		code = append(code, w[:]...)
	}
	c.code = code
	return code, len(c.busy)
}

// block chooses the number of elements of a block, of n that the threads share.
func (c *chainer) block(dims []int, run, regs, n, threads int) int {
	b := loneBlock
	if threads > 1 {
		b = min(max(n/(4*threads), maxBlock), loneBlock) &^ 63
	}
	if regs > 0 {
		b = min(max(blockBytes/4/regs, minBlock), maxBlock) &^ 63
	}
	if run == 0 {
		for k := range c.args {
			if c.args[k].mode&readMask == readPeriodic {
				b = max(b/dims[1], 1) * dims[1]
				break
			}
		}
	}
	return b
}
