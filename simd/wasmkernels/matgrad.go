package wasmkernels

import (
	"strconv"

	. "github.com/weft-ml/weft/simd/wasmasm"
)

// Offsets of simd.gradJobArgs.
const (
	gradN       = 0
	gradSlice   = 8
	gradRows    = 16
	gradBlocks  = 24
	gradTail    = 32
	gradMask    = 40
	gradDY      = 48
	gradDYC     = 56
	gradDYImage = 64
	gradPack    = 72
	gradX       = 80
	gradXStep   = 88
	gradXRow    = 96
	gradXSkip   = 104
	gradOffs    = 112
	gradCount   = 120
	gradM       = 128
	gradDW      = 136
	gradDWRow   = 144
	gradLanes   = 152
)

// mostGradRows is the most output channels of a weight-gradient tile, gradTaps the most taps of one with that many channels:
// an element has two vectors of lanes. There are tiles of one tap too.
const mostGradRows = 3

func gradTaps(rows int) int { return [...]int{1: 3, 2: 3, 3: 2}[rows] }

// gradRows returns the most output channels of a tile of the variant. Unfused, an older V8 makes the loads of both halves of a block first, which
// spills the accumulators of more than one channel: 3 by 2 runs at two thirds of the speed of 1 by 3.
func (t *mat) gradRows() int {
	if t.variant.Relaxed {
		return mostGradRows
	}
	return 1
}

// addGradJob adds the kernel ConvGradJob: the weight gradient of all output channels of a group for a run of taps.
//
// Tiles read dy from a copy in which the channels of a panel follow one another block by block, zeros after a row's end: reading it in
// place takes a pointer per channel, and images lie at distances that evict each other from the cache. A single channel whose rows are whole
// blocks is in that order already.
func (t *mat) addGradJob() {
	var tiles, singles, packs [mostGradRows + 1]*Func
	for rows := 1; rows <= t.gradRows(); rows++ {
		tiles[rows], singles[rows], packs[rows] = t.gradTile(rows, gradTaps(rows)), t.gradTile(rows, 1), t.gradPackOf(rows)
	}
	f, args := t.kernel("convGradJob")
	m, left, h := f.Local(I32, "m"), f.Local(I32, "left"), f.Local(I32, "h")
	dy, dw, dwRow, from, skip := f.Local(I32, "dy"), f.Local(I32, "dw"), f.Local(I32, "dwRow"), f.Local(I32, "from"), f.Local(I32, "skip")
	at, offs, count := f.Local(I32, "at"), f.Local(I32, "offs"), f.Local(I32, "count")
	field(f, args, gradDW, dw)
	field(f, args, gradDWRow, dwRow)
	field(f, args, gradM, m)
	field(f, args, gradDY, dy)
	f.Get(m).I32(int32(t.gradRows() - 1)).Op(I32Add).I32(int32(t.gradRows())).Op(I32DivU).Set(left)
	// Panels of channels differ by at most one, tall ones first.
	while(f, func() { f.Get(left) }, func() {
		f.Get(m, left).Op(I32Add).I32(1).Op(I32Sub).Get(left).Op(I32DivU).Set(h)
		field(f, args, gradOffs, offs)
		field(f, args, gradCount, count)
		f.Get(dw).Set(at)
		f.Get(h).I32(1).Op(I32Eq).Get(args).Mem(I32Load, gradTail).Op(I32Eqz, I32And).If(func() {
			f.Get(dy).Set(from)
			f.Get(args).Mem(I32Load, gradDYImage).Get(args).Mem(I32Load, gradDYC).Op(I32Sub).Set(skip)
		}, func() {
			for rows := 1; rows <= t.gradRows(); rows++ {
				f.Get(h).I32(int32(rows)).Op(I32Eq).If(func() { f.Get(args, dy).Call(packs[rows]) }, nil)
			}
			field(f, args, gradPack, from)
			f.I32(0).Set(skip)
		})
		for rows := 1; rows <= t.gradRows(); rows++ {
			f.Get(h).I32(int32(rows)).Op(I32Eq).If(func() {
				for _, e := range []struct {
					taps int
					f    *Func
				}{{gradTaps(rows), tiles[rows]}, {1, singles[rows]}} {
					countDown(f, count, int32(e.taps), func() {
						f.Get(args, from, skip, at, offs).Call(e.f)
						add(f, offs, int32(4*e.taps))
						add(f, at, int32(4*e.taps))
					})
				}
			}, nil)
		}
		f.Get(dy, h).Get(args).Mem(I32Load, gradDYC).Op(I32Mul, I32Add).Set(dy)
		f.Get(dw, h, dwRow).Op(I32Mul, I32Add).Set(dw)
		f.Get(m, h).Op(I32Sub).Set(m)
		add(f, left, -1)
	})
}

// gradPackOf adds grad_packR(args, dy), which copies dy of R channels: [image][row][block][channel][8].
func (t *mat) gradPackOf(rows int) *Func {
	f := t.m.Func("grad_pack"+strconv.Itoa(rows), Sig(I32, I32)())
	args, dy := f.Param(0, "args"), f.Param(1, "dy")
	images, row, block, tail := f.Local(I32, "images"), f.Local(I32, "row"), f.Local(I32, "block"), f.Local(I32, "tail")
	dyC, dyImage, dst, p := f.Local(I32, "dyC"), f.Local(I32, "dyImage"), f.Local(I32, "dst"), numbered(f, I32, "p", rows)
	field(f, args, gradN, images)
	field(f, args, gradTail, tail)
	field(f, args, gradDYC, dyC)
	field(f, args, gradDYImage, dyImage)
	field(f, args, gradPack, dst)
	copy4 := func(r int, at uint32) {
		f.Get(dst, p[r]).Mem(V128Load, at).Mem(V128Store, uint32(32*r)+at)
	}
	countDown(f, images, 1, func() {
		f.Get(dy).Set(p[0])
		for r := 1; r < rows; r++ {
			f.Get(p[r-1], dyC).Op(I32Add).Set(p[r])
		}
		field(f, args, gradRows, row)
		countDown(f, row, 1, func() {
			field(f, args, gradBlocks, block)
			countDown(f, block, 1, func() {
				for r := range p {
					copy4(r, 0)
					copy4(r, 16)
					add(f, p[r], 32)
				}
				add(f, dst, int32(32*rows))
			})
			f.Get(tail).If(func() {
				for r := range p {
					f.Get(tail).I32(4).Op(I32GtS).If(func() {
						copy4(r, 0)
						f.Get(dst, p[r]).I32(16).Op(I32Add).Get(tail).I32(4).Op(I32Sub).Call(t.load).Mem(V128Store, uint32(32*r+16))
					}, func() {
						f.Get(dst, p[r], tail).Call(t.load).Mem(V128Store, uint32(32*r))
						f.Get(dst).V128([16]byte{}).Mem(V128Store, uint32(32*r+16))
					})
					f.Get(p[r], tail).I32(2).Op(I32Shl, I32Add).Set(p[r])
				}
				add(f, dst, int32(32*rows))
			}, nil)
		})
		addTo(f, dy, dyImage)
	})
	return f
}

// gradTile adds grad_tileRxT(args, dy, skip, dw, offs): R output channels by T taps over all images, of dy as grad_packR writes it with skip
// bytes after an image. Each element has 8 lanes, lane l for the pixels l, l+8, ... of each row; the sums of slices of images are
// added to totals, whose lanes are added up at the end.
func (t *mat) gradTile(rows, taps int) *Func {
	f := t.m.Func("grad_tile"+strconv.Itoa(rows)+"x"+strconv.Itoa(taps), Sig(I32, I32, I32, I32, I32)())
	args, dy, skip, dw, offs := f.Param(0, "args"), f.Param(1, "dy"), f.Param(2, "skip"), f.Param(3, "dw"), f.Param(4, "offs")
	var (
		images, todo = f.Local(I32, "images"), f.Local(I32, "todo")
		row, block   = f.Local(I32, "row"), f.Local(I32, "block")
		tail, xStep  = f.Local(I32, "tail"), f.Local(I32, "xStep")
		lanes, first = f.Local(I32, "lanes"), f.Local(I32, "first")
		xAt          = f.Local(I32, "xAt") // added to every pointer of x
		x            = numbered(f, I32, "x", taps)
		xv, dv       = numbered(f, V128, "x", taps), f.Local(V128, "d")
		acc          = accumulators(f, rows, 2*taps) // element (r, t) in 2*t and 2*t+1
	)
	word := func(at uint32) { f.Get(args).Mem(I32Load, at) }
	field(f, args, gradN, todo)
	field(f, args, gradTail, tail)
	field(f, args, gradXStep, xStep)
	field(f, args, gradLanes, lanes)
	for i := range x {
		word(gradX)
		f.Get(offs).Mem(I32Load, uint32(4*i)).Op(I32Add).Set(x[i])
	}
	// half emits the products of one half of a block; tail ones leave out the pixels that the row does not have, though their dy is zero: they
	// may be infinite.
	half := func(which int, tail bool) {
		pixels := func(i int) {
			f.Get(x[i], xAt).Op(I32Add).Mem(V128Load, uint32(16*which))
			if tail {
				word(gradMask)
				f.Mem(V128Load, uint32(16*which)).Op(V128And)
			}
		}
		inRegisters := t.variant.Relaxed || rows*2*taps+taps+2 <= 15
		if inRegisters {
			for i := range taps {
				pixels(i)
				f.Set(xv[i])
			}
		}
		for r := range rows {
			f.Get(dy).Mem(V128Load, uint32(32*r+16*which)).Set(dv)
			for i := range taps {
				if inRegisters {
					t.multiplyAdd(f, dv, xv[i], acc[r][2*i+which])
					continue
				}
				pixels(i)
				f.Set(xv[0])
				t.multiplyAdd(f, dv, xv[0], acc[r][2*i+which])
			}
		}
	}
	blockOf := func(tail bool) {
		half(0, tail)
		half(1, tail)
		add(f, dy, int32(32*rows))
		addTo(f, xAt, xStep)
	}
	f.I32(1).Set(first)
	f.Loop(func(again Label) {
		zero(f, acc, dv)
		f.Get(todo)
		word(gradSlice)
		f.Get(todo)
		word(gradSlice)
		f.Op(I32LtS).Select().Set(images)
		f.Get(todo, images).Op(I32Sub).Set(todo)
		countDown(f, images, 1, func() {
			field(f, args, gradRows, row)
			countDown(f, row, 1, func() {
				field(f, args, gradBlocks, block)
				countDown(f, block, 1, func() { blockOf(false) })
				f.Get(tail).If(func() { blockOf(true) }, nil)
				f.Get(xAt)
				word(gradXRow)
				f.Op(I32Add).Set(xAt)
			})
			f.Get(xAt)
			word(gradXSkip)
			f.Op(I32Add).Set(xAt)
			addTo(f, dy, skip)
		})
		f.Get(first).Op(I32Eqz).If(func() {
			each(acc, func(r, c int, v Local) {
				f.Get(lanes).Mem(V128Load, uint32(16*(r*2*taps+c))).Get(v).Op(F32x4Add).Set(v)
			})
		}, nil)
		f.I32(0).Set(first)
		f.Get(todo).If(func() {
			each(acc, func(r, c int, v Local) { f.Get(lanes, v).Mem(V128Store, uint32(16*(r*2*taps+c))) })
			f.Br(again)
		}, nil)
	})
	for r := range rows {
		for i := range taps {
			v := acc[r][2*i]
			f.Get(v, acc[r][2*i+1]).Op(F32x4Add).Set(v)
			f.Get(v, v, v).Shuffle([16]byte{8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15}).Op(F32x4Add).Set(v)
			f.Get(dw).Get(v).Lane(F32x4ExtractLane, 0).Get(v).Lane(F32x4ExtractLane, 1).Op(F32Add).Mem(F32Store, uint32(4*i))
		}
		if r < rows-1 {
			f.Get(dw)
			word(gradDWRow)
			f.Op(I32Add).Set(dw)
		}
	}
	return f
}
