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

// planeTogether is how many rows the narrow tiles take together, so that a sum need not wait for the one before it.
const planeTogether = 4

// planeTile writes the kernel for cols vectors of every row.
func (g *gen) planeTile(cols int) {
	g.begin("plane", []int{1, cols}, fmt.Sprintf("planeTile%d", cols), "planeArgs",
		fmt.Sprintf("y[r,p] = act(bias + sum over taps of w[tap]*x[r][offs[tap]+p]), p < %d, in the order of taps.", cols*g.lanes()))
	var (
		x, y, rows, offs, taps, w, tap, bias, mask = reg.RSI, reg.RDI, reg.RAX, reg.RBX, reg.RCX, reg.RDX, reg.R8, reg.R9, reg.R10
		xRow, xRow3                                = reg.R11, reg.R12
		together                                   = !g.wide && cols <= 2
		sums                                       = cols
		size                                       = g.lanes() * 4
	)
	if together {
		sums *= planeTogether
	}
	acc := func(r, c int) reg.VecPhysical { return g.vec(r*cols + c) }
	wReg, tmp, lo, hi, b, m := g.vec(sums), g.vec(sums+1), g.vec(sums+2), g.vec(sums+3), g.vec(sums+4), g.vec(sums+5)
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
	// body writes the loop over n rows at a time, as long as there are that many.
	body := func(name string, n int, masked bool) {
		at := func(r, c int) op.Mem {
			m := mem(tap, c*size)
			switch r {
			case 1:
				m.Index, m.Scale = xRow, 1
			case 2:
				m.Index, m.Scale = xRow, 2
			case 3:
				m.Index, m.Scale = xRow3, 1
			}
			return m
		}
		g.Label(name)
		for i := range n * cols {
			g.zero(g.vec(i))
		}
		g.MOVQ(field(planeOffs), offs)
		g.MOVQ(field(planeTaps), taps)
		g.MOVQ(field(planeW), w)
		g.Label(name + "Tap")
		g.MOVLQSX(mem(offs, 0), tap)
		g.ADDQ(x, tap)
		g.VBROADCASTSS(mem(w, 0), wReg)
		for r := range n {
			for c := range cols {
				switch {
				case masked && g.wide:
					g.VMOVUPS_Z(at(r, c), reg.K1, tmp)
					g.madd(acc(r, c), wReg, tmp, tmp)
				case masked:
					g.VMASKMOVPS(at(r, c), m, tmp)
					g.madd(acc(r, c), wReg, tmp, tmp)
				default:
					g.madd(acc(r, c), wReg, at(r, c), tmp)
				}
			}
		}
		g.ADDQ(op.Imm(4), offs)
		g.ADDQ(op.Imm(4), w)
		g.DECQ(taps)
		g.JNZ(op.LabelRef(name + "Tap"))
		g.TESTQ(bias, bias)
		g.JZ(op.LabelRef(name + "Biased"))
		for i := range n * cols {
			g.VADDPS(b, g.vec(i), g.vec(i))
		}
		g.Label(name + "Biased")
		for r := range n {
			for c := range cols { // MAXPS and MINPS return their second source when the comparison is false: NaN and -0 stay
				v := acc(r, c)
				g.VMAXPS(v, lo, v)
				g.VMINPS(v, hi, v)
				switch {
				case masked && g.wide:
					g.VMOVUPS(v, reg.K1, mem(y, 0))
				case masked:
					g.VMASKMOVPS(v, m, mem(y, 0))
				default:
					g.VMOVUPS(v, mem(y, c*size))
				}
			}
			if n == 1 {
				g.ADDQ(field(planeXRow), x)
			}
			g.ADDQ(field(planeYRow), y)
		}
		if n == 1 {
			g.DECQ(rows)
			g.JNZ(op.LabelRef(name))
			return
		}
		g.LEAQ(op.Mem{Base: x, Index: xRow, Scale: 4}, x)
		g.SUBQ(op.Imm(planeTogether), rows)
		g.CMPQ(rows, op.Imm(planeTogether))
		g.JGE(op.LabelRef(name))
		g.TESTQ(rows, rows)
		g.JZ(op.LabelRef("done"))
	}
	if cols == 1 {
		g.MOVQ(field(planeMask), mask)
		g.TESTQ(mask, mask)
		next := "row"
		if together {
			next = "whole"
		}
		g.JZ(op.LabelRef(next))
		g.VMOVUPS(mem(mask, 0), m)
		if g.wide {
			g.VPMOVD2M(m, reg.K1)
		}
		body("part", 1, true)
		g.JMP(op.LabelRef("done"))
	}
	if together {
		g.Label("whole")
		g.CMPQ(rows, op.Imm(planeTogether))
		g.JLT(op.LabelRef("row"))
		g.MOVQ(field(planeXRow), xRow)
		g.LEAQ(op.Mem{Base: xRow, Index: xRow, Scale: 2}, xRow3)
		body("rows", planeTogether, false)
	}
	body("row", 1, false)
	g.Label("done")
	g.end()
}
