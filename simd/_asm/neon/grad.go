package main

import "fmt"

// maxGradRows is the most output channels of a weight-gradient tile; with 3 taps they fill the registers.
const maxGradRows = 4

// genGrad writes the weight-gradient tiles. Each element has 8 lanes: two registers.
func genGrad(g *gen) {
	for rows := 1; rows <= maxGradRows; rows++ {
		for _, taps := range widths(func(n int) int { return 2*rows*n + max(n+1+g.products(), 3) }) {
			g.gradTile(rows, taps)
		}
	}
}

// gradTile writes the kernel for the weight gradient of rows output channels and taps taps: a lane each for 8
// neighbouring pixels, over all rows of all images.
func (g *gen) gradTile(rows, taps int) {
	g.begin([2]int{rows, taps}, fmt.Sprintf("gradTile%dx%d", rows, taps), "gradArgs",
		fmt.Sprintf("lanes[r,t,l] = sum over image, row, block of dy[r,8*block+l]*x[t,8*block+l], r < %d, t < %d; then the lanes are added up.", rows, taps))
	const (
		images, lines, blocks, dy, xi, tail, count, ptr, tmp xreg = 1, 2, 3, 4, 5, 6, 7, 8, 9
		dyc                                                  xreg = 10 // and 11, 12: one to three times the bytes between channels
		high                                                 xreg = 13 // 16 bytes past dy or xi
		xPtr                                                 xreg = 19 // 19 to 25, and 14 for the last
	)
	var (
		acc   = func(r, t, half int) vreg { return vreg((r*taps+t)*2 + half) }
		xReg  = vreg(2 * rows * taps)
		d     = xReg + vreg(taps)
		prod  = d + 1
		xAddr = func(t int) xreg {
			if t == 7 {
				return 14
			}
			return xPtr + xreg(t)
		}
	)
	for i := range 2 * rows * taps {
		g.zero(vreg(i))
	}
	g.field(gradImages, images)
	g.field(gradDY, dy)
	g.field(gradMask, tail)
	g.ins("CBZ R%d, noTail", tail)
	g.field(gradTail, tail)
	g.label("noTail")
	g.ins("LSR $2, R%d, R%d", tail, count) // pixels in the block that ends a row
	if rows > 1 {
		g.field(gradDYC, dyc)
		for r := 2; r < rows; r++ {
			g.ins("ADD R%d, R%d, R%d", dyc, dyc+xreg(r-2), dyc+xreg(r-1))
		}
	}
	for t := range taps {
		g.field(gradX+8*t, xAddr(t))
	}
	g.ins("MOVD ZR, R%d", xi)
	products := func(r, half int) {
		for t := range taps {
			tmp := prod
			if !g.fma {
				tmp += vreg((r*taps + t) % g.products())
			}
			g.madd(acc(r, t, half), xReg+vreg(t), d, tmp)
		}
	}
	g.label("image")
	g.field(gradRows, lines)
	g.label("line")
	g.field(gradBlocks, blocks)
	g.ins("CBZ R%d, tail", blocks)
	g.label("block")
	for half := range 2 {
		x, y := xi, dy
		if half == 1 {
			g.ins("ADD $%d, R%d, R%d", vecBytes, xi, high)
			x = high
		}
		for t := range taps {
			g.loadIndexed(xAddr(t), x, xReg+vreg(t))
		}
		if half == 1 {
			g.ins("ADD $%d, R%d, R%d", vecBytes, dy, high)
			y = high
		}
		for r := range rows {
			if r == 0 {
				g.load(y, 0, d)
			} else {
				g.loadIndexed(y, dyc+xreg(r-1), d)
			}
			products(r, half)
		}
	}
	g.ins("ADD $%d, R%d, R%d", 2*vecBytes, dy, dy)
	g.ins("ADD $%d, R%d, R%d", 2*vecBytes, xi, xi)
	g.ins("SUBS $1, R%d, R%d", blocks, blocks)
	g.ins("BNE block")
	g.label("tail")
	g.ins("CBZ R%d, whole", count)
	for half := range 2 {
		for t := range taps {
			g.ins("ADD R%d, R%d, R%d", xi, xAddr(t), ptr)
			g.loadTail(ptr, xReg+vreg(t), count, half)
		}
		for r := range rows {
			if r == 0 {
				g.ins("MOVD R%d, R%d", dy, ptr)
			} else {
				g.ins("ADD R%d, R%d, R%d", dyc+xreg(r-1), dy, ptr)
			}
			g.loadTail(ptr, d, count, half)
			products(r, half)
		}
	}
	g.ins("ADD R%d, R%d, R%d", tail, dy, dy)
	g.label("whole")
	g.field(gradXRow, tmp)
	g.ins("ADD R%d, R%d, R%d", tmp, xi, xi)
	g.ins("SUBS $1, R%d, R%d", lines, lines)
	g.ins("BNE line")
	g.field(gradDYSkip, tmp)
	g.ins("ADD R%d, R%d, R%d", tmp, dy, dy)
	g.field(gradXSkip, tmp)
	g.ins("ADD R%d, R%d, R%d", tmp, xi, xi)
	g.ins("SUBS $1, R%d, R%d", images, images)
	g.ins("BNE image")
	g.gradEpilogue(rows, taps)
	g.ins("RET")
}

// loadTail loads one half of the first count of 8 elements at ptr, which it overwrites; the others are zero, and not touched.
func (g *gen) loadTail(ptr xreg, v vreg, count xreg, half int) {
	small, one, done := g.local(), g.local(), g.local()
	if half == 0 {
		g.ins("TBZ $2, R%d, %s", count, small)
		g.load(ptr, 0, v)
		g.ins("B %s", done)
		g.label(small)
		g.zero(v)
	} else {
		g.zero(v)
		g.ins("TBZ $2, R%d, %s", count, done)
		g.ins("ADD $%d, R%d, R%d", vecBytes, ptr, ptr)
	}
	// The remainder of count by 4.
	g.ins("TBZ $1, R%d, %s", count, one)
	g.ins("FMOVD.P 8(R%d), F%d", ptr, v)
	g.ins("TBZ $0, R%d, %s", count, done)
	g.ins("VLD1 (R%d), V%d.S[2]", ptr, v)
	g.ins("B %s", done)
	g.label(one)
	g.ins("TBZ $0, R%d, %s", count, done)
	g.ins("FMOVS (R%d), F%d", ptr, v)
	g.label(done)
}

// gradEpilogue adds the totals of earlier slices, and stores the totals, or on the last slice adds the lanes up: lane l and l+4, then
// l+2, then l+1.
func (g *gen) gradEpilogue(rows, taps int) {
	const sums, flags, dw, dwRow xreg = 1, 2, 3, 4
	n := 2 * rows * taps
	t := vreg(n)
	g.field(gradLanes, sums)
	g.field(gradFlags, flags)
	g.ins("TBZ $%d, R%d, added", flagAdd, flags)
	for i := range n {
		g.load(sums, i*vecBytes, t)
		g.op("fadd", vreg(i), t, vreg(i))
	}
	g.label("added")
	g.ins("TBNZ $%d, R%d, finish", flagFinish, flags)
	for i := range n {
		g.store(vreg(i), sums, i*vecBytes)
	}
	g.ins("RET")
	g.label("finish")
	g.field(gradDW, dw)
	g.field(gradDWRow, dwRow)
	for r := range rows {
		for i := range taps {
			lo := vreg((r*taps + i) * 2)
			g.op("fadd", lo, lo, lo+1)
			g.ins("VEXT $8, V%d.B16, V%d.B16, V%d.B16", lo, lo, t)
			g.op("fadd", lo, lo, t)
			g.word(0x7E30D800|uint32(lo)<<5|uint32(lo), "faddp s%d, v%d.2s", lo, lo)
			g.ins("FMOVS F%d, %d(R%d)", lo, 4*i, dw)
		}
		if r+1 < rows {
			g.ins("ADD R%d, R%d, R%d", dwRow, dw, dw)
		}
	}
}
