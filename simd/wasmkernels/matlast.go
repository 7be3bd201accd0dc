package wasmkernels

import (
	"strconv"

	. "github.com/weft-ml/weft/simd/wasmasm"
)

// Offsets of simd.lastSeg.
const (
	lastX      = 0
	lastOffs   = 8
	lastPixels = 16
	lastY      = 24
	lastYS     = 32
	lastRes    = 40
	lastRuns   = 48
	lastW      = 56
	lastK      = 64
	lastM      = 72
	lastBias   = 80
	lastLo     = 88
	lastHi     = 92
)

const (
	lastChannels = 8         // of a tile
	lastSteps    = 4         // of a turn, fused
	lastTogether = 512 << 10 // bytes of weights that are in use at a time
)

// depthwisePixels returns the height of a depthwise tile of 8 channels. Unfused, all of a tap's loads take registers, as mat.steps says.
func (t *mat) depthwisePixels() int {
	if t.variant.Relaxed {
		return 4
	}
	return 3
}

// channels is what tiles of channels-last convolutions share: memory in rows of 8 channels, of which the last panel may have fewer. That is computed by a
// function of its own: it calls others, over which accumulators have to be spilled, and V8 spills them wherever they change.
type channels struct {
	*mat
	f     *Func
	part  bool
	lanes Local // channels of a part, 1 to 7
	p     Local // scratch
	v     Local // scratch
}

// vectors emits body for the vectors of a part; n pushes the lanes of vector c.
func (t *channels) vectors(body func(c int, n func())) {
	f := t.f
	body(0, func() { f.Get(t.lanes).I32(4).Get(t.lanes).I32(4).Op(I32LtS).Select() })
	f.Get(t.lanes).I32(4).Op(I32GtS).If(func() {
		body(1, func() { f.Get(t.lanes).I32(4).Op(I32Sub) })
	}, nil)
}

// addRows emits acc += rows of memory from p on, step apart.
func (t *channels) addRows(acc [][]Local, from, step Local) {
	f := t.f
	f.Get(from).Set(t.p)
	for r, row := range acc {
		if t.part {
			t.vectors(func(c int, n func()) {
				f.Get(t.p).I32(int32(16 * c)).Op(I32Add)
				n()
				f.Call(t.load).Get(row[c]).Op(F32x4Add).Set(row[c])
			})
		} else {
			for c, v := range row {
				f.Get(t.p).Mem(V128Load, uint32(16*c)).Get(v).Op(F32x4Add).Set(v)
			}
		}
		if r < len(acc)-1 {
			addTo(f, t.p, step)
		}
	}
}

// addBias emits acc += bias.
func (t *channels) addBias(acc [][]Local, bias Local) {
	f := t.f
	add := func(c int) {
		f.Set(t.v)
		for _, row := range acc {
			f.Get(row[c], t.v).Op(F32x4Add).Set(row[c])
		}
	}
	if t.part {
		t.vectors(func(c int, n func()) {
			f.Get(bias).I32(int32(16 * c)).Op(I32Add)
			n()
			f.Call(t.load)
			add(c)
		})
		return
	}
	for c := range acc[0] {
		f.Get(bias).Mem(V128Load, uint32(16*c))
		add(c)
	}
}

// storeRows emits the stores of acc.
func (t *channels) storeRows(acc [][]Local, to, step Local) {
	f := t.f
	f.Get(to).Set(t.p)
	for r, row := range acc {
		if t.part {
			t.vectors(func(c int, n func()) {
				f.Get(t.p).I32(int32(16 * c)).Op(I32Add)
				n()
				f.Get(row[c]).Call(t.store)
			})
		} else {
			for c, v := range row {
				f.Get(t.p, v).Mem(V128Store, uint32(16*c))
			}
		}
		if r < len(acc)-1 {
			addTo(f, t.p, step)
		}
	}
}

// addLast adds the kernels LastSegment and DepthwiseSegment.
func (t *mat) addLast() {
	var tiles, parts [matRows + 1]*Func
	for rows := 1; rows <= t.rows; rows++ {
		tiles[rows], parts[rows] = t.lastTile(rows, false), t.lastTile(rows, true)
	}
	f, args := t.kernel("lastSegment")
	pixels, m, m0, m1, together := f.Local(I32, "pixels"), f.Local(I32, "m"), f.Local(I32, "m0"), f.Local(I32, "m1"), f.Local(I32, "together")
	px, left, h, whole := f.Local(I32, "px"), f.Local(I32, "left"), f.Local(I32, "h"), f.Local(I32, "whole")
	field(f, args, lastPixels, pixels)
	field(f, args, lastM, m)
	// Weights are the outer loop when they do not stay in cache.
	f.I32(lastTogether/(4*lastChannels)).Get(args).Mem(I32Load, lastK).Op(I32DivU).I32(1).Op(I32Add).I32(lastChannels).Op(I32Mul).Set(together)
	while(f, func() { f.Get(m0, m).Op(I32LtS) }, func() {
		f.Get(m0, together).Op(I32Add).Set(m1)
		f.Get(m1, m, m1, m).Op(I32LtS).Select().Set(m1)
		f.Get(m1).I32(-lastChannels).Op(I32And).Set(whole)
		f.I32(0).Set(px)
		f.Get(pixels).I32(int32(t.rows - 1)).Op(I32Add).I32(int32(t.rows)).Op(I32DivU).Set(left)
		while(f, func() { f.Get(left) }, func() {
			f.Get(pixels, px).Op(I32Sub).Get(left).Op(I32Add).I32(1).Op(I32Sub).Get(left).Op(I32DivU).Set(h)
			f.Block(func(done Label) {
				for rows := t.rows; rows > 0; rows-- {
					f.Get(h).I32(int32(rows)).Op(I32Eq).If(func() {
						f.Get(m0, whole).Op(I32LtS).If(func() { f.Get(args, px, m0, whole).Call(tiles[rows]) }, nil)
						f.Get(whole, m1).Op(I32LtS).If(func() { f.Get(args, px, whole, m1).Call(parts[rows]) }, nil)
						f.Br(done)
					}, nil)
				}
			})
			addTo(f, px, h)
			add(f, left, -1)
		})
		f.Get(m1).Set(m0)
	})
	t.addDepthwise()
	t.addPoolLast()
}

// lastTile adds last_tileR(args, px, m0, m1): R pixels from px on by channels m0 to m1, in panels of 8. last_partR is for one panel of fewer.
func (t *mat) lastTile(rows int, part bool) *Func {
	f := t.m.Func(tileName("last", part)+strconv.Itoa(rows), Sig(I32, I32, I32, I32)())
	args, px, m0, m1 := f.Param(0, "args"), f.Param(1, "px"), f.Param(2, "m0"), f.Param(3, "m1")
	var (
		x, p                 = numbered(f, I32, "x", rows), numbered(f, I32, "p", rows)
		runs, count, todo, n = f.Local(I32, "runs"), f.Local(I32, "count"), f.Local(I32, "todo"), f.Local(I32, "n")
		w, y, ys, res, bias  = f.Local(I32, "w"), f.Local(I32, "y"), f.Local(I32, "ys"), f.Local(I32, "res"), f.Local(I32, "bias")
		first                = f.Local(I32, "first")
		acc, b, hold         = accumulators(f, rows, 2), numbered(f, V128, "b", 2), f.Local(V128, "hold")
		c                    = channels{mat: t, f: f, part: part, p: f.Local(I32, "yr"), v: hold}
		at                   = f.Local(I32, "at")
	)
	f.Get(args).Mem(I32Load, lastOffs).Get(px).I32(2).Op(I32Shl, I32Add).Set(at)
	for r := range rows {
		f.Get(args).Mem(I32Load, lastX).Get(at).Mem(I32Load, uint32(4*r)).Op(I32Add).Set(x[r])
	}
	field(f, args, lastYS, ys)
	// Bytes from the first pixel and channel of y and of the residual.
	f.Get(px, ys).Op(I32Mul).Get(m0).I32(2).Op(I32Shl, I32Add).Set(at)
	f.Get(args).Mem(I32Load, lastY).Get(at).Op(I32Add).Set(y)
	field(f, args, lastRes, res)
	f.Get(res).If(func() { addTo(f, res, at) }, nil)
	field(f, args, lastBias, bias)
	f.Get(bias).If(func() { f.Get(bias, m0).I32(2).Op(I32Shl, I32Add).Set(bias) }, nil)
	f.Get(args).Mem(I32Load, lastW).Get(m0).Get(args).Mem(I32Load, lastK).Op(I32Mul).I32(2).Op(I32Shl, I32Add).Set(w)
	step := func(u int) {
		for i := range b {
			f.Get(w).Mem(V128Load, uint32(32*u+16*i)).Set(b[i])
		}
		t.products(f, acc, func(r int) { f.Get(p[r]).Mem(V128Load32Splat, uint32(4*u)) }, b, hold)
	}
	advance := func(n int) {
		for r := range rows {
			add(f, p[r], int32(4*n))
		}
		add(f, w, int32(32*n))
	}
	if part {
		c.lanes = f.Local(I32, "lanes")
		f.Get(m1, m0).Op(I32Sub).Set(c.lanes)
	}
	f.Loop(func(panel Label) {
		field(f, args, lastRuns, runs)
		field(f, args, lastK, todo)
		f.I32(1).Set(first)
		f.Loop(func(chunk Label) {
			zero(f, acc, hold)
			f.Get(runs).Mem(I32Load, 0).Set(count)
			f.Get(todo).Get(runs).Mem(I32Load, 4).Op(I32Sub).Set(todo)
			add(f, runs, 8)
			f.Loop(func(run Label) {
				f.Get(runs).Mem(I32Load, 0).Set(at)
				f.Get(runs).Mem(I32Load, 4).Get(at).Op(I32Sub).I32(2).Op(I32ShrU).Set(n)
				add(f, runs, 8)
				for r := range rows {
					f.Get(x[r], at).Op(I32Add).Set(p[r])
				}
				if t.variant.Relaxed {
					countDown(f, n, lastSteps, func() {
						for u := range lastSteps {
							step(u)
						}
						advance(lastSteps)
					})
					countDown(f, n, 1, func() { step(0); advance(1) })
				} else {
					t.steps(f, n, w, func() { f.I32(4 * lastChannels) }, step, func(n int32) { advance(int(n)) })
				}
				f.Get(count).I32(1).Op(I32Sub).Tee(count).BrIf(run)
			})
			f.Get(first).Op(I32Eqz).If(func() { c.addRows(acc, y, ys) }, nil)
			f.I32(0).Set(first)
			f.Get(todo).Op(I32Eqz).If(func() {
				f.Get(bias).If(func() { c.addBias(acc, bias) }, nil)
				f.Get(res).If(func() { c.addRows(acc, res, ys) }, nil)
				clamp(f, acc, args, lastLo, lastHi, hold)
			}, nil)
			c.storeRows(acc, y, ys)
			f.Get(todo).BrIf(chunk)
		})
		if !part {
			for _, q := range []Local{y, res, bias} {
				f.Get(q).If(func() { add(f, q, 4*lastChannels) }, nil)
			}
			f.Get(m0).I32(lastChannels).Op(I32Add).Tee(m0).Get(m1).Op(I32LtS).BrIf(panel)
		}
	})
	return f
}

func tileName(kind string, part bool) string {
	if part {
		return kind + "_part"
	}
	return kind + "_tile"
}

// addDepthwise adds the kernel DepthwiseSegment.
func (t *mat) addDepthwise() {
	const whole, part = false, true
	tall := t.depthwisePixels()
	tiles := map[int][2]*Func{}
	for _, rows := range []int{1, tall} {
		tiles[rows] = [2]*Func{t.depthwiseTile(rows, whole), t.depthwiseTile(rows, part)}
	}
	f, args := t.kernel("depthwiseSegment")
	pixels, px, m := f.Local(I32, "pixels"), f.Local(I32, "px"), f.Local(I32, "m")
	field(f, args, lastPixels, pixels)
	field(f, args, lastM, m)
	tile := func(rows int) {
		f.Get(m).I32(lastChannels).Op(I32GeS).If(func() { f.Get(args, px).Call(tiles[rows][0]) }, nil)
		f.Get(m).I32(lastChannels-1).Op(I32And).If(func() { f.Get(args, px).Call(tiles[rows][1]) }, nil)
		add(f, px, int32(rows))
	}
	f.Get(pixels).I32(int32(tall)).Op(I32LtS).If(func() {
		while(f, func() { f.Get(px, pixels).Op(I32LtS) }, func() { tile(1) })
		f.Return()
	}, nil)
	// The last pixels overlap those before: the same values are computed and stored twice.
	while(f, func() { f.Get(px, pixels).Op(I32LtS) }, func() {
		f.Get(px).Get(pixels).I32(int32(tall)).Op(I32Sub).Get(px).Get(pixels).I32(int32(tall)).Op(I32Sub, I32LtS).Select().Set(px)
		tile(tall)
	})
}

// depthwiseTile adds depthwise_tileR(args, px): R pixels from px on, all whole blocks of channels, of which there is at least one. depthwise_partR is for
// the rest.
func (t *mat) depthwiseTile(rows int, part bool) *Func {
	f := t.m.Func(tileName("depthwise", part)+strconv.Itoa(rows), Sig(I32, I32)())
	args, px := f.Param(0, "args"), f.Param(1, "px")
	var (
		x                   = numbered(f, I32, "x", rows)
		offs, taps, end     = f.Local(I32, "offs"), f.Local(I32, "taps"), f.Local(I32, "end")
		w, y, ys, res, bias = f.Local(I32, "w"), f.Local(I32, "y"), f.Local(I32, "ys"), f.Local(I32, "res"), f.Local(I32, "bias")
		left, at            = f.Local(I32, "left"), f.Local(I32, "at")
		acc, b, hold        = accumulators(f, rows, 2), numbered(f, V128, "b", 2), f.Local(V128, "hold")
		c                   = channels{mat: t, f: f, part: part, p: f.Local(I32, "yr"), v: hold}
	)
	f.Get(args).Mem(I32Load, lastOffs).Get(px).I32(2).Op(I32Shl, I32Add).Set(at)
	for r := range rows {
		f.Get(args).Mem(I32Load, lastX).Get(at).Mem(I32Load, uint32(4*r)).Op(I32Add).Set(x[r])
	}
	field(f, args, lastYS, ys)
	f.Get(px, ys).Op(I32Mul).Set(at)
	f.Get(args).Mem(I32Load, lastY).Get(at).Op(I32Add).Set(y)
	field(f, args, lastRes, res)
	f.Get(res).If(func() { addTo(f, res, at) }, nil)
	field(f, args, lastBias, bias)
	field(f, args, lastW, w)
	field(f, args, lastK, taps)
	field(f, args, lastM, left)
	if part {
		// Behind the whole blocks.
		c.lanes = f.Local(I32, "lanes")
		f.Get(left).I32(lastChannels - 1).Op(I32And).Set(c.lanes)
		f.Get(left, c.lanes).Op(I32Sub).I32(2).Op(I32Shl).Set(at)
		f.Get(w, at, taps).Op(I32Mul, I32Add).Set(w)
		addTo(f, y, at)
		for _, q := range []Local{res, bias} {
			f.Get(q).If(func() { addTo(f, q, at) }, nil)
		}
		for _, q := range x {
			addTo(f, q, at)
		}
	}
	f.Loop(func(block Label) {
		zero(f, acc, hold)
		field(f, args, lastRuns, offs)
		f.Get(offs, taps).I32(2).Op(I32Shl, I32Add).Set(end)
		f.Loop(func(tap Label) {
			f.Get(offs).Mem(I32Load, 0).Set(at)
			add(f, offs, 4)
			for i := range b {
				f.Get(w).Mem(V128Load, uint32(16*i)).Set(b[i])
			}
			add(f, w, 4*lastChannels)
			for r, row := range acc {
				if part {
					c.vectors(func(i int, n func()) {
						f.Get(x[r], at).Op(I32Add).I32(int32(16 * i)).Op(I32Add)
						n()
						f.Call(t.load).Set(hold)
						t.multiplyAdd(f, hold, b[i], row[i])
					})
					continue
				}
				f.Get(x[r], at).Op(I32Add).Set(c.p)
				for i, v := range row {
					f.Get(c.p).Mem(V128Load, uint32(16*i)).Set(hold)
					t.multiplyAdd(f, hold, b[i], v)
				}
			}
			f.Get(offs, end).Op(I32Ne).BrIf(tap)
		})
		f.Get(bias).If(func() { c.addBias(acc, bias) }, nil)
		f.Get(res).If(func() { c.addRows(acc, res, ys) }, nil)
		clamp(f, acc, args, lastLo, lastHi, hold)
		c.storeRows(acc, y, ys)
		if !part {
			for _, q := range []Local{y, res, bias} {
				f.Get(q).If(func() { add(f, q, 4*lastChannels) }, nil)
			}
			for _, q := range x {
				add(f, q, 4*lastChannels)
			}
			f.Get(left).I32(lastChannels).Op(I32Sub).Tee(left).I32(lastChannels).Op(I32GeS).BrIf(block)
		}
	})
	return f
}

// Offsets of simd.poolRun.
const (
	poolX      = 0
	poolY      = 8
	poolOffs   = 16
	poolPixels = 24
	poolTaps   = 32
	poolXS     = 40
	poolYS     = 48
	poolC      = 56
	poolAvg    = 64
	poolDiv    = 72
)

// addPoolLast adds the kernel PoolLast: the maximum or the mean of the taps of pixels, all channels.
func (t *mat) addPoolLast() {
	f, args := t.kernel("poolLast")
	x, y, offs, taps := f.Local(I32, "x"), f.Local(I32, "y"), f.Local(I32, "offs"), f.Local(I32, "taps")
	pixels, left, lanes, xp, yp := f.Local(I32, "pixels"), f.Local(I32, "left"), f.Local(I32, "lanes"), f.Local(I32, "xp"), f.Local(I32, "yp")
	avg := f.Local(I32, "avg")
	acc, v := f.Local(V128, "acc"), f.Local(V128, "v")
	field(f, args, poolX, x)
	field(f, args, poolY, y)
	field(f, args, poolPixels, pixels)
	field(f, args, poolAvg, avg)
	load := func(dst Local) {
		f.Get(xp).Get(offs).Mem(I32Load, 0).Op(I32Add).Set(yp)
		add(f, offs, 4)
		f.Get(lanes).I32(4).Op(I32Eq).If(func() { f.Get(yp).Mem(V128Load, 0).Set(dst) }, func() {
			f.Get(yp, lanes).Call(t.load).Set(dst)
		})
		add(f, taps, -1)
	}
	at := f.Local(I32, "at")
	f.Loop(func(pixel Label) {
		field(f, args, poolC, left)
		f.Get(x).Set(xp)
		f.Get(y).Set(at)
		f.Loop(func(block Label) {
			minimum(f, left, 4, lanes)
			field(f, args, poolOffs, offs)
			field(f, args, poolTaps, taps)
			load(acc)
			while(f, func() { f.Get(taps) }, func() {
				load(v)
				f.Get(avg).If(func() { f.Get(acc, v).Op(F32x4Add).Set(acc) }, func() {
					// v where v > acc or v is NaN
					f.Get(v, acc).Get(v, acc).Op(F32x4Gt).Get(v, v).Op(F32x4Ne, V128Or, V128Bitselect).Set(acc)
				})
			})
			f.Get(avg).If(func() { f.Get(acc).Get(args).Mem(V128Load32Splat, poolDiv).Op(F32x4Div).Set(acc) }, nil)
			f.Get(lanes).I32(4).Op(I32Eq).If(func() { f.Get(at, acc).Mem(V128Store, 0) }, func() { f.Get(at, lanes, acc).Call(t.store) })
			add(f, at, 16)
			add(f, xp, 16)
			f.Get(left).I32(4).Op(I32Sub).Tee(left).I32(0).Op(I32GtS).BrIf(block)
		})
		f.Get(x).Get(args).Mem(I32Load, poolXS).Op(I32Add).Set(x)
		f.Get(y).Get(args).Mem(I32Load, poolYS).Op(I32Add).Set(y)
		f.Get(pixels).I32(1).Op(I32Sub).Tee(pixels).BrIf(pixel)
	})
}
