package main

import (
	"fmt"

	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// gradRows returns the most output channels of a weight-gradient tile.
func (s isa) gradRows() int {
	if s.wide {
		return 8
	}
	return 6
}

// gradVectors returns how many registers hold dy for that many channels: a 512-bit vector holds 8 lanes of two of them.
func (s isa) gradVectors(rows int) int {
	if s.wide {
		return (rows + 1) / 2
	}
	return rows
}

// gradTaps returns the numbers of taps for which a tile exists.
func (s isa) gradTaps(rows int) []int {
	var n []int
	sizes := []int{1, 2, 3, 4}
	if s.wide {
		sizes = []int{1, 3, 5, 7}
	}
	if rows == 1 {
		sizes = []int{1, 2, 3, 5, 7, gradTapsAlone}
	}
	for _, t := range sizes {
		if rows == 1 || s.gradVectors(rows)*t+s.gradFixed(rows, t) <= s.vectorRegs() {
			n = append(n, t)
		}
	}
	return n
}

// gradTapsAlone is the most taps of a tile of one output channel, which reads the pixels as operands: all of a depthwise 3x3.
const gradTapsAlone = 9

// gradFixed returns the registers beside the accumulators: dy and, where they stay, the pixels; without fusing
// one vector of pixels, dy and the product.
func (s isa) gradFixed(rows, taps int) int {
	n := 3
	if s.fma {
		n = taps + 1
	}
	if s.wide {
		n++ // for the upper half of a masked load
	}
	return n
}

// gradTile writes the kernel for the weight gradient of rows output channels and taps taps: a lane each for 8
// neighbouring pixels, over all rows of all images.
func (g *gen) gradTile(rows, taps int) {
	g.begin("grad", []int{rows, taps}, fmt.Sprintf("gradTile%dx%d", rows, taps), "gradArgs",
		fmt.Sprintf("lanes[r,t,l] = sum over image, row, block of dy[r,8*block+l]*x[t,8*block+l], r < %d, t < %d; then the lanes are added up.", rows, taps))
	var (
		images, lines, blocks, dy, xi, ptr, mask = reg.RAX, reg.RBX, reg.RCX, reg.RSI, reg.RDI, reg.RDX, reg.R14
		vecs                                     = g.gradVectors(rows)
		acc                                      = func(v, t int) reg.VecPhysical { return g.vec(v*taps + t) }
		xReg                                     = func(t int) reg.VecPhysical { return g.vec(vecs*taps + t) }
		d, tmp                                   reg.VecPhysical
	)
	// The pointers of a single channel's taps stay in registers where there are some.
	alone := rows == 1
	free := []reg.GPPhysical{reg.R8, reg.R9, reg.R10, reg.R11, reg.R12, reg.R13}
	switch {
	case alone:
		d, tmp = g.vec(taps), g.vec(taps+1)
		xReg = func(int) reg.VecPhysical { return g.vec(taps + 2) }
		for t := range min(taps, len(free)) {
			g.MOVQ(field(gradX+8*t), free[t])
		}
	case g.fma:
		d = g.vec(vecs*taps + taps)
	default:
		xReg = func(int) reg.VecPhysical { return g.vec(vecs * taps) }
		d, tmp = g.vec(vecs*taps+1), g.vec(vecs*taps+2)
	}
	for i := range vecs * taps {
		g.zero(g.vec(i))
	}
	g.MOVQ(field(gradImages), images)
	g.MOVQ(field(gradDY), dy)
	g.strides(rows, gradDYC)
	g.MOVQ(field(gradMask), mask)
	if g.wide {
		g.TESTQ(mask, mask)
		g.JZ(op.LabelRef("unmasked"))
		g.VMOVUPS(mem(mask, 0), half(d))
		g.VPMOVD2M(d, reg.K1) // the upper half of d is zero
		g.Label("unmasked")
	}
	g.XORQ(xi, xi)

	loadX := func(t int, masked bool) {
		src := indexed(ptr, xi, 1)
		g.MOVQ(field(gradX+8*t), ptr)
		switch {
		case g.wide && masked: // both halves of a vector see the same pixels
			g.VMOVUPS_Z(src, reg.K1, half(xReg(t)))
			g.VINSERTF32X8(op.Imm(1), half(xReg(t)), xReg(t), xReg(t))
		case g.wide:
			g.VBROADCASTF32X8(src, xReg(t))
		case masked:
			g.VMOVUPS(mem(mask, 0), xReg(t))
			g.VMASKMOVPS(src, xReg(t), xReg(t))
		default:
			g.VMOVUPS(src, xReg(t))
		}
	}
	loadDY := func(v int, masked bool) {
		switch {
		case g.wide && masked:
			g.VMOVUPS_Z(row(dy, 2*v), reg.K1, half(d))
			if 2*v+1 < rows {
				scratch := g.vec(31)
				g.VMOVUPS_Z(row(dy, 2*v+1), reg.K1, half(scratch))
				g.VINSERTF32X8(op.Imm(1), half(scratch), d, d)
			}
		case g.wide:
			g.VMOVUPS(row(dy, 2*v), half(d))
			if 2*v+1 < rows {
				g.VINSERTF32X8(op.Imm(1), row(dy, 2*v+1), d, d)
			}
		case masked:
			g.VMOVUPS(mem(mask, 0), d)
			g.VMASKMOVPS(row(dy, v), d, d)
		default:
			g.VMOVUPS(row(dy, v), d)
		}
	}
	// stepAlone is the step of one channel: 8 lanes, whatever the width of a register.
	stepAlone := func(masked bool) {
		switch {
		case masked && g.wide:
			g.VMOVUPS_Z(mem(dy, 0), reg.K1, half(d))
		case masked:
			g.VMOVUPS(mem(mask, 0), xReg(0))
			g.VMASKMOVPS(mem(dy, 0), xReg(0), d)
		default:
			g.VMOVUPS(mem(dy, 0), half(d))
		}
		for t := range taps {
			p := ptr
			if t < len(free) {
				p = free[t]
			} else {
				g.MOVQ(field(gradX+8*t), ptr)
			}
			src, x := indexed(p, xi, 1), half(xReg(0))
			switch {
			case masked && g.wide:
				g.VMOVUPS_Z(src, reg.K1, x)
				g.madd(half(acc(0, t)), half(d), x, half(tmp))
			case masked:
				g.VMOVUPS(mem(mask, 0), x)
				g.VMASKMOVPS(src, x, x)
				g.madd(half(acc(0, t)), half(d), x, half(tmp))
			default:
				g.madd(half(acc(0, t)), half(d), src, half(tmp))
			}
		}
	}
	step := func(masked bool) {
		if alone {
			stepAlone(masked)
			return
		}
		if g.fma {
			for t := range taps {
				loadX(t, masked)
			}
			for v := range vecs {
				loadDY(v, masked)
				for t := range taps {
					g.VFMADD231PS(xReg(t), d, acc(v, t))
				}
			}
			return
		}
		for t := range taps {
			loadX(t, masked)
			for v := range vecs {
				loadDY(v, masked)
				g.VMULPS(xReg(t), d, tmp)
				g.VADDPS(tmp, acc(v, t), acc(v, t))
			}
		}
	}
	g.Label("image")
	g.MOVQ(field(gradRows), lines)
	g.Label("line")
	g.MOVQ(field(gradBlocks), blocks)
	g.TESTQ(blocks, blocks)
	g.JZ(op.LabelRef("tail"))
	g.Label("block")
	step(false)
	g.ADDQ(op.Imm(4*group), dy)
	g.ADDQ(op.Imm(4*group), xi)
	g.DECQ(blocks)
	g.JNZ(op.LabelRef("block"))
	g.Label("tail")
	g.TESTQ(mask, mask)
	g.JZ(op.LabelRef("whole"))
	step(true)
	g.ADDQ(field(gradTail), dy)
	g.Label("whole")
	g.ADDQ(field(gradXRow), xi)
	g.DECQ(lines)
	g.JNZ(op.LabelRef("line"))
	g.ADDQ(field(gradDYSkip), dy)
	g.ADDQ(field(gradXSkip), xi)
	g.DECQ(images)
	g.JNZ(op.LabelRef("image"))
	g.gradEpilogue(rows, taps)
	g.end()
}

// gradEpilogue adds the totals of earlier slices, stores the totals, and on the last slice adds the lanes up:
// lane l and l+4, then l+2, then l+1. Totals are kept register by register, so their layout is [vector][tap][lane].
func (g *gen) gradEpilogue(rows, taps int) {
	var (
		lanes, flags, dw, dwRow = reg.RAX, reg.RBX, reg.RCX, reg.RDX
		n                       = g.gradVectors(rows) * taps
		size                    = g.lanes() * 4
	)
	g.MOVQ(field(gradLanes), lanes)
	g.MOVQ(field(gradFlags), flags)
	g.TESTQ(op.U32(flagAdd), flags)
	g.JZ(op.LabelRef("added"))
	for i := range n {
		g.VADDPS(mem(lanes, i*size), g.vec(i), g.vec(i))
	}
	g.Label("added")
	for i := range n {
		g.VMOVUPS(g.vec(i), mem(lanes, i*size))
	}
	g.TESTQ(op.U32(flagFinish), flags)
	g.JZ(op.LabelRef("done"))
	g.MOVQ(field(gradDW), dw)
	g.MOVQ(field(gradDWRow), dwRow)
	for r := range rows {
		for t := range taps {
			at := (r*taps + t) * size
			if g.wide {
				at = (r/2*taps+t)*size + r%2*size/2
			}
			g.VMOVUPS(mem(lanes, at), reg.X0)
			g.VADDPS(mem(lanes, at+16), reg.X0, reg.X0)
			g.VMOVHLPS(reg.X0, reg.X0, reg.X1)
			g.VADDPS(reg.X1, reg.X0, reg.X0)
			g.VMOVSHDUP(reg.X0, reg.X1)
			g.VADDSS(reg.X1, reg.X0, reg.X0)
			g.VMOVSS(reg.X0, mem(dw, 4*t))
		}
		if r+1 < rows {
			g.ADDQ(dwRow, dw)
		}
	}
	g.Label("done")
}
