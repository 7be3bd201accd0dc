package main

import "fmt"

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
	g.begin([2]int{1, cols}, fmt.Sprintf("planeTile%d", cols), "planeArgs",
		fmt.Sprintf("y[r,p] = act(bias + sum over taps of w[tap]*x[r][offs[tap]+p]), p < %d, in the order of taps.", cols*lanes))
	const x, y, rows, offs, taps, w, at, bias, maskP, tmp, xRow, yRow xreg = 1, 2, 3, 4, 5, 6, 8, 9, 10, 7, 14, 15
	var (
		m                            = part{12, 13}
		acc                          = func(c int) vreg { return vreg(c) }
		wReg, px, prod, lo, hi, b, t = vreg(cols), vreg(cols + 1), vreg(cols + 2), vreg(cols + 3), vreg(cols + 4), vreg(cols + 5), vreg(cols + 6)
	)
	g.field(planeX, x)
	g.field(planeXRow, xRow)
	g.field(planeY, y)
	g.field(planeYRow, yRow)
	g.field(planeRows, rows)
	g.broadcast(args, planeLo, lo, tmp)
	g.broadcast(args, planeLo+4, hi, tmp)
	g.field(planeBias, bias)
	g.ins("CBZ R%d, plain", bias)
	g.broadcast(bias, 0, b, tmp)
	g.label("plain")
	body := func(name string, masked bool) {
		g.label(name)
		for c := range cols {
			g.zero(acc(c))
		}
		g.field(planeOffs, offs)
		g.field(planeTaps, taps)
		g.field(planeW, w)
		g.label(name + "Tap")
		g.ins("MOVW.P 4(R%d), R%d", offs, at)
		g.ins("ADD R%d, R%d, R%d", x, at, at)
		g.ins("VLD1R.P 4(R%d), [V%d.S4]", w, wReg)
		for c := range cols {
			if masked {
				g.loadPart(at, 0, px, m, tmp)
			} else {
				g.load(at, c*vecBytes, px)
			}
			g.madd(acc(c), wReg, px, prod)
		}
		g.ins("SUBS $1, R%d, R%d", taps, taps)
		g.ins("BNE %sTap", name)
		g.ins("CBZ R%d, %sBiased", bias, name)
		for c := range cols {
			g.op("fadd", acc(c), acc(c), b)
		}
		g.label(name + "Biased")
		for c := range cols {
			g.op("fcmgt", t, lo, acc(c))
			g.ins("VBIT V%d.B16, V%d.B16, V%d.B16", t, lo, acc(c))
			g.op("fcmgt", t, acc(c), hi)
			g.ins("VBIT V%d.B16, V%d.B16, V%d.B16", t, hi, acc(c))
			if masked {
				g.storePart(acc(c), y, 0, m, tmp)
			} else {
				g.store(acc(c), y, c*vecBytes)
			}
		}
		g.ins("ADD R%d, R%d, R%d", xRow, x, x)
		g.ins("ADD R%d, R%d, R%d", yRow, y, y)
		g.ins("SUBS $1, R%d, R%d", rows, rows)
		g.ins("BNE %s", name)
	}
	if cols == 1 {
		g.field(planeMask, maskP)
		g.ins("CBZ R%d, row", maskP)
		g.loadMask(maskP, m)
		body("part", true)
		g.ins("RET")
	}
	body("row", false)
	g.ins("RET")
}
