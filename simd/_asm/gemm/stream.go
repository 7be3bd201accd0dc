package main

import (
	"fmt"

	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Offsets in streamArgs (simd/gemm_stream_native.go).
const (
	streamP    = 8 * iota // sums: row r is at p + r*ps
	streamPS              // bytes between rows of sums
	streamB               // rows of B, bs apart
	streamBS              //
	streamA               // element (row, k) is at a + (row*depth + k)*4
	streamRows            // at least 1
	streamN               // columns
	streamMask            // lanes of the last vector: words for AVX2, bits for AVX-512; 0: it is whole
	streamZero            // not 0: the sums start at +0
)

// streamDepth is how many rows of B are read side by side; the rows that are left take kernels of half as many.
const streamDepth = 8

// stream writes the kernel that adds depth rows of B, times rows of A, to the sums of some rows of C. It reads B from end to end; registers hold
// depth rows of a vector (two, with AVX-512) while the rows of A pass.
func (g *gen) stream(depth int) {
	g.begin("stream", []int{depth, 1}, fmt.Sprintf("streamTile%d", depth), "streamArgs",
		fmt.Sprintf("p[r,j] += sum over k of A[r,k]*B[k,j], k < %d, in the order of k.", depth))
	var (
		p, ps, b, bs, rows, n, zero = reg.RDI, reg.RAX, reg.RSI, reg.RBX, reg.RDX, reg.RCX, reg.R8
		a, q, left, bs3, b4         = reg.R9, reg.R10, reg.R11, reg.R12, reg.R13
		mask                        = reg.R14
	)
	for _, l := range []struct {
		offset int
		r      reg.GPPhysical
	}{{streamP, p}, {streamPS, ps}, {streamB, b}, {streamBS, bs}, {streamRows, rows}, {streamN, n}, {streamZero, zero}, {streamMask, mask}} {
		g.MOVQ(field(l.offset), l.r)
	}
	g.LEAQ(indexed(bs, bs, 2), bs3)
	rowB := func(k, disp int) op.Mem {
		base := reg.Register(b)
		if k >= 4 {
			base, k = b4, k-4
		}
		m := mem(base, disp)
		if k > 0 {
			m.Index, m.Scale = []reg.Register{bs, bs, bs3}[k-1], []uint8{1, 2, 1}[k-1]
		}
		return m
	}
	// part emits the products of some vectors, the last of them masked or not.
	part := func(name string, vecs int, masked bool) {
		bReg := func(k, v int) reg.VecPhysical { return g.vec(k*vecs + v) }
		sum := func(v int) reg.VecPhysical { return g.vec(depth*vecs + v) }
		bcast, tmp, m := g.vec(depth*vecs+vecs), g.vec(depth*vecs+vecs+1), g.vec(depth*vecs+vecs+2)
		if !g.wide && masked {
			g.VMOVUPS(mem(mask, 0), m)
		}
		if depth > 4 {
			g.LEAQ(indexed(b, bs, 4), b4)
		}
		load := func(src op.Mem, to reg.VecPhysical) {
			switch {
			case masked && g.wide:
				g.VMOVUPS_Z(src, reg.K1, to)
			case masked:
				g.VMASKMOVPS(src, m, to)
			default:
				g.VMOVUPS(src, to)
			}
		}
		size := 4 * g.lanes()
		for k := range depth {
			for v := range vecs {
				load(rowB(k, v*size), bReg(k, v))
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
			load(mem(q, v*size), sum(v))
		}
		g.Label(name + "Zero")
		for k := range depth {
			g.VBROADCASTSS(mem(a, 4*k), bcast)
			for v := range vecs {
				g.madd(sum(v), bcast, bReg(k, v), tmp)
			}
		}
		for v := range vecs {
			switch {
			case masked && g.wide:
				g.VMOVUPS(sum(v), reg.K1, mem(q, v*size))
			case masked:
				g.VMASKMOVPS(sum(v), m, mem(q, v*size))
			default:
				g.VMOVUPS(sum(v), mem(q, v*size))
			}
		}
		g.ADDQ(op.U32(4*depth), a)
		g.ADDQ(ps, q)
		g.DECQ(left)
		g.JNZ(op.LabelRef(name + "Row"))
		g.ADDQ(op.U32(vecs*size), b)
		g.ADDQ(op.U32(vecs*size), p)
	}
	lanes := g.lanes()
	loop := func(name string, vecs int) {
		g.Label(name)
		g.CMPQ(n, op.U32(vecs*lanes))
		g.JLT(op.LabelRef(name + "Done"))
		part(name, vecs, false)
		g.SUBQ(op.U32(vecs*lanes), n)
		g.JMP(op.LabelRef(name))
		g.Label(name + "Done")
	}
	if g.wide {
		loop("pairs", 2)
	}
	loop("vectors", 1)
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
