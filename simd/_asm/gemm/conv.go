package main

import (
	"fmt"

	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A group is 8 neighbouring pixels of an output row.
const group = 8

// genConv writes the direct convolution tiles and the weight-gradient tiles of a set.
func genConv(g *gen) {
	for rows := 1; rows <= g.maxRows(); rows++ {
		widths := g.convWidths(rows)
		for _, cols := range widths {
			g.convTile(rows, cols, g.wide)
		}
		if g.wide {
			g.convTile(rows, widths[len(widths)-1], false)
		}
	}
	for rows := 1; rows <= g.gradRows(); rows++ {
		for _, taps := range g.gradTaps(rows) {
			g.gradTile(rows, taps)
		}
	}
}

// convWidths returns the widths, in vectors, of convolution tiles: at most 8 groups.
func (s isa) convWidths(rows int) []int {
	var w []int
	for n := 1; n <= 64/s.lanes(); n++ {
		if n != 5 && n != 7 && rows*n+n+s.fixedRegs() <= s.vectorRegs() || rows*n <= 12 && n <= 3 && !s.wide {
			w = append(w, n)
		}
	}
	return w
}

// convTile writes the kernel for rows output channels and cols vectors of pixels. With pairs a vector is two groups of 8
// pixels which need not be neighbours; otherwise all its pixels are.
func (g *gen) convTile(rows, cols int, pairs bool) {
	table, name := "conv", fmt.Sprintf("convTile%dx%dx%d", rows, cols, g.lanes())
	if pairs {
		table, name = "convPairs", fmt.Sprintf("convTile%dx%dx8", rows, 2*cols)
	}
	g.begin(table, []int{rows, cols}, name, "convArgs",
		fmt.Sprintf("y[r,p] (+)= sum over k of w[k,r]*x[offs[k]+p], r < %d, over groups of pixels, in the order of k; then the epilogue.", rows))
	var (
		w, offs, k, off = reg.RSI, reg.RDX, reg.RCX, reg.RAX
		ptrs            = []reg.GPPhysical{reg.RBX, reg.RDI, reg.R8, reg.R9, reg.R10, reg.R11, reg.R12, reg.R13}
		acc             = func(r, c int) reg.VecPhysical { return g.vec(r*cols + c) }
		xReg            = func(c int) reg.VecPhysical { return g.vec(rows*cols + c) }
		inMem           = rows*cols+cols+g.fixedRegs() > g.vectorRegs() // no room for the pixels: each product reads them
		n               = cols
	)
	if pairs {
		n = 2 * cols
	}
	free := rows*cols + cols
	if inMem {
		free = rows * cols
	}
	bcast := g.vec(free)
	tmp := bcast
	if !g.fma {
		tmp = g.vec(free + 1)
	}
	g.MOVQ(field(convK), k)
	g.MOVQ(field(convW), w)
	g.MOVQ(field(convOffs), offs)
	for i := range n {
		g.MOVQ(field(convX+8*i), ptrs[i])
	}
	for i := range rows * cols {
		g.zero(g.vec(i))
	}
	g.Label("loop")
	g.MOVLQSX(mem(offs, 0), off)
	if !inMem {
		for c := range cols {
			if pairs {
				g.VMOVUPS(indexed(ptrs[2*c], off, 1), half(xReg(c)))
				g.VINSERTF32X8(op.Imm(1), indexed(ptrs[2*c+1], off, 1), xReg(c), xReg(c))
			} else {
				g.VMOVUPS(indexed(ptrs[c], off, 1), xReg(c))
			}
		}
	}
	for r := range rows {
		g.VBROADCASTSS(mem(w, 4*r), bcast)
		for c := range cols {
			if inMem {
				g.madd(acc(r, c), bcast, indexed(ptrs[c], off, 1), tmp)
			} else {
				g.madd(acc(r, c), bcast, xReg(c), tmp)
			}
		}
	}
	g.ADDQ(op.Imm(uint64(4*rows)), w)
	g.ADDQ(op.Imm(4), offs)
	g.DECQ(k)
	g.JNZ(op.LabelRef("loop"))
	g.convEpilogue(rows, cols, pairs)
	g.end()
}

// convEpilogue adds y, the bias and the clamp as the flags say, and stores the tile.
func (g *gen) convEpilogue(rows, cols int, pairs bool) {
	var (
		flags, bias, ys, mask = reg.RSI, reg.RDX, reg.RCX, reg.RAX
		ptrs                  = []reg.GPPhysical{reg.RBX, reg.RDI, reg.R8, reg.R9, reg.R10, reg.R11, reg.R12, reg.R13}
		acc                   = func(r, c int) reg.VecPhysical { return g.vec(r*cols + c) }
		t, m                  = g.vec(rows * cols), g.vec(rows*cols + 1)
		n                     = cols
	)
	if pairs {
		n = 2 * cols
	}
	loadY := func() {
		for i := range n {
			g.MOVQ(field(convY+8*i), ptrs[i])
		}
	}
	next := func(r int) {
		if r+1 < rows {
			for i := range n {
				g.ADDQ(ys, ptrs[i])
			}
		}
	}
	// The mask covers a group of 8; tiles of whole 16-pixel vectors are never masked.
	masks := pairs || !g.wide
	g.MOVQ(field(convFlags), flags)
	g.MOVQ(field(convYS), ys)
	g.MOVQ(field(convMask), mask)
	if masks {
		g.TESTQ(mask, mask)
		g.JZ(op.LabelRef("unmasked"))
		g.VMOVUPS(mem(mask, 0), half(m))
		if pairs {
			g.VPMOVD2M(m, reg.K1)
		}
		g.Label("unmasked")
	}
	g.TESTQ(op.U32(flagAdd), flags)
	g.JZ(op.LabelRef("added"))
	loadY()
	both := func(name string, body func(masked bool)) {
		if !masks {
			body(false)
			return
		}
		g.TESTQ(mask, mask)
		g.JNZ(op.LabelRef(name + "Masked"))
		body(false)
		g.JMP(op.LabelRef(name + "Done"))
		g.Label(name + "Masked")
		body(true)
		g.Label(name + "Done")
	}
	both("add", func(masked bool) {
		for r := range rows {
			for c := range cols {
				switch {
				case pairs && masked: // the upper half goes through the lower half of t, as an insertion cannot skip lanes of memory
					g.VMOVUPS_Z(mem(ptrs[2*c], 0), reg.K1, half(t))
					g.VMOVUPS_Z(mem(ptrs[2*c+1], 0), reg.K1, half(m))
					g.VINSERTF32X8(op.Imm(1), half(m), t, t)
				case pairs:
					g.VMOVUPS(mem(ptrs[2*c], 0), half(t))
					g.VINSERTF32X8(op.Imm(1), mem(ptrs[2*c+1], 0), t, t)
				case masked:
					g.VMASKMOVPS(mem(ptrs[c], 0), m, t)
				default:
					g.VMOVUPS(mem(ptrs[c], 0), t)
				}
				g.VADDPS(acc(r, c), t, acc(r, c))
			}
			next(r)
		}
	})
	g.Label("added")
	g.TESTQ(op.U32(flagFinish), flags)
	g.JZ(op.LabelRef("store"))
	g.MOVQ(field(convBias), bias)
	g.TESTQ(bias, bias)
	g.JZ(op.LabelRef("biased"))
	for r := range rows {
		g.VBROADCASTSS(mem(bias, 4*r), t)
		for c := range cols {
			g.VADDPS(t, acc(r, c), acc(r, c))
		}
	}
	g.Label("biased")
	g.clamp(convLo, rows*cols, flags)
	g.Label("store")
	loadY()
	both("store", func(masked bool) {
		for r := range rows {
			for c := range cols {
				switch {
				case pairs && masked:
					g.VMOVUPS(half(acc(r, c)), reg.K1, mem(ptrs[2*c], 0))
					g.VEXTRACTF32X8(op.Imm(1), acc(r, c), half(t))
					g.VMOVUPS(half(t), reg.K1, mem(ptrs[2*c+1], 0))
				case pairs:
					g.VMOVUPS(half(acc(r, c)), mem(ptrs[2*c], 0))
					g.VEXTRACTF32X8(op.Imm(1), acc(r, c), mem(ptrs[2*c+1], 0))
				case masked:
					g.VMASKMOVPS(acc(r, c), m, mem(ptrs[c], 0))
				default:
					g.VMOVUPS(acc(r, c), mem(ptrs[c], 0))
				}
			}
			next(r)
		}
	})
}
