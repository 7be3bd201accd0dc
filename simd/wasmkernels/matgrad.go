package wasmkernels

import (
	"strconv"

	. "github.com/weft-ml/weft/simd/wasmasm"
)

// Offsets of simd.gradJobArgs.
const (
	gradN      = 0
	gradSlice  = 8
	gradRows   = 16
	gradBlocks = 24
	gradTail   = 32
	gradDY     = 40
	gradDYC    = 48
	gradDYSkip = 56
	gradX      = 64
	gradXRow   = 72
	gradXSkip  = 80
	gradOffs   = 88
	gradCount  = 96
	gradM      = 104
	gradDW     = 112
	gradDWRow  = 120
	gradLanes  = 128
)

// mostGradRows is the most output channels of a weight-gradient tile, gradTaps the most taps of one with that many channels:
// an element has two vectors of lanes. There are tiles of one tap too.
const mostGradRows = 3

func gradTaps(rows int) int { return [...]int{1: 3, 2: 3, 3: 2}[rows] }

// addGradJob adds the kernel ConvGradJob: the weight gradient of all output channels of a group for a run of taps.
func (t *mat) addGradJob() {
	var tiles, singles [mostGradRows + 1]*Func
	for rows := 1; rows <= mostGradRows; rows++ {
		tiles[rows], singles[rows] = t.gradTile(rows, gradTaps(rows)), t.gradTile(rows, 1)
	}
	f, args := t.kernel("convGradJob")
	m, left, h := f.Local(I32, "m"), f.Local(I32, "left"), f.Local(I32, "h")
	dy, dyC, dw, dwRow := f.Local(I32, "dy"), f.Local(I32, "dyC"), f.Local(I32, "dw"), f.Local(I32, "dwRow")
	at, offs, count := f.Local(I32, "at"), f.Local(I32, "offs"), f.Local(I32, "count")
	field(f, args, gradDYC, dyC)
	field(f, args, gradDW, dw)
	field(f, args, gradDWRow, dwRow)
	field(f, args, gradM, m)
	field(f, args, gradDY, dy)
	f.Get(m).I32(mostGradRows - 1).Op(I32Add).I32(mostGradRows).Op(I32DivU).Set(left)
	// Panels of channels differ by at most one, tall ones first.
	while(f, func() { f.Get(left) }, func() {
		f.Get(m, left).Op(I32Add).I32(1).Op(I32Sub).Get(left).Op(I32DivU).Set(h)
		field(f, args, gradOffs, offs)
		field(f, args, gradCount, count)
		f.Get(dw).Set(at)
		for rows := 1; rows <= mostGradRows; rows++ {
			f.Get(h).I32(int32(rows)).Op(I32Eq).If(func() {
				for _, e := range []struct {
					taps int
					f    *Func
				}{{gradTaps(rows), tiles[rows]}, {1, singles[rows]}} {
					countDown(f, count, int32(e.taps), func() {
						f.Get(args, dy, at, offs).Call(e.f)
						add(f, offs, int32(4*e.taps))
						add(f, at, int32(4*e.taps))
					})
				}
			}, nil)
		}
		f.Get(dy, h, dyC).Op(I32Mul, I32Add).Set(dy)
		f.Get(dw, h, dwRow).Op(I32Mul, I32Add).Set(dw)
		f.Get(m, h).Op(I32Sub).Set(m)
		add(f, left, -1)
	})
}

// gradTile adds grad_tileRxT(args, dy, dw, offs): R output channels by T taps over all images. Each element has 8 lanes, lane l
// for the pixels l, l+8, ... of each row; the sums of slices of images are added to totals, whose lanes are added up at the end.
func (t *mat) gradTile(rows, taps int) *Func {
	f := t.m.Func("grad_tile"+strconv.Itoa(rows)+"x"+strconv.Itoa(taps), Sig(I32, I32, I32, I32)())
	args, dy, dw, offs := f.Param(0, "args"), f.Param(1, "dy"), f.Param(2, "dw"), f.Param(3, "offs")
	var (
		images, slice, todo = f.Local(I32, "images"), f.Local(I32, "slice"), f.Local(I32, "todo")
		row, block          = f.Local(I32, "row"), f.Local(I32, "block")
		height, blocks      = f.Local(I32, "height"), f.Local(I32, "blocks")
		tail, part          = f.Local(I32, "tail"), f.Local(I32, "part")
		xRow, xSkip, dySkip = f.Local(I32, "xRow"), f.Local(I32, "xSkip"), f.Local(I32, "dySkip")
		lanes, first        = f.Local(I32, "lanes"), f.Local(I32, "first")
		x, d                = numbered(f, I32, "x", taps), numbered(f, I32, "d", rows)
		xv, dv              = numbered(f, V128, "x", taps), f.Local(V128, "d")
		keep                = f.Local(V128, "keep")
		acc                 = accumulators(f, rows, 2*taps) // element (r, t) in 2*t and 2*t+1
	)
	for _, e := range []struct {
		l  Local
		at uint32
	}{{todo, gradN}, {slice, gradSlice}, {height, gradRows}, {blocks, gradBlocks}, {tail, gradTail}, {xRow, gradXRow}, {xSkip, gradXSkip},
		{dySkip, gradDYSkip}, {lanes, gradLanes}} {
		field(f, args, e.at, e.l)
	}
	f.Get(tail).I32(3).Op(I32And).Set(part)
	for i := range x {
		f.Get(args).Mem(I32Load, gradX).Get(offs).Mem(I32Load, uint32(4*i)).Op(I32Add).Set(x[i])
	}
	f.Get(dy).Set(d[0])
	for r := 1; r < rows; r++ {
		f.Get(d[r-1]).Get(args).Mem(I32Load, gradDYC).Op(I32Add).Set(d[r])
	}
	half := func(which int, load func(p Local)) {
		if rows*2*taps+taps+2 > 15 && !t.variant.Relaxed { // no room for the pixels: each product reads them
			xt := xv[0]
			for r := range rows {
				load(d[r])
				f.Set(dv)
				for i := range taps {
					load(x[i])
					f.Set(xt)
					t.multiplyAdd(f, dv, xt, acc[r][2*i+which])
				}
			}
			return
		}
		for i := range taps {
			load(x[i])
			f.Set(xv[i])
		}
		for r := range rows {
			load(d[r])
			f.Set(dv)
			for i := range taps {
				t.multiplyAdd(f, dv, xv[i], acc[r][2*i+which])
			}
		}
	}
	whole := func(which int) {
		half(which, func(p Local) { f.Get(p).Mem(V128Load, uint32(16*which)) })
	}
	advance := func(by func()) {
		for _, p := range append(append([]Local{}, x...), d...) {
			f.Get(p)
			by()
			f.Op(I32Add).Set(p)
		}
	}
	f.I32(1).Set(first)
	f.Loop(func(again Label) {
		zero(f, acc, dv)
		f.Get(todo, slice).Get(todo, slice).Op(I32LtS).Select().Set(images)
		f.Get(todo, images).Op(I32Sub).Set(todo)
		countDown(f, images, 1, func() {
			f.Get(height).Set(row)
			countDown(f, row, 1, func() {
				f.Get(blocks).Set(block)
				countDown(f, block, 1, func() {
					whole(0)
					whole(1)
					advance(func() { f.I32(32) })
				})
				f.Get(tail).If(func() { t.gradTail(f, tail, part, keep, whole, half, advance) }, nil)
				for _, p := range x {
					addTo(f, p, xRow)
				}
			})
			for _, p := range x {
				addTo(f, p, xSkip)
			}
			for _, p := range d {
				addTo(f, p, dySkip)
			}
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
			f.Get(dw).Get(args).Mem(I32Load, gradDWRow).Op(I32Add).Set(dw)
		}
	}
	return f
}

// gradTail emits the block that ends a row, of 1 to 7 pixels. The lanes beyond are left out: a product 0*0 changes no accumulator, as none
// is -0. A second vector that has only some of its lanes is read so that it ends with the row, and shifted down.
func (t *mat) gradTail(f *Func, tail, part, keep Local, whole func(int), half func(int, func(Local)), advance func(func())) {
	f.Get(tail).I32(4).Op(I32GeS).If(func() {
		whole(0)
		f.Get(part).If(func() {
			// Lane i of the result is lane 4-part+i of the vector read; indices over 15 give zeros.
			var lanes [16]byte
			for i := range lanes {
				lanes[i] = byte(i)
			}
			f.V128(lanes).I32(4).Get(part).Op(I32Sub).I32(2).Op(I32Shl, I8x16Splat, I8x16Add).Set(keep)
			half(1, func(p Local) {
				f.Get(p).Get(part).I32(2).Op(I32Shl, I32Add).Mem(V128Load, 0).Get(keep).Op(I8x16Swizzle)
			})
		}, nil)
	}, func() {
		half(0, func(p Local) { f.Get(p, part).Call(t.load) })
	})
	// dy's rows follow one another; x has its own step.
	advance(func() { f.Get(tail).I32(2).Op(I32Shl) })
}
