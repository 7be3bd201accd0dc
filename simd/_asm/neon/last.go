package main

import "fmt"

// Tiles of channels-last convolutions: pixels that lie anywhere, by output channels side by side, in units of a vector.
const (
	lastUnits       = 4
	mostPixels      = 12
	depthwisePixels = 8
)

// lastRows is the height of the tallest tile of a width.
func lastRows(units int) int { return min(mostPixels, 24/units) }

func genLast(g *gen) {
	for units := 1; units <= lastUnits; units++ {
		for rows := 1; rows <= lastRows(units); rows++ {
			g.lastTile(rows, units)
		}
	}
}

func genDepthwise(g *gen) {
	for rows := 1; rows <= depthwisePixels; rows++ {
		g.depthwiseTile(rows)
	}
	g.poolLast(false)
	g.poolLast(true)
}

// pixel returns the register that points to a pixel.
func pixel(i int) xreg {
	if i > 9 { // R18 belongs to the platform
		i++
	}
	return 8 + xreg(i)
}

// lastTile writes the kernel for rows pixels and units vectors of channels.
func (g *gen) lastTile(rows, units int) {
	g.begin([2]int{rows, units}, fmt.Sprintf("lastTile%dx%d", rows, units*lanes), "lastArgs",
		fmt.Sprintf("y[p,j] (+)= sum over runs and k of x[p][k]*w[k,j], p < %d, j < %d, in the order of k; then the epilogue.", rows, units*lanes))
	const runs, count, w, at, stop xreg = 1, 2, 3, 4, 5
	var (
		acc  = func(r, c int) vreg { return vreg(r*units + c) }
		wReg = vreg(rows * units)
		x    = wReg + vreg(units)
		prod = x + 1
	)
	g.field(lastRuns, runs)
	g.field(lastCount, count)
	g.field(lastW, w)
	for r := range rows {
		g.field(lastX+8*r, pixel(r))
	}
	for i := range rows * units {
		g.zero(vreg(i))
	}
	g.label("run")
	g.ins("MOVW.P 4(R%d), R%d", runs, at)
	g.ins("MOVW.P 4(R%d), R%d", runs, stop)
	g.label("loop")
	for c := range units {
		g.load(w, c*vecBytes, wReg+vreg(c))
	}
	g.ins("ADD $%d, R%d, R%d", units*vecBytes, w, w)
	for r := range rows {
		g.loadScalar(pixel(r), at, x)
		for c := range units {
			t := prod
			if !g.fma {
				t += vreg((r*units + c) % g.products())
			}
			g.maddLane(acc(r, c), wReg+vreg(c), x, 0, t)
		}
	}
	g.ins("ADD $4, R%d, R%d", at, at)
	g.ins("CMP R%d, R%d", stop, at)
	g.ins("BNE loop")
	g.ins("SUBS $1, R%d, R%d", count, count)
	g.ins("BNE run")
	g.lastEpilogue(rows, units)
	g.ins("RET")
}

// lastEpilogue adds y, the bias, the residual and the clamp as the flags say, and stores the tile.
func (g *gen) lastEpilogue(rows, units int) {
	const flags, p, ys, y, mask, tmp xreg = 1, 2, 3, 8, 6, 7
	var (
		m    = part{4, 5}
		acc  = func(r, c int) vreg { return vreg(r*units + c) }
		t    = vreg(rows * units)
		last = units - 1
	)
	load := func(c int, masked bool) {
		if c == last && masked {
			g.loadPart(p, c*vecBytes, t, m, tmp)
		} else {
			g.load(p, c*vecBytes, t)
		}
	}
	addRows := func(name string) {
		g.both(name, mask, func(masked bool) {
			for r := range rows {
				for c := range units {
					load(c, masked)
					g.op("fadd", acc(r, c), t, acc(r, c))
				}
				if r+1 < rows {
					g.ins("ADD R%d, R%d, R%d", ys, p, p)
				}
			}
		})
	}
	g.field(lastFlags, flags)
	g.field(lastYS, ys)
	g.field(lastY, y)
	g.field(lastMask, mask)
	g.ins("CBZ R%d, unmasked", mask)
	g.loadMask(mask, m)
	g.label("unmasked")
	g.ins("TBZ $%d, R%d, added", flagAdd, flags)
	g.ins("MOVD R%d, R%d", y, p)
	addRows("add")
	g.label("added")
	g.ins("TBZ $%d, R%d, store", flagFinish, flags)
	g.field(lastBias, p)
	g.ins("CBZ R%d, biased", p)
	g.both("bias", mask, func(masked bool) {
		for c := range units {
			load(c, masked)
			for r := range rows {
				g.op("fadd", acc(r, c), acc(r, c), t)
			}
		}
	})
	g.label("biased")
	g.field(lastRes, p)
	g.ins("CBZ R%d, resolved", p)
	addRows("res")
	g.label("resolved")
	g.clamp(lastLo, rows*units, flags, tmp)
	g.label("store")
	g.both("stored", mask, func(masked bool) {
		for r := range rows {
			for c := range units {
				if c == last && masked {
					g.storePart(acc(r, c), y, c*vecBytes, m, tmp)
				} else {
					g.store(acc(r, c), y, c*vecBytes)
				}
			}
			if r+1 < rows {
				g.ins("ADD R%d, R%d, R%d", ys, y, y)
			}
		}
	})
}

// depthwiseTile writes the kernel for rows pixels and all channels, a vector at a time.
func (g *gen) depthwiseTile(rows int) {
	g.begin([2]int{rows, 1}, fmt.Sprintf("depthwiseTile%d", rows), "depthwiseArgs",
		fmt.Sprintf("y[p,c] = sum over taps of x[p][offs[tap]+c]*w[tap,c], p < %d, in the order of taps; then the epilogue.", rows))
	const (
		offs, taps, w, at, c, whole, tmp xreg = 1, 2, 3, 4, 5, 6, 7
		maskP, y, p, ys                  xreg = 20, 21, 22, 23
	)
	var (
		m         = part{24, 25}
		acc       = func(r int) vreg { return vreg(r) }
		wReg, x   = vreg(rows), vreg(rows + 1)
		prod      = vreg(rows + 2)
		lo, hi, b = vreg(rows + 3), vreg(rows + 4), vreg(rows + 5)
	)
	g.field(dwW, w)
	g.field(dwWhole, whole)
	for r := range rows {
		g.field(dwX+8*r, pixel(r))
	}
	g.broadcast(args, dwLo, lo, tmp)
	g.broadcast(args, dwLo+4, hi, tmp)
	g.ins("MOVD $0, R%d", c)
	body := func(name string, masked bool) {
		load := func(base, index xreg, v vreg) {
			if masked {
				g.ins("ADD R%d, R%d, R%d", index, base, p)
				g.loadPart(p, 0, v, m, tmp)
			} else {
				g.loadIndexed(base, index, v)
			}
		}
		for r := range rows {
			g.zero(acc(r))
		}
		g.field(dwOffs, offs)
		g.field(dwTaps, taps)
		g.label(name + "Tap")
		g.ins("MOVW.P 4(R%d), R%d", offs, at)
		g.ins("ADD R%d, R%d, R%d", c, at, at)
		g.load(w, 0, wReg)
		g.ins("ADD $%d, R%d, R%d", vecBytes, w, w)
		for r := range rows {
			load(pixel(r), at, x)
			g.madd(acc(r), wReg, x, prod)
		}
		g.ins("SUBS $1, R%d, R%d", taps, taps)
		g.ins("BNE %sTap", name)
		g.field(dwYS, ys)
		g.field(dwBias, y)
		g.ins("CBZ R%d, %sBiased", y, name)
		load(y, c, x)
		for r := range rows {
			g.op("fadd", acc(r), acc(r), x)
		}
		g.label(name + "Biased")
		g.field(dwRes, y)
		g.ins("CBZ R%d, %sAdded", y, name)
		for r := range rows {
			load(y, c, x)
			g.op("fadd", acc(r), acc(r), x)
			if r+1 < rows {
				g.ins("ADD R%d, R%d, R%d", ys, y, y)
			}
		}
		g.label(name + "Added")
		g.field(dwFlags, at)
		g.ins("TBZ $%d, R%d, %sClamped", flagClamp, at, name)
		for r := range rows {
			g.op("fcmgt", b, lo, acc(r))
			g.ins("VBIT V%d.B16, V%d.B16, V%d.B16", b, lo, acc(r))
			g.op("fcmgt", b, acc(r), hi)
			g.ins("VBIT V%d.B16, V%d.B16, V%d.B16", b, hi, acc(r))
		}
		g.label(name + "Clamped")
		g.field(dwY, y)
		g.ins("ADD R%d, R%d, R%d", c, y, y)
		for r := range rows {
			if masked {
				g.storePart(acc(r), y, 0, m, tmp)
			} else {
				g.store(acc(r), y, 0)
			}
			if r+1 < rows {
				g.ins("ADD R%d, R%d, R%d", ys, y, y)
			}
		}
	}
	g.ins("CBZ R%d, rest", whole)
	g.label("block")
	body("block", false)
	g.ins("ADD $%d, R%d, R%d", vecBytes, c, c)
	g.ins("CMP R%d, R%d", whole, c)
	g.ins("BNE block")
	g.label("rest")
	g.field(dwMask, maskP)
	g.ins("CBZ R%d, done", maskP)
	g.loadMask(maskP, m)
	body("rest", true)
	g.label("done")
	g.ins("RET")
}
