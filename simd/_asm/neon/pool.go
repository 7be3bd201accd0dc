package main

// Offsets in poolRun.
const (
	poolX      = 8 * iota // first channel of the first pixel's origin
	poolY                 // y
	poolOffs              // int32 per tap: bytes from a pixel's origin
	poolPixels            // pixels
	poolTaps              // taps
	poolXS                // bytes between pixels of x
	poolYS                // bytes between pixels of y
	poolC                 // channels
	poolAvg               // 1: the mean, else the maximum
	poolDiv               // float32
	poolMask              // lanes of the vector after the whole ones, as words; nil when there is none
)

// poolLast writes the kernel that pools runs of channels-last pixels.
func (g *gen) poolLast(avg bool) {
	name, what := "poolMax", "the maximum over taps of x[p][offs[tap]+c]; a value replaces it if it is greater or NaN"
	if avg {
		name, what = "poolAvg", "the sum over taps of x[p][offs[tap]+c], in their order, divided by div"
	}
	g.begin([2]int{}, name, "poolRun", "y[p,c] = "+what+".")
	const (
		x, y, offs, taps, at, c, whole, pixels, maskP, tmp, p xreg = 1, 2, 3, 4, 5, 6, 8, 9, 10, 7, 11
		xs, ys                                                xreg = 14, 15
		acc, v, take, div                                     vreg = 0, 1, 2, 3
	)
	m := part{12, 13}
	g.field(poolX, x)
	g.field(poolY, y)
	g.field(poolPixels, pixels)
	g.field(poolXS, xs)
	g.field(poolYS, ys)
	g.field(poolC, whole)
	g.ins("LSL $2, R%d, R%d", whole, whole)
	g.ins("AND $~15, R%d, R%d", whole, whole)
	g.field(poolMask, maskP)
	g.ins("CBZ R%d, ready", maskP)
	g.loadMask(maskP, m)
	g.label("ready")
	g.broadcast(args, poolDiv, div, tmp)
	g.label("pixel")
	g.ins("MOVD $0, R%d", c)
	body := func(name string, masked bool) {
		load := func(dst vreg) {
			g.ins("MOVW.P 4(R%d), R%d", offs, at)
			g.ins("ADD R%d, R%d, R%d", c, at, at)
			if masked {
				g.ins("ADD R%d, R%d, R%d", at, x, p)
				g.loadPart(p, 0, dst, m, tmp)
			} else {
				g.loadIndexed(x, at, dst)
			}
		}
		g.field(poolOffs, offs)
		g.field(poolTaps, taps)
		load(acc)
		g.ins("SUBS $1, R%d, R%d", taps, taps)
		g.ins("BEQ %sDone", name)
		g.label(name + "Tap")
		load(v)
		if avg {
			g.op("fadd", acc, acc, v)
		} else { // not where acc is a NaN, or v <= acc; always where v is a NaN
			g.op("fcmgt", take, v, acc)
			g.ins("VBIT V%d.B16, V%d.B16, V%d.B16", take, v, acc)
			g.op("fcmeq", take, v, v)
			g.ins("VBIF V%d.B16, V%d.B16, V%d.B16", take, v, acc)
		}
		g.ins("SUBS $1, R%d, R%d", taps, taps)
		g.ins("BNE %sTap", name)
		g.label(name + "Done")
		if avg {
			g.op("fdiv", acc, acc, div)
		}
		g.ins("ADD R%d, R%d, R%d", c, y, p)
		if masked {
			g.storePart(acc, p, 0, m, tmp)
		} else {
			g.store(acc, p, 0)
		}
	}
	g.ins("CBZ R%d, rest", whole)
	g.label("block")
	body("block", false)
	g.ins("ADD $%d, R%d, R%d", vecBytes, c, c)
	g.ins("CMP R%d, R%d", whole, c)
	g.ins("BNE block")
	g.label("rest")
	g.ins("CBZ R%d, next", maskP)
	body("rest", true)
	g.label("next")
	g.ins("ADD R%d, R%d, R%d", xs, x, x)
	g.ins("ADD R%d, R%d, R%d", ys, y, y)
	g.ins("SUBS $1, R%d, R%d", pixels, pixels)
	g.ins("BNE pixel")
	g.ins("RET")
}
