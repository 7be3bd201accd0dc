package main

import (
	"fmt"

	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// planeVectors is the width of the widest tile of a plane.
const planeVectors = 8

// Offsets in planeArgs.
const (
	planeX    = 8 * iota // the first pixel
	planeXRow            // bytes between rows of x
	planeY               // y
	planeYRow            // bytes between rows of y
	planeRows            // rows
	planeOffs            // int32 per tap: bytes from a pixel's pointer
	planeTaps            // taps
	planeW               // a float32 per tap
	planeBias            // nil for none
	planeMask            // lanes that exist, as words, of a tile of one vector; nil: all
	planeLo              // lo, hi: two float32
)

// genPlane writes the kernels for one channel of a depthwise convolution, pixels of a row in the lanes.
func genPlane(g *gen) {
	for cols := 1; cols <= planeVectors; cols++ {
		g.planeTile(cols)
	}
}

// planeTile writes the kernel for cols vectors of every row.
func (g *gen) planeTile(cols int) {
	g.begin("plane", []int{1, cols}, fmt.Sprintf("planeTile%d", cols), "planeArgs",
		fmt.Sprintf("y[r,p] = act(bias + sum over taps of w[tap]*x[r][offs[tap]+p]), p < %d, in the order of taps.", cols*g.lanes()))
	var (
		x, y, rows, offs, taps, w, at, bias, mask = reg.RSI, reg.RDI, reg.RAX, reg.RBX, reg.RCX, reg.RDX, reg.R8, reg.R9, reg.R10
		acc                                       = func(c int) reg.VecPhysical { return g.vec(c) }
		wReg, tmp, lo, hi, b, m                   = g.vec(cols), g.vec(cols + 1), g.vec(cols + 2), g.vec(cols + 3), g.vec(cols + 4), g.vec(cols + 5)
		size                                      = g.lanes() * 4
	)
	g.MOVQ(field(planeX), x)
	g.MOVQ(field(planeY), y)
	g.MOVQ(field(planeRows), rows)
	g.VBROADCASTSS(field(planeLo), lo)
	g.VBROADCASTSS(field(planeLo+4), hi)
	g.MOVQ(field(planeBias), bias)
	g.TESTQ(bias, bias)
	g.JZ(op.LabelRef("plain"))
	g.VBROADCASTSS(mem(bias, 0), b)
	g.Label("plain")
	body := func(name string, masked bool) {
		g.Label(name)
		for c := range cols {
			g.zero(acc(c))
		}
		g.MOVQ(field(planeOffs), offs)
		g.MOVQ(field(planeTaps), taps)
		g.MOVQ(field(planeW), w)
		g.Label(name + "Tap")
		g.MOVLQSX(mem(offs, 0), at)
		g.ADDQ(x, at)
		g.VBROADCASTSS(mem(w, 0), wReg)
		for c := range cols {
			switch {
			case masked && g.wide:
				g.VMOVUPS_Z(mem(at, 0), reg.K1, tmp)
				g.madd(acc(c), wReg, tmp, tmp)
			case masked:
				g.VMASKMOVPS(mem(at, 0), m, tmp)
				g.madd(acc(c), wReg, tmp, tmp)
			default:
				g.madd(acc(c), wReg, mem(at, c*size), tmp)
			}
		}
		g.ADDQ(op.Imm(4), offs)
		g.ADDQ(op.Imm(4), w)
		g.DECQ(taps)
		g.JNZ(op.LabelRef(name + "Tap"))
		g.TESTQ(bias, bias)
		g.JZ(op.LabelRef(name + "Biased"))
		for c := range cols {
			g.VADDPS(b, acc(c), acc(c))
		}
		g.Label(name + "Biased")
		for c := range cols { // MAXPS and MINPS return their second source when the comparison is false: NaN and -0 stay
			g.VMAXPS(acc(c), lo, acc(c))
			g.VMINPS(acc(c), hi, acc(c))
			switch {
			case masked && g.wide:
				g.VMOVUPS(acc(c), reg.K1, mem(y, 0))
			case masked:
				g.VMASKMOVPS(acc(c), m, mem(y, 0))
			default:
				g.VMOVUPS(acc(c), mem(y, c*size))
			}
		}
		g.ADDQ(field(planeXRow), x)
		g.ADDQ(field(planeYRow), y)
		g.DECQ(rows)
		g.JNZ(op.LabelRef(name))
	}
	if cols == 1 {
		g.MOVQ(field(planeMask), mask)
		g.TESTQ(mask, mask)
		g.JZ(op.LabelRef("row"))
		g.VMOVUPS(mem(mask, 0), m)
		if g.wide {
			g.VPMOVD2M(m, reg.K1)
		}
		body("part", true)
		g.JMP(op.LabelRef("done"))
	}
	body("row", false)
	g.Label("done")
	g.end()
}
