package main

import (
	"fmt"

	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Tiles of channels-last convolutions: pixels that lie anywhere, by output channels side by side. Their widths are given in
// units of 8 channels: an odd number ends, with AVX-512, in half a vector.

// mostPixels is the height of the tallest tile: as many pointers as there are registers for.
const mostPixels = 12

func (s isa) lastUnits() int {
	if s.wide {
		return 4
	}
	return 2
}

// lastRows is the height of the tallest tile of a width.
func (s isa) lastRows(units int) int {
	if !s.wide && units > 1 {
		return 6
	}
	return mostPixels
}

// genLast writes the channels-last tiles of a set.
func genLast(g *gen) {
	for units := 1; units <= g.lastUnits(); units++ {
		for rows := 1; rows <= g.lastRows(units); rows++ {
			g.lastTile(rows, units)
		}
	}
	genDepthwise(g)
	genDepthwiseRows(g)
	g.poolLast()
	genPlane(g)
}

// lastTile writes the kernel for rows pixels and 8*units channels.
func (g *gen) lastTile(rows, units int) {
	g.begin("last", []int{rows, units}, fmt.Sprintf("lastTile%dx%d", rows, 8*units), "lastArgs",
		fmt.Sprintf("y[p,j] (+)= sum over runs and k of x[p][k]*w[k,j], p < %d, j < %d, in the order of k; then the epilogue.", rows, 8*units))
	var (
		at, w = reg.RSI, reg.RDI
		ptrs  = []reg.GPPhysical{reg.RAX, reg.RBX, reg.RCX, reg.RDX, reg.R8, reg.R9, reg.R10, reg.R11, reg.R12, reg.R13, reg.R14, reg.R15}
		cols  = g.lastCols(units)
		acc   = func(r, c int) reg.VecPhysical { return g.lastVec(r*cols+c, c, units) }
		wReg  = func(c int) reg.VecPhysical { return g.lastVec(rows*cols+c, c, units) }
		bcast = g.vec(rows*cols + cols)
		tmp   = bcast
		ahead = reg.RBP // the frame saves it
		// What is left of the runs, where the current one ends and how far apart lines are fetched are on the stack.
		local = g.AllocLocal(32)
		runs  = local
		stop  = local.Offset(8)
		count = local.Offset(16)
		step  = local.Offset(24)
	)
	if !g.fma {
		tmp = g.vec(rows*cols + cols + 1)
	}
	g.MOVQ(field(lastRuns), at)
	g.MOVQ(at, runs)
	g.MOVQ(field(lastCount), at)
	g.MOVQ(at, count)
	g.MOVQ(field(lastStep), at)
	g.MOVQ(at, step)
	g.MOVQ(field(lastAhead), ahead)
	g.MOVQ(field(lastNear), at)
	g.TESTQ(at, at)
	g.JZ(op.LabelRef("fetched"))
	g.MOVQ(field(lastYS), w)
	for r := range rows {
		for c := 0; c < 32*units; c += 64 {
			g.PREFETCHT0(mem(at, c))
		}
		if r+1 < rows {
			g.ADDQ(w, at)
		}
	}
	g.Label("fetched")
	g.MOVQ(field(lastW), w)
	for r := range rows {
		g.MOVQ(field(lastX+8*r), ptrs[r])
	}
	for i := range rows * cols {
		g.zero(g.vec(i))
	}
	g.Label("run")
	g.MOVQ(runs, at)
	g.ADDQ(op.Imm(8), runs)
	g.VMOVD(mem(at, 4), quarter(bcast)) // free between products
	g.VMOVD(quarter(bcast), stop)
	g.MOVLQSX(mem(at, 0), at)
	g.Label("loop")
	for c := range cols {
		g.VMOVUPS(mem(w, c*g.lanes()*4), wReg(c))
	}
	g.PREFETCHT1(mem(ahead, 0))
	g.ADDQ(step, ahead)
	for r := range rows {
		g.VBROADCASTSS(indexed(ptrs[r], at, 1), bcast)
		for c := range cols {
			b, t := bcast, tmp
			if g.half(c, units) {
				b, t = half(b), half(t)
			}
			g.madd(acc(r, c), b, wReg(c), t)
		}
	}
	g.ADDQ(op.Imm(uint64(32*units)), w)
	g.ADDQ(op.Imm(4), at)
	g.CMPL(at.As32(), stop)
	g.JNE(op.LabelRef("loop"))
	g.DECQ(count)
	g.JNZ(op.LabelRef("run"))
	g.Load(g.Param("a"), args)
	g.lastEpilogue(rows, units)
	g.end()
}

// lastCols returns the vectors of a width.
func (s isa) lastCols(units int) int {
	if s.wide {
		return (units + 1) / 2
	}
	return units
}

// half reports whether column c of a width is half a vector.
func (s isa) half(c, units int) bool { return s.wide && units%2 == 1 && c == units/2 }

// lastVec returns register i in the width of column c.
func (g *gen) lastVec(i, c, units int) reg.VecPhysical {
	if g.half(c, units) {
		return half(g.vec(i))
	}
	return g.vec(i)
}

// lastEpilogue adds y, the bias, the residual and the clamp as the flags say, and stores the tile.
func (g *gen) lastEpilogue(rows, units int) {
	var (
		y, ys, flags, p, mask = reg.RSI, reg.RAX, reg.RBX, reg.RDX, reg.RDI
		cols                  = g.lastCols(units)
		acc                   = func(r, c int) reg.VecPhysical { return g.lastVec(r*cols+c, c, units) }
		t                     = func(c int) reg.VecPhysical { return g.lastVec(rows*cols, c, units) }
		m                     = g.vec(rows*cols + 1)
		last                  = cols - 1
	)
	load := func(src op.Mem, c int, masked bool) {
		switch {
		case c == last && g.wide:
			g.VMOVUPS_Z(src, reg.K1, t(c))
		case c == last && masked:
			g.VMASKMOVPS(src, m, t(c))
		default:
			g.VMOVUPS(src, t(c))
		}
	}
	both := func(name string, body func(masked bool)) {
		if g.wide {
			body(true)
			return
		}
		g.TESTQ(mask, mask)
		g.JNZ(op.LabelRef(name + "Masked"))
		body(false)
		g.JMP(op.LabelRef(name + "Done"))
		g.Label(name + "Masked")
		g.VMOVUPS(mem(mask, 0), m)
		body(true)
		g.Label(name + "Done")
	}
	// addRows adds a matrix of the tile's shape, rows ys apart.
	addRows := func(name string) {
		both(name, func(masked bool) {
			for r := range rows {
				for c := range cols {
					load(mem(p, c*g.lanes()*4), c, masked)
					g.VADDPS(acc(r, c), t(c), acc(r, c))
				}
				if r+1 < rows {
					g.ADDQ(ys, p)
				}
			}
		})
	}
	if g.wide {
		g.KMOVW(field(lastBits), reg.K1)
	} else {
		g.MOVQ(field(lastMask), mask)
	}
	g.MOVQ(field(lastY), y)
	g.MOVQ(field(lastYS), ys)
	g.MOVQ(field(lastFlags), flags)
	g.TESTQ(op.U32(flagAdd), flags)
	g.JZ(op.LabelRef("added"))
	g.MOVQ(y, p)
	addRows("add")
	g.Label("added")
	g.TESTQ(op.U32(flagFinish), flags)
	g.JZ(op.LabelRef("store"))
	g.MOVQ(field(lastBias), p)
	g.TESTQ(p, p)
	g.JZ(op.LabelRef("biased"))
	both("bias", func(masked bool) {
		for c := range cols {
			load(mem(p, c*g.lanes()*4), c, masked)
			for r := range rows {
				g.VADDPS(t(c), acc(r, c), acc(r, c))
			}
		}
	})
	g.Label("biased")
	g.MOVQ(field(lastRes), p)
	g.TESTQ(p, p)
	g.JZ(op.LabelRef("resolved"))
	addRows("res")
	g.Label("resolved")
	g.clamp(lastLo, rows*cols, flags)
	g.Label("store")
	both("store", func(masked bool) {
		for r := range rows {
			for c := range cols {
				dst := mem(y, c*g.lanes()*4)
				switch {
				case c == last && g.wide:
					g.VMOVUPS(acc(r, c), reg.K1, dst)
				case c == last && masked:
					g.VMASKMOVPS(acc(r, c), m, dst)
				default:
					g.VMOVUPS(acc(r, c), dst)
				}
			}
			if r+1 < rows {
				g.ADDQ(ys, y)
			}
		}
	})
}
