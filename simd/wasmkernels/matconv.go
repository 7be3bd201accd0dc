package wasmkernels

import (
	"strconv"

	. "github.com/weft-ml/weft/simd/wasmasm"
)

// Offsets of simd.convSeg.
const (
	segX      = 0
	segY      = 8
	segImages = 16
	segRows   = 24
	segWidth  = 32
	segXImage = 40
	segXRow   = 48
	segYImage = 56
	segYRow   = 64
	segYCh    = 72
	segOffs   = 80
	segW      = 88
	segK      = 96
	segM      = 104
	segBias   = 112
	segLo     = 120
	segHi     = 124
	segBefore = 128
	segAfter  = 136
	segAdd    = 144
)

// segGroups is for how many groups of 4 pixels all panels of output channels run before the next ones.
const segGroups = 32

// addSegment adds the kernel ConvSegment: a run of output rows of a convolution, all output channels.
func (t *mat) addSegment() {
	var panels, narrow [matRows + 1]*Func
	for rows := 1; rows <= t.rows; rows++ {
		panels[rows], narrow[rows] = t.segmentPanel(rows, false), t.segmentPanel(rows, true)
	}
	all := t.segmentPanels(panels, narrow)
	f, args := t.kernel("convSegment")
	rows, perRow, row, image, col := f.Local(I32, "rows"), f.Local(I32, "perRow"), f.Local(I32, "row"), f.Local(I32, "image"), f.Local(I32, "col")
	left, n, block := f.Local(I32, "left"), f.Local(I32, "n"), f.Local(I32, "block")
	field(f, args, segRows, rows)
	f.Get(args).Mem(I32Load, segWidth).I32(3).Op(I32Add).I32(2).Op(I32ShrU).Set(perRow)
	f.Get(args).Mem(I32Load, segImages).Get(rows).Op(I32Mul).Set(left)
	// Blocks are a number of rows, or parts of a row.
	f.I32(segGroups).Get(perRow).Op(I32DivU).Tee(block).Op(I32Eqz).If(func() {
		while(f, func() { f.Get(left) }, func() {
			f.I32(0).Set(col)
			while(f, func() { f.Get(col, perRow).Op(I32LtS) }, func() {
				f.Get(perRow, col).Op(I32Sub).Set(n)
				minimum(f, n, segGroups, n)
				f.Get(args, image, row, col, n).Call(all)
				add(f, col, segGroups)
			})
			nextRow(f, row, rows, image)
			add(f, left, -1)
		})
		f.Return()
	}, nil)
	while(f, func() { f.Get(left) }, func() {
		f.Get(left, block).Get(left, block).Op(I32LtS).Select().Set(n)
		f.Get(args, image, row).I32(0).Get(n, perRow).Op(I32Mul).Call(all)
		f.Get(left, n).Op(I32Sub).Set(left)
		countDown(f, n, 1, func() { nextRow(f, row, rows, image) })
	})
}

// nextRow advances to the next row of an image, or the first of the next image.
func nextRow(f *Func, row, rows, image Local) {
	add(f, row, 1)
	f.Get(row, rows).Op(I32Eq).If(func() {
		f.I32(0).Set(row)
		add(f, image, 1)
	}, nil)
}

// segmentPanels adds conv_panels(args, image, row, col, n): n groups, from a group of a row on, of all panels of output channels.
// Panels differ by at most one channel, tall ones first.
func (t *mat) segmentPanels(panels, narrow [matRows + 1]*Func) *Func {
	f := t.m.Func("conv_panels", Sig(I32, I32, I32, I32, I32)())
	args, image, row, col, n := f.Param(0, "args"), f.Param(1, "image"), f.Param(2, "row"), f.Param(3, "col"), f.Param(4, "n")
	m, left, h, at := f.Local(I32, "m"), f.Local(I32, "left"), f.Local(I32, "h"), f.Local(I32, "at")
	field(f, args, segM, m)
	f.Get(m).I32(int32(t.rows - 1)).Op(I32Add).I32(int32(t.rows)).Op(I32DivU).Set(left)
	while(f, func() { f.Get(left) }, func() {
		f.Get(m, left).Op(I32Add).I32(1).Op(I32Sub).Get(left).Op(I32DivU).Set(h)
		f.Block(func(done Label) {
			for rows := t.rows; rows > 0; rows-- {
				f.Get(h).I32(int32(rows)).Op(I32Eq).If(func() {
					f.Get(args).Mem(I32Load, segWidth).I32(4).Op(I32LtS).If(func() {
						f.Get(args, at, image, row, col, n).Call(narrow[rows])
						f.Br(done)
					}, nil)
					f.Get(args, at, image, row, col, n).Call(panels[rows])
					f.Br(done)
				}, nil)
			}
		})
		addTo(f, at, h)
		f.Get(m, h).Op(I32Sub).Set(m)
		add(f, left, -1)
	})
	return f
}

// segmentPanel adds conv_panelH(args, m0, image, row, col, n): n groups of 4 pixels of H output channels, from m0 on.
//
// The last group of a row ends where the row ends, overlapping the one before: the same values are computed and stored twice. So
// is the last group of all where there are fewer than a tile takes.
//
// conv_narrowH is the same for rows of fewer than 4 pixels, one group at a time.
func (t *mat) segmentPanel(rows int, narrow bool) *Func {
	cols, name := t.matCols(rows), "conv_panel"
	if narrow {
		cols, name = 1, "conv_narrow"
	}
	f := t.m.Func(name+strconv.Itoa(rows), Sig(I32, I32, I32, I32, I32, I32)())
	args, m0, image, row, col, n := f.Param(0, "args"), f.Param(1, "m0"), f.Param(2, "image"), f.Param(3, "row"), f.Param(4, "col"), f.Param(5, "n")
	var (
		width, images           = f.Local(I32, "width"), f.Local(I32, "rows")
		xRow, yRow              = f.Local(I32, "xRow"), f.Local(I32, "yRow")
		yCh, offs, w, k         = f.Local(I32, "yCh"), f.Local(I32, "offs"), f.Local(I32, "w"), f.Local(I32, "k")
		bias                    = f.Local(I32, "bias")
		xp, yp                  = f.Local(I32, "xp"), f.Local(I32, "yp") // the current row
		last                    = f.Local(I32, "last")                   // where the last group of a row starts
		x, y                    = numbered(f, I32, "x", cols), numbered(f, I32, "y", cols)
		op, wp, left, todo, off = f.Local(I32, "op"), f.Local(I32, "wp"), f.Local(I32, "left"), f.Local(I32, "todo"), f.Local(I32, "off")
		acc, xv, hold           = accumulators(f, rows, cols), numbered(f, V128, "x", cols), f.Local(V128, "hold")
		yr                      = numbered(f, I32, "yr", cols)
		first                   = f.Local(I32, "first")
	)
	for _, e := range []struct {
		l  Local
		at uint32
	}{{width, segWidth}, {images, segRows}, {offs, segOffs}, {k, segK}, {bias, segBias}} {
		field(f, args, e.at, e.l)
	}
	bytes := func(at uint32, dst Local) { f.Get(args).Mem(I32Load, at).I32(2).Op(I32Shl).Set(dst) }
	bytes(segXRow, xRow)
	bytes(segYRow, yRow)
	bytes(segYCh, yCh)
	// The panel's weights, outputs and bias.
	field(f, args, segBefore, off)
	f.Get(args).Mem(I32Load, segW)
	f.Get(m0).Get(k, off).Op(I32Add).Get(args).Mem(I32Load, segAfter).Op(I32Add, I32Mul)
	f.Get(off).I32(int32(rows)).Op(I32Mul, I32Add).I32(2).Op(I32Shl, I32Add).Set(w)
	f.Get(bias).If(func() { f.Get(bias, m0).I32(2).Op(I32Shl, I32Add).Set(bias) }, nil)
	origin := func(base, perImage uint32, perRow, dst Local) {
		f.Get(args).Mem(I32Load, base).Get(image).Get(args).Mem(I32Load, perImage).Op(I32Mul).I32(2).Op(I32Shl, I32Add)
		f.Get(row, perRow).Op(I32Mul, I32Add).Set(dst)
	}
	origin(segX, segXImage, xRow, xp)
	origin(segY, segYImage, yRow, yp)
	f.Get(yp, m0, yCh).Op(I32Mul, I32Add).Set(yp)
	if !narrow {
		f.Get(width).I32(4).Op(I32Sub).Set(last)
	}
	f.Get(col).I32(2).Op(I32Shl).Set(col)

	// group emits the pointers of group i, and advances to the next one.
	group := func(i int) {
		at := off
		f.Get(col, last, col, last).Op(I32LtS).Select().I32(2).Op(I32Shl).Set(at)
		f.Get(xp, at).Op(I32Add).Set(x[i])
		f.Get(yp, at).Op(I32Add).Set(y[i])
		add(f, col, 4)
		f.Get(col, width).Op(I32GeS).If(func() {
			f.I32(0).Set(col)
			add(f, row, 1)
			addTo(f, xp, xRow)
			addTo(f, yp, yRow)
			f.Get(row, images).Op(I32Eq).If(func() {
				f.I32(0).Set(row)
				add(f, image, 1)
				for _, e := range []struct {
					p, perRow Local
					perImage  uint32
				}{{xp, xRow, segXImage}, {yp, yRow, segYImage}} {
					f.Get(e.p).Get(args).Mem(I32Load, e.perImage).I32(2).Op(I32Shl, I32Add).Get(images, e.perRow).Op(I32Mul, I32Sub).Set(e.p)
				}
			}, nil)
		}, nil)
	}
	eachY := func(visit func(r, c int, v Local)) {
		for c := range cols {
			f.Get(y[c]).Set(yr[c])
		}
		each(acc, func(r, c int, v Local) {
			visit(r, c, v)
			if r < rows-1 {
				addTo(f, yr[c], yCh)
			}
		})
	}
	step := func(u int) {
		f.Get(op).Mem(I32Load, uint32(4*u)).Set(off)
		for c := range cols {
			f.Get(x[c], off).Op(I32Add).Mem(V128Load, 0).Set(xv[c])
		}
		t.products(f, acc, func(r int) { f.Get(wp).Mem(V128Load32Splat, uint32(4*(u*rows+r))) }, xv, hold)
	}
	advance := func(n int32) {
		add(f, op, 4*n)
		add(f, wp, 4*n*int32(rows))
	}

	while(f, func() { f.Get(n).I32(0).Op(I32GtS) }, func() {
		group(0)
		for i := 1; i < cols; i++ {
			f.Get(n).I32(int32(i)).Op(I32GtS).If(func() { group(i) }, func() {
				f.Get(x[i-1]).Set(x[i]).Get(y[i-1]).Set(y[i])
			})
		}
		add(f, n, int32(-cols))
		f.Get(offs).Set(op).Get(w).Set(wp).Get(k).Set(todo)
		f.Get(args).Mem(I32Load, segAdd).Op(I32Eqz).Set(first)
		f.Loop(func(chunk Label) {
			zero(f, acc, hold)
			minimum(f, todo, Chunk, left)
			f.Get(todo, left).Op(I32Sub).Set(todo)
			t.steps(f, left, op, func() { f.I32(4) }, step, advance)
			f.Get(first).Op(I32Eqz).If(func() {
				eachY(func(r, c int, v Local) {
					if f.Get(yr[c]); narrow {
						f.Get(width).Call(t.load)
					} else {
						f.Mem(V128Load, 0)
					}
					f.Get(v).Op(F32x4Add).Set(v)
				})
			}, nil)
			f.I32(0).Set(first)
			f.Get(todo).Op(I32Eqz).If(func() {
				f.Get(bias).If(func() {
					for r := range acc {
						f.Get(bias).Mem(V128Load32Splat, uint32(4*r)).Set(hold)
						for _, v := range acc[r] {
							f.Get(v, hold).Op(F32x4Add).Set(v)
						}
					}
				}, nil)
				clamp(f, acc, args, segLo, segHi, hold)
			}, nil)
			eachY(func(r, c int, v Local) {
				if f.Get(yr[c]); narrow {
					f.Get(width, v).Call(t.store)
				} else {
					f.Get(v).Mem(V128Store, 0)
				}
			})
			f.Get(todo).BrIf(chunk)
		})
	})
	return f
}
