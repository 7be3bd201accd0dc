package main

import "fmt"

// convRows is the height of the tallest convolution tile, which is 3 vectors wide: two panels of 8 channels serve 16.
const convRows = 8

// genConv writes the direct convolution tiles. A group is a vector of 4 neighbouring pixels of an output row.
func genConv(g *gen) {
	for rows := 1; rows <= convRows; rows++ {
		for _, cols := range widths(func(n int) int { return rows*n + g.beside(rows, n) }) {
			g.convTile(rows, cols)
		}
	}
}

// groupPtr returns the register that points to a group.
func groupPtr(i int) xreg { return 8 + xreg(i) }

// convTile writes the kernel for rows output channels and cols groups of pixels.
func (g *gen) convTile(rows, cols int) {
	g.begin([2]int{rows, cols}, fmt.Sprintf("convTile%dx%dx%d", rows, cols, lanes), "convArgs",
		fmt.Sprintf("y[r,p] (+)= sum over k of w[k,r]*x[offs[k]+p], r < %d, over %d groups of pixels, in the order of k; then the epilogue.", rows, cols))
	const w, offs, k, off, tmp xreg = 1, 2, 3, 4, 7
	var (
		acc  = func(r, c int) vreg { return vreg(r*cols + c) }
		xReg = vreg(rows * cols)
		wReg = xReg + vreg(cols)
		prod = wReg + vreg((rows+lanes-1)/lanes)
	)
	g.field(convK, k)
	g.field(convW, w)
	g.field(convOffs, offs)
	for i := range cols {
		g.field(convX+8*i, groupPtr(i))
	}
	for i := range rows * cols {
		g.zero(vreg(i))
	}
	g.label("loop")
	g.ins("MOVW.P 4(R%d), R%d", offs, off)
	for c := range cols {
		g.loadIndexed(groupPtr(c), off, xReg+vreg(c))
	}
	g.loadColumn(w, rows, wReg, tmp)
	g.ins("ADD $%d, R%d, R%d", 4*rows, w, w)
	g.outer(rows, cols, acc, wReg, xReg, prod)
	g.ins("SUBS $1, R%d, R%d", k, k)
	g.ins("BNE loop")
	g.convEpilogue(rows, cols)
	g.ins("RET")
}

// convEpilogue adds y, the bias and the clamp as the flags say, and stores the tile.
func (g *gen) convEpilogue(rows, cols int) {
	const flags, bias, ys, mask, tmp xreg = 1, 2, 3, 6, 7
	var (
		m   = part{4, 5}
		acc = func(r, c int) vreg { return vreg(r*cols + c) }
		t   = vreg(rows * cols)
	)
	loadY := func() {
		for i := range cols {
			g.field(convY+8*i, groupPtr(i))
		}
	}
	next := func(r int) {
		if r+1 < rows {
			for i := range cols {
				g.ins("ADD R%d, R%d, R%d", ys, groupPtr(i), groupPtr(i))
			}
		}
	}
	g.field(convFlags, flags)
	g.field(convYS, ys)
	g.field(convMask, mask)
	g.ins("CBZ R%d, unmasked", mask)
	g.loadMask(mask, m)
	g.label("unmasked")
	g.ins("TBZ $%d, R%d, added", flagAdd, flags)
	loadY()
	g.both("add", mask, func(masked bool) {
		for r := range rows {
			for c := range cols {
				if masked {
					g.loadPart(groupPtr(c), 0, t, m, tmp)
				} else {
					g.load(groupPtr(c), 0, t)
				}
				g.op("fadd", acc(r, c), t, acc(r, c))
			}
			next(r)
		}
	})
	g.label("added")
	g.ins("TBZ $%d, R%d, store", flagFinish, flags)
	g.field(convBias, bias)
	g.ins("CBZ R%d, biased", bias)
	for r := range rows {
		g.broadcast(bias, 4*r, t, tmp)
		for c := range cols {
			g.op("fadd", acc(r, c), acc(r, c), t)
		}
	}
	g.label("biased")
	g.clamp(convLo, rows*cols, flags, tmp)
	g.label("store")
	loadY()
	g.both("stored", mask, func(masked bool) {
		for r := range rows {
			for c := range cols {
				if masked {
					g.storePart(acc(r, c), groupPtr(c), 0, m, tmp)
				} else {
					g.store(acc(r, c), groupPtr(c), 0)
				}
			}
			next(r)
		}
	})
}
