package compile

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// Two kernels run chains; they differ in how many slots they keep on the stack, which has to be cleared for every call.
var (
	kChain     = prog.Kernel{Name: "Elementwise", Run: runChain}
	kChainWide = prog.Kernel{Name: "ElementwiseWide", Run: runChainWide}
)

const (
	fewSlots  = 12
	manySlots = maxChainIn + 2*maxChainOps + maxChainIn
)

// chainSlot is an operand, output or register for the block at hand.
type chainSlot struct {
	f      []float32
	u      []uint8
	s      float32
	scalar bool
}

func runChain(w *prog.Worker, s *prog.Step, tile int) {
	var slots [fewSlots]chainSlot
	chainTileRun(w, s, tile, slots[:])
}

func runChainWide(w *prog.Worker, s *prog.Step, tile int) {
	var slots [manySlots]chainSlot
	chainTileRun(w, s, tile, slots[:])
}

// chainCode is a chain's code, taken apart.
type chainCode struct {
	refs   []uint64
	hdr    []int32
	dims   []int32
	args   []int32
	code   []int32
	n      int
	nIn    int
	rank   int
	block  int
	argLen int
}

func chainTileRun(w *prog.Worker, s *prog.Step, tile int, slots []chainSlot) {
	nRefs := int(s.N[0])
	var c chainCode
	c.refs = w.U64(s.A[0], nRefs)
	words := w.I32(s.A[0].Add(8*nRefs), int(s.N[1]))
	c.hdr = words[:hdrWords]
	c.n = int(s.N[2]) | int(s.N[3])<<31
	c.nIn, c.rank, c.block = int(c.hdr[hdrIn]), int(c.hdr[hdrRank]), int(c.hdr[hdrBlock])
	c.argLen = 1 + c.rank
	words = words[hdrWords:]
	c.dims, words = words[:c.rank], words[c.rank:]
	c.args, c.code = words[:c.nIn*c.argLen], words[c.nIn*c.argLen:]

	lo, hi := prog.Span(c.n, c.block, tile, int(s.Tiles))
	if c.runLone(w, lo, hi) {
		return
	}
	run := int(c.hdr[hdrRun])
	row, col := 0, 0 // of the next element, where blocks lie in runs; counted, because divisions cost as much as a short run
	if run > 0 && lo < hi {
		row, col = lo/run, lo%run
	}
	for p := lo; p < hi; {
		n := min(c.block, hi-p)
		if run > 0 {
			n = min(n, run-col)
		}
		c.load(w, slots, p, n, row, col, p == lo)
		c.exec(slots, n)
		p += n
		if col += n; col == run {
			row, col = row+1, 0
		}
	}
}

// runLone runs a chain that is one operator of two operands, run by run, of which each is short: what all runs have in common is worked out once. It
// returns false for other chains.
func (c *chainCode) runLone(w *prog.Worker, lo, hi int) bool {
	run := int(c.hdr[hdrRun])
	if run == 0 || lo >= hi || c.nIn != 2 || c.hdr[hdrOut] != 1 || c.hdr[hdrRegs] != 0 || len(c.code) != instrWords || graph.ElemKind(c.code[insKind]) != graph.ElemBinary {
		return false
	}
	ia, ib := int(c.code[insA]), int(c.code[insB])
	if ia+ib != 1 { // an operand and itself
		return false
	}
	sa, sb := c.args[ia*c.argLen+1:][:c.rank], c.args[ib*c.argLen+1:][:c.rank]
	a, b := w.F32(prog.Ref(c.refs[ia]), c.extent(sa)), w.F32(prog.Ref(c.refs[ib]), c.extent(sb))
	d := w.F32(prog.Ref(c.refs[2]).Add(4*lo), hi-lo)
	op := simd.BinaryOp(c.code[insOp])
	ma, mb := c.args[ia*c.argLen], c.args[ib*c.argLen]
	row, col := lo/run, lo%run
	for len(d) > 0 {
		n := min(run-col, len(d))
		pa, pb := c.offset(sa, row), c.offset(sb, row)
		switch {
		case mb == readScalar:
			simd.ZipScalar(op, d[:n], a[pa+col:pa+col+n], b[pb])
		case ma == readScalar:
			simd.ScalarZip(op, d[:n], a[pa], b[pb+col:pb+col+n])
		default:
			simd.Zip(op, d[:n], a[pa+col:pa+col+n], b[pb+col:pb+col+n])
		}
		d = d[n:]
		row, col = row+1, 0
	}
	return true
}

// extent returns how many elements an operand spans.
func (c *chainCode) extent(strides []int32) int {
	n := 1
	for i, s := range strides {
		n += (int(c.dims[i]) - 1) * int(s)
	}
	return n
}

// load points the slots at the block [p, p+n), which is in column col of run number row.
func (c *chainCode) load(w *prog.Worker, slots []chainSlot, p, n, row, col int, first bool) {
	run := int(c.hdr[hdrRun])
	outs := int(c.hdr[hdrOut])
	regs := slots[c.nIn+outs:]
	for k := range c.nIn {
		a := c.args[k*c.argLen : (k+1)*c.argLen]
		mode, strides, sl := int(a[0]), a[1:], &slots[k]
		ref := prog.Ref(c.refs[k])
		isBool := mode&readBool != 0
		switch mode & readMask {
		case readVector:
			at := p
			if run > 0 {
				at = c.offset(strides, row) + col
			}
			if isBool {
				sl.u = w.Bytes(ref.Add(at), n)
			} else {
				sl.f = w.F32(ref.Add(4*at), n)
			}
		case readScalar:
			if run > 0 {
				if first || col == 0 {
					sl.s = w.F32(ref.Add(4*c.offset(strides, row)), 1)[0]
				}
			} else if first {
				sl.s = w.F32(ref, 1)[0]
			}
			sl.scalar = true
		case readSplat:
			if run == 0 && !first {
				c.cut(sl, w, mode, n, isBool)
				continue
			}
			at, most := 0, min(c.block, c.n)
			if run > 0 {
				at, most = c.offset(strides, row), n
			}
			c.cut(sl, w, mode, most, isBool)
			if isBool {
				fillBytes(sl.u, w.Bytes(ref.Add(at), 1)[0])
			} else {
				fillFloats(sl.f, w.F32(ref.Add(4*at), 1)[0])
			}
			c.cut(sl, w, mode, n, isBool)
		case readFill:
			c.cut(sl, w, mode, n, isBool)
			c.gather(w, sl, ref, strides, p, isBool)
		case readPeriodic:
			if first {
				c.cut(sl, w, mode, min(c.block, c.n), isBool)
				c.gather(w, sl, ref, strides, p, isBool)
			}
			c.cut(sl, w, mode, n, isBool)
		}
	}
	for k := range outs {
		sl := &slots[c.nIn+k]
		ref := prog.Ref(c.refs[c.nIn+k])
		if c.hdr[hdrBools]>>k&1 != 0 {
			sl.u = w.Bytes(ref.Add(p), n)
		} else {
			sl.f = w.F32(ref.Add(4*p), n)
		}
	}
	for r := range int(c.hdr[hdrRegs]) {
		b := w.Scratch[r*4*c.block : r*4*c.block+4*n]
		regs[r].f, regs[r].u = tensor.Cast[float32](b), b[:n]
	}
}

// cut points a slot at the first n elements of its register.
func (c *chainCode) cut(sl *chainSlot, w *prog.Worker, mode, n int, isBool bool) {
	o := (mode >> 8) * 4 * c.block
	if isBool {
		sl.u = w.Scratch[o : o+n]
	} else {
		sl.f = tensor.Cast[float32](w.Scratch[o : o+4*n])
	}
}

// offset returns where an operand's elements for row number r of the last dimension begin.
func (c *chainCode) offset(strides []int32, r int) int {
	at := 0
	for i := c.rank - 2; i > 0; i-- {
		d := uint32(c.dims[i])
		q := uint32(r) / d
		at += int(uint32(r)-q*d) * int(strides[i])
		r = int(q)
	}
	return at + r*int(strides[0])
}

// gather copies a broadcast operand's elements for the positions from p on into the slot.
func (c *chainCode) gather(w *prog.Worker, sl *chainSlot, ref prog.Ref, strides []int32, p int, isBool bool) {
	n := len(sl.f)
	if isBool {
		n = len(sl.u)
	}
	inner, step := int(c.dims[c.rank-1]), int(strides[c.rank-1])
	row, col := p/inner, p%inner
	for i := 0; i < n; {
		k := min(inner-col, n-i)
		at := c.offset(strides, row) + col*step
		switch {
		case isBool && step == 0:
			fillBytes(sl.u[i:i+k], w.Bytes(ref.Add(at), 1)[0])
		case isBool:
			copy(sl.u[i:i+k], w.Bytes(ref.Add(at), k))
		case step == 0:
			fillFloats(sl.f[i:i+k], w.F32(ref.Add(4*at), 1)[0])
		default:
			copy(sl.f[i:i+k], w.F32(ref.Add(4*at), k))
		}
		i += k
		row, col = row+1, 0
	}
}

func fillFloats(d []float32, v float32) {
	for i := range d {
		d[i] = v
	}
}

func fillBytes(d []uint8, v uint8) {
	for i := range d {
		d[i] = v
	}
}

// exec runs the code on one block of n elements.
func (c *chainCode) exec(slots []chainSlot, n int) {
	for code := c.code; len(code) >= instrWords; code = code[instrWords:] {
		i := code[:instrWords]
		d, a := &slots[i[insDst]], &slots[i[insA]]
		switch graph.ElemKind(i[insKind]) {
		case graph.ElemUnary:
			simd.Map(simd.UnaryOp(i[insOp]), d.f[:n], a.f[:n], math.Float32frombits(uint32(i[insP0])), math.Float32frombits(uint32(i[insP1])))
		case graph.ElemBinary:
			b, op := &slots[i[insB]], simd.BinaryOp(i[insOp])
			switch {
			case b.scalar:
				simd.ZipScalar(op, d.f[:n], a.f[:n], b.s)
			case a.scalar:
				simd.ScalarZip(op, d.f[:n], a.s, b.f[:n])
			default:
				simd.Zip(op, d.f[:n], a.f[:n], b.f[:n])
			}
		case graph.ElemSelect:
			simd.Select(d.f[:n], a.u[:n], slots[i[insB]].f[:n], slots[i[insC]].f[:n])
		case graph.ElemCompare:
			b, op := &slots[i[insB]], simd.CmpOp(i[insOp])
			if b.scalar {
				simd.CompareScalar(op, d.u[:n], a.f[:n], b.s)
			} else {
				simd.Compare(op, d.u[:n], a.f[:n], b.f[:n])
			}
		}
	}
}
