package wasmkernels

import (
	"strconv"

	. "github.com/weft-ml/weft/simd/wasmasm"
)

// planeVectors returns the width of the widest tile of a plane. Unfused, all of a tap's loads take registers, as mat.steps says.
func (t *mat) planeVectors() int {
	if t.variant.Relaxed {
		return 8
	}
	return 6
}

// addPlane adds the kernel PlaneSegment: a segment (simd.convSeg) of one output channel with one input channel and at most a chunk of
// products, at least 4 pixels wide. Pixels of a row are in the lanes; the last of a row may overlap those before.
func (t *mat) addPlane() {
	widest := t.planeVectors()
	tiles := make([]*Func, widest+1)
	for cols := widest; cols > 0; cols /= 2 {
		tiles[cols] = t.planeTile(cols)
	}
	f, args := t.kernel("planeSegment")
	images, image, width, col := f.Local(I32, "images"), f.Local(I32, "image"), f.Local(I32, "width"), f.Local(I32, "col")
	field(f, args, segImages, images)
	field(f, args, segWidth, width)
	while(f, func() { f.Get(image, images).Op(I32LtS) }, func() {
		f.I32(0).Set(col)
		while(f, func() { f.Get(col, width).Op(I32LtS) }, func() {
			f.Block(func(done Label) {
				for cols := widest; cols > 1; cols /= 2 {
					f.Get(width, col).Op(I32Sub).I32(int32(4*cols)).Op(I32GeS).If(func() {
						f.Get(args, image, col).Call(tiles[cols])
						add(f, col, int32(4*cols))
						f.Br(done)
					}, nil)
				}
				f.Get(width).I32(4).Op(I32Sub).Get(col).Get(width).I32(4).Op(I32Sub).Get(col).Op(I32LtS).Select().Set(col)
				f.Get(args, image, col).Call(tiles[1])
				add(f, col, 4)
			})
		})
		add(f, image, 1)
	})
}

// planeTile adds plane_tileN(args, image, col): N vectors of every row, from a column on.
func (t *mat) planeTile(cols int) *Func {
	f := t.m.Func("plane_tile"+strconv.Itoa(cols), Sig(I32, I32, I32)())
	args, image, col := f.Param(0, "args"), f.Param(1, "image"), f.Param(2, "col")
	x, y, xRow, yRow, rows := f.Local(I32, "x"), f.Local(I32, "y"), f.Local(I32, "xRow"), f.Local(I32, "yRow"), f.Local(I32, "rows")
	offs, w, end, at, bias := f.Local(I32, "offs"), f.Local(I32, "w"), f.Local(I32, "end"), f.Local(I32, "at"), f.Local(I32, "bias")
	acc, hold, px := accumulators(f, 1, cols), f.Local(V128, "hold"), f.Local(V128, "px")
	origin := func(base, perImage, perRow uint32, p, row Local) {
		f.Get(args).Mem(I32Load, base).Get(image).Get(args).Mem(I32Load, perImage).Op(I32Mul).Get(col).Op(I32Add).I32(2).Op(I32Shl, I32Add).Set(p)
		f.Get(args).Mem(I32Load, perRow).I32(2).Op(I32Shl).Set(row)
	}
	origin(segX, segXImage, segXRow, x, xRow)
	origin(segY, segYImage, segYRow, y, yRow)
	field(f, args, segRows, rows)
	field(f, args, segBias, bias)
	f.Loop(func(again Label) {
		zero(f, acc, hold)
		field(f, args, segOffs, offs)
		field(f, args, segW, w)
		f.Get(w).Get(args).Mem(I32Load, segK).I32(2).Op(I32Shl, I32Add).Set(end)
		f.Loop(func(tap Label) {
			f.Get(x).Get(offs).Mem(I32Load, 0).Op(I32Add).Set(at)
			f.Get(w).Mem(V128Load32Splat, 0).Set(hold)
			for c, v := range acc[0] {
				f.Get(at).Mem(V128Load, uint32(16*c)).Set(px)
				t.multiplyAdd(f, hold, px, v)
			}
			add(f, offs, 4)
			add(f, w, 4)
			f.Get(w, end).Op(I32Ne).BrIf(tap)
		})
		f.Get(bias).If(func() {
			f.Get(bias).Mem(V128Load32Splat, 0).Set(hold)
			for _, v := range acc[0] {
				f.Get(v, hold).Op(F32x4Add).Set(v)
			}
		}, nil)
		clamp(f, acc, args, segLo, segHi, hold)
		for c, v := range acc[0] {
			f.Get(y, v).Mem(V128Store, uint32(16*c))
		}
		addTo(f, x, xRow)
		addTo(f, y, yRow)
		f.Get(rows).I32(1).Op(I32Sub).Tee(rows).BrIf(again)
	})
	return f
}
