package main

import (
	"fmt"

	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Offsets in streamArgs (simd/gemm_stream_native.go).
const (
	streamP    = 8 * iota // sums, in panels of two vectors: [panel][row][2*lanes]
	streamB               // rows of B, bs apart
	streamBS              //
	streamA               // element (row, k) is at a + (row*depth + k)*4
	streamRows            // at least 1
	streamN               // columns
	streamMask            // lanes of the last vector: words for AVX2, bits for AVX-512; 0: it is whole
	streamZero            // not 0: the sums start at +0
	streamNext            // bytes from b to what is fetched while the last streamAhead columns are read
)

// streamAhead is for how many columns before the end of its rows a kernel fetches the beginning of those that come next: the processor sees only that
// rows go on.
const streamAhead = 128

// streamDepths are how many rows of B the kernels of a set read side by side: as many as registers hold, and fewer for those that are left.
func (s isa) streamDepths() []int {
	if s.wide {
		return []int{8, 4, 2, 1}
	}
	return []int{6, 4, 2, 1}
}

// stream writes the kernel that adds depth rows of B, times rows of A, to the sums of some rows of C. It reads B from end to end, whole cache lines;
// registers hold depth rows of two vectors while the rows of A pass. The sums of two vectors follow one another: those of all rows, as rows of C, would
// begin at the same place of a page when N is a power of two, and fill one set of L1 together with B's.
func (g *gen) stream(depth int) {
	g.begin("stream", []int{depth, 1}, fmt.Sprintf("streamTile%d", depth), "streamArgs",
		fmt.Sprintf("p[r,j] += sum over k of A[r,k]*B[k,j], k < %d, in the order of k.", depth))
	var (
		p, b, bs, rows, n, zero = reg.RDI, reg.RSI, reg.RBX, reg.RDX, reg.RCX, reg.R8
		a, q, left, bs3, b4     = reg.R9, reg.R10, reg.R11, reg.R12, reg.R13
		mask                    = reg.R14
	)
	for _, l := range []struct {
		offset int
		r      reg.GPPhysical
	}{{streamP, p}, {streamB, b}, {streamBS, bs}, {streamRows, rows}, {streamN, n}, {streamZero, zero}, {streamMask, mask}} {
		g.MOVQ(field(l.offset), l.r)
	}
	g.LEAQ(indexed(bs, bs, 2), bs3)
	// row returns the address of row k from b, row 4 being at b4.
	row := func(b, b4 reg.Register, k, disp int) op.Mem {
		if k >= 4 {
			b, k = b4, k-4
		}
		m := mem(b, disp)
		if k > 0 {
			m.Index, m.Scale = []reg.Register{bs, bs, bs3}[k-1], []uint8{1, 2, 1}[k-1]
		}
		return m
	}
	size := 4 * g.lanes()
	// part emits the products of one or two vectors, the last of them masked or not.
	part := func(name string, vecs int, masked bool) {
		bReg := func(k, v int) reg.VecPhysical { return g.vec(k*vecs + v) }
		sum := func(v int) reg.VecPhysical { return g.vec(depth*vecs + v) }
		bcast, tmp := g.vec(depth*vecs+vecs), g.vec(depth*vecs+vecs+1)
		if masked && !g.wide {
			g.VMOVUPS(mem(mask, 0), tmp)
		}
		if depth > 4 {
			g.LEAQ(indexed(b, bs, 4), b4)
		}
		if depth == g.streamDepths()[0] && vecs == 2 {
			g.CMPQ(n, op.U32(streamAhead))
			g.JGT(op.LabelRef(name + "Inside"))
			g.MOVQ(field(streamNext), q)
			g.ADDQ(b, q)
			g.LEAQ(indexed(q, bs, 4), a)
			for k := range depth {
				g.PREFETCHT0(row(q, a, k, 0))
			}
			g.Label(name + "Inside")
		}
		for k := range depth {
			for v := range vecs {
				switch src := row(b, b4, k, v*size); {
				case masked && g.wide:
					g.VMOVUPS_Z(src, reg.K1, bReg(k, v))
				case masked:
					g.VMASKMOVPS(src, tmp, bReg(k, v))
				default:
					g.VMOVUPS(src, bReg(k, v))
				}
			}
		}
		g.MOVQ(field(streamA), a)
		g.MOVQ(p, q)
		g.MOVQ(rows, left)
		g.Label(name + "Row")
		for v := range vecs {
			g.zero(sum(v))
		}
		g.TESTQ(zero, zero)
		g.JNZ(op.LabelRef(name + "Zero"))
		for v := range vecs {
			g.VMOVUPS(mem(q, v*size), sum(v))
		}
		g.Label(name + "Zero")
		for k := range depth {
			g.VBROADCASTSS(mem(a, 4*k), bcast)
			for v := range vecs {
				g.madd(sum(v), bcast, bReg(k, v), tmp)
			}
		}
		for v := range vecs {
			g.VMOVUPS(sum(v), mem(q, v*size))
		}
		g.ADDQ(op.U32(4*depth), a)
		g.ADDQ(op.U32(2*size), q)
		g.DECQ(left)
		g.JNZ(op.LabelRef(name + "Row"))
	}
	g.Label("pairs")
	g.CMPQ(n, op.U32(2*g.lanes()))
	g.JLT(op.LabelRef("vector"))
	part("pairs", 2, false)
	g.ADDQ(op.U32(2*size), b)
	g.MOVQ(q, p)
	g.SUBQ(op.U32(2*g.lanes()), n)
	g.JMP(op.LabelRef("pairs"))
	g.Label("vector")
	g.CMPQ(n, op.U32(g.lanes()))
	g.JLT(op.LabelRef("last"))
	part("vector", 1, false)
	g.ADDQ(op.U32(size), b)
	g.ADDQ(op.U32(size), p)
	g.SUBQ(op.U32(g.lanes()), n)
	g.Label("last")
	g.TESTQ(n, n)
	g.JZ(op.LabelRef("end"))
	if g.wide {
		g.KMOVW(mask.As32(), reg.K1)
	}
	part("last", 1, true)
	g.Label("end")
	g.end()
}

// Offsets in finishArgs.
const (
	finishSums  = 8 * iota
	finishC     //
	finishN     // elements
	finishBiasM // one element, or nil
	finishBiasN // n elements, or nil
	finishFlags // see flag constants
	finishLo    // lo, hi: two float32
)

// finish writes the kernel that brings a row of sums into C.
func (g *gen) finish() {
	g.begin("", nil, "finishRow", "finishArgs", "the row c of a product from sums that are ready: c (or +0) + sums, then the epilogue of the flags.")
	sums, c, n, biasM, biasN, flags := reg.RSI, reg.RDI, reg.RCX, reg.RAX, reg.RBX, reg.RDX
	g.MOVQ(field(finishSums), sums)
	g.MOVQ(field(finishC), c)
	g.MOVQ(field(finishN), n)
	g.MOVQ(field(finishBiasM), biasM)
	g.MOVQ(field(finishBiasN), biasN)
	g.MOVQ(field(finishFlags), flags)
	x, lo, hi, bm := ymm[0], ymm[1], ymm[2], ymm[3]
	g.VBROADCASTSS(field(finishLo), lo)
	g.VBROADCASTSS(field(finishLo+4), hi)
	g.TESTQ(biasM, biasM)
	g.JZ(op.LabelRef("vectors"))
	g.VBROADCASTSS(mem(biasM, 0), bm)
	body := func(name string, scalar bool) {
		size := 32
		add := func(src op.Op) { g.VADDPS(src, x, x) }
		if scalar {
			size = 4
			add = func(src op.Op) { g.VADDSS(src, quarter(x), quarter(x)) }
			g.VMOVSS(mem(sums, 0), quarter(x))
		} else {
			g.VMOVUPS(mem(sums, 0), x)
		}
		skip := func(flag uint64, label string, do func()) {
			g.TESTQ(op.U32(flag), flags)
			g.JZ(op.LabelRef(name + label))
			do()
			g.Label(name + label)
		}
		skip(flagAdd, "Added", func() { add(mem(c, 0)) })
		g.TESTQ(op.U32(flagFinish), flags)
		g.JZ(op.LabelRef(name + "Store"))
		g.TESTQ(biasM, biasM)
		g.JZ(op.LabelRef(name + "BiasedM"))
		if scalar {
			add(quarter(bm))
		} else {
			add(bm)
		}
		g.Label(name + "BiasedM")
		g.TESTQ(biasN, biasN)
		g.JZ(op.LabelRef(name + "BiasedN"))
		add(mem(biasN, 0))
		g.ADDQ(op.Imm(uint64(size)), biasN)
		g.Label(name + "BiasedN")
		skip(flagClamp, "Clamped", func() {
			if scalar {
				g.VMAXSS(quarter(x), quarter(lo), quarter(x))
				g.VMINSS(quarter(x), quarter(hi), quarter(x))
				return
			}
			g.VMAXPS(x, lo, x)
			g.VMINPS(x, hi, x)
		})
		g.Label(name + "Store")
		if scalar {
			g.VMOVSS(quarter(x), mem(c, 0))
		} else {
			g.VMOVUPS(x, mem(c, 0))
		}
		g.ADDQ(op.Imm(uint64(size)), sums)
		g.ADDQ(op.Imm(uint64(size)), c)
		g.SUBQ(op.Imm(uint64(size/4)), n)
	}
	g.Label("vectors")
	g.CMPQ(n, op.Imm(8))
	g.JLT(op.LabelRef("elements"))
	body("vector", false)
	g.JMP(op.LabelRef("vectors"))
	g.Label("elements")
	g.TESTQ(n, n)
	g.JZ(op.LabelRef("end"))
	body("element", true)
	g.JMP(op.LabelRef("elements"))
	g.Label("end")
	g.end()
}
