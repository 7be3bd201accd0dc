package main

import (
	"fmt"

	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// depthwisePixels is the height of the tallest tile of a depthwise convolution: its accumulators hide the latency of a multiply-add.
const depthwisePixels = 8

// genDepthwise writes the channels-last depthwise tiles of a set.
func genDepthwise(g *gen) {
	for rows := 1; rows <= depthwisePixels; rows++ {
		g.depthwiseTile(rows)
	}
}

// depthwiseTile writes the kernel for rows pixels and all channels, a vector at a time.
func (g *gen) depthwiseTile(rows int) {
	g.begin("depthwise", []int{rows, 1}, fmt.Sprintf("depthwiseTile%d", rows), "depthwiseArgs",
		fmt.Sprintf("y[p,c] = sum over taps of x[p][offs[tap]+c]*w[tap,c], p < %d, in the order of taps; then the epilogue.", rows))
	var (
		ptrs               = []reg.GPPhysical{reg.RAX, reg.RBX, reg.RCX, reg.RDX, reg.R8, reg.R9, reg.R10, reg.R11}
		at, w, offs, taps  = reg.RSI, reg.RDI, reg.R12, reg.R13
		c                  = reg.R14 // bytes of the channels before this vector
		acc                = func(r int) reg.VecPhysical { return g.vec(r) }
		wReg, tmp          = g.vec(rows), g.vec(rows + 1)
		lo, hi, mask, size = g.vec(rows + 2), g.vec(rows + 3), g.vec(rows + 4), g.lanes() * 4
	)
	g.MOVQ(field(dwW), w)
	for r := range rows {
		g.MOVQ(field(dwX+8*r), ptrs[r])
	}
	g.VBROADCASTSS(field(dwLo), lo)
	g.VBROADCASTSS(field(dwLo+4), hi)
	g.XORQ(c, c)
	body := func(name string, masked bool) {
		// load reads a vector into tmp, absent channels as zeros.
		load := func(src op.Mem) {
			switch {
			case masked && g.wide:
				g.VMOVUPS_Z(src, reg.K1, tmp)
			case masked:
				g.VMASKMOVPS(src, mask, tmp)
			default:
				g.VMOVUPS(src, tmp)
			}
		}
		for r := range rows {
			g.zero(acc(r))
		}
		g.MOVQ(field(dwOffs), offs)
		g.MOVQ(field(dwTaps), taps)
		g.Label(name + "Tap")
		g.MOVLQSX(mem(offs, 0), at)
		g.ADDQ(c, at)
		g.VMOVUPS(mem(w, 0), wReg)
		for r := range rows {
			src := indexed(ptrs[r], at, 1)
			switch {
			case masked:
				load(src)
				g.madd(acc(r), wReg, tmp, tmp)
			default:
				g.madd(acc(r), wReg, src, tmp)
			}
		}
		g.ADDQ(op.Imm(uint64(size)), w)
		g.ADDQ(op.Imm(4), offs)
		g.DECQ(taps)
		g.JNZ(op.LabelRef(name + "Tap"))
		y, ys, p := at, offs, taps
		g.MOVQ(field(dwYS), ys)
		g.MOVQ(field(dwBias), p)
		g.TESTQ(p, p)
		g.JZ(op.LabelRef(name + "Biased"))
		load(indexed(p, c, 1))
		for r := range rows {
			g.VADDPS(tmp, acc(r), acc(r))
		}
		g.Label(name + "Biased")
		g.MOVQ(field(dwRes), p)
		g.TESTQ(p, p)
		g.JZ(op.LabelRef(name + "Added"))
		g.ADDQ(c, p)
		for r := range rows {
			load(mem(p, 0))
			g.VADDPS(tmp, acc(r), acc(r))
			if r+1 < rows {
				g.ADDQ(ys, p)
			}
		}
		g.Label(name + "Added")
		g.MOVQ(field(dwFlags), p)
		g.TESTQ(op.U32(flagClamp), p)
		g.JZ(op.LabelRef(name + "Clamped"))
		for r := range rows { // MAXPS and MINPS return their second source when the comparison is false: NaN and -0 stay
			g.VMAXPS(acc(r), lo, acc(r))
			g.VMINPS(acc(r), hi, acc(r))
		}
		g.Label(name + "Clamped")
		g.MOVQ(field(dwY), y)
		g.ADDQ(c, y)
		for r := range rows {
			switch {
			case masked && g.wide:
				g.VMOVUPS(acc(r), reg.K1, mem(y, 0))
			case masked:
				g.VMASKMOVPS(acc(r), mask, mem(y, 0))
			default:
				g.VMOVUPS(acc(r), mem(y, 0))
			}
			if r+1 < rows {
				g.ADDQ(ys, y)
			}
		}
	}
	g.CMPQ(c, field(dwWhole))
	g.JE(op.LabelRef("rest"))
	g.Label("block")
	body("block", false)
	g.ADDQ(op.Imm(uint64(size)), c)
	g.CMPQ(c, field(dwWhole))
	g.JNE(op.LabelRef("block"))
	g.Label("rest")
	if g.wide {
		g.MOVQ(field(dwBits), taps)
		g.TESTQ(taps, taps)
		g.JZ(op.LabelRef("done"))
		g.KMOVW(taps.As32(), reg.K1)
	} else {
		g.MOVQ(field(dwMask), taps)
		g.TESTQ(taps, taps)
		g.JZ(op.LabelRef("done"))
		g.VMOVUPS(mem(taps, 0), mask)
	}
	body("rest", true)
	g.Label("done")
	g.end()
}
