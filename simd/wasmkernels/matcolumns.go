package wasmkernels

import (
	"strconv"

	. "github.com/weft-ml/weft/simd/wasmasm"
)

// Offsets of simd.columnsArgs.
const (
	colPlanes = 8 * iota
	colImages
	colRows
	colWidth
	colT
	colTPlane
	colTImage
	colTRow
	colDst
	colDPlane
	colDImage
	colDRow
	colTaps
	colTable
	colMasks
	colMask
	colEven
	colEvenRow
)

// addColumns adds the kernel AddColumns: dst[plane,image,row,j] is the sum, from +0 on, over the taps of t[plane,image,row,j+offset of the
// tap] & mask of the tap[j].
func (t *mat) addColumns() {
	wide, narrow := t.columnSums(4), t.columnSums(1)
	interleaved := t.columnsInterleaved(narrow)
	f, args := t.kernel("addColumns")
	local := func(name string) Local { return f.Local(I32, name) }
	planes, images, rows, width := local("planes"), local("images"), local("rows"), local("width")
	tPlane, tImage, tRow := local("tPlane"), local("tImage"), local("tRow")
	dPlane, dImage, dRow := local("dPlane"), local("dImage"), local("dRow")
	col, last, even, v := local("col"), local("last"), local("even"), f.Local(V128, "v")
	field(f, args, colEven, even)
	field(f, args, colPlanes, planes)
	field(f, args, colT, tPlane)
	field(f, args, colDst, dPlane)
	f.Get(args).Mem(I32Load, colWidth).I32(2).Op(I32Shl).Tee(width).I32(16).Op(I32Sub).Set(last)
	step := func(p Local, by uint32) { f.Get(p).Get(args).Mem(I32Load, by).Op(I32Add).Set(p) }
	countDown(f, planes, 1, func() {
		f.Get(tPlane).Set(tImage).Get(dPlane).Set(dImage)
		field(f, args, colImages, images)
		countDown(f, images, 1, func() {
			f.Get(tImage).Set(tRow).Get(dImage).Set(dRow)
			field(f, args, colRows, rows)
			countDown(f, rows, 1, func() {
				f.I32(0).Set(col)
				f.Get(even).If(func() {
					f.Get(args, tRow, dRow, even, width).Call(interleaved)
					f.Get(width).Set(col)
				}, nil)
				while(f, func() { f.Get(col).I32(64).Op(I32Add).Get(width).Op(I32LeS) }, func() {
					f.Get(args, tRow, col).Get(dRow, col).Op(I32Add).Call(wide).Drop()
					add(f, col, 64)
				})
				f.Get(last).I32(0).Op(I32LtS).Get(even).Op(I32Eqz, I32And).If(func() {
					f.Get(args, tRow, col, col).Call(narrow).Set(v)
					f.Get(dRow).Get(width).I32(2).Op(I32ShrU).Get(v).Call(t.store)
				}, func() {
					while(f, func() { f.Get(col, width).Op(I32LtS) }, func() {
						// The last group of a row ends where the row ends.
						f.Get(col, last).Get(col, last).Op(I32LtS).Select().Set(col)
						f.Get(dRow, col).Op(I32Add)
						f.Get(args, tRow, col, col).Call(narrow).Mem(V128Store, 0)
						add(f, col, 16)
					})
				})
				step(even, colEvenRow)
				step(tRow, colTRow)
				step(dRow, colDRow)
			})
			step(tImage, colTImage)
			step(dImage, colDImage)
		})
		step(tPlane, colTPlane)
		step(dPlane, colDPlane)
	})
}

// columnSums adds column_sumsN(args, t, col, dst): the sums of N vectors of a row, col bytes from its start. One vector is returned, more are stored.
func (t *mat) columnSums(n int) *Func {
	f := t.m.Func("column_sums"+strconv.Itoa(n), Sig(I32, I32, I32, I32)(V128))
	args, tp, col, dst := f.Param(0, "args"), f.Param(1, "t"), f.Param(2, "col"), f.Param(3, "dst")
	taps, table, masks, p, m := f.Local(I32, "taps"), f.Local(I32, "table"), f.Local(I32, "masks"), f.Local(I32, "p"), f.Local(I32, "m")
	acc := numbered(f, V128, "c", n)
	field(f, args, colTaps, taps)
	field(f, args, colTable, table)
	field(f, args, colMasks, masks)
	addTo(f, tp, col)
	addTo(f, masks, col)
	for _, v := range acc {
		f.V128([16]byte{}).Set(v)
	}
	countDown(f, taps, 1, func() {
		f.Get(tp).Get(table).Mem(I32Load, 0).Op(I32Add).Set(p)
		f.Get(masks).Get(table).Mem(I32Load, 4).Op(I32Add).Set(m)
		for i, v := range acc {
			f.Get(v)
			f.Get(p).Mem(V128Load, uint32(16*i))
			f.Get(m).Mem(V128Load, uint32(16*i))
			f.Op(V128And, F32x4Add).Set(v)
		}
		add(f, table, 8)
	})
	if n > 1 {
		for i, v := range acc {
			f.Get(dst, v).Mem(V128Store, uint32(16*i))
		}
	}
	f.Get(acc[0])
	return f
}

// columnsInterleaved adds columns_interleaved(args, t, dst, even, width): the sums of a row, each after the element of the row of even
// columns at the same place.
func (t *mat) columnsInterleaved(one *Func) *Func {
	f := t.m.Func("columns_interleaved", Sig(I32, I32, I32, I32, I32)())
	args, tp, dst, even, width := f.Param(0, "args"), f.Param(1, "t"), f.Param(2, "dst"), f.Param(3, "even"), f.Param(4, "width")
	col, last, v, e := f.Local(I32, "col"), f.Local(I32, "last"), f.Local(V128, "v"), f.Local(V128, "e")
	f.Get(width).I32(16).Op(I32Sub).Set(last)
	while(f, func() { f.Get(col, width).Op(I32LtS) }, func() {
		f.Get(col, last).Get(col, last).Op(I32LtS).Select().Set(col)
		f.Get(args, tp, col, col).Call(one).Set(v)
		f.Get(even, col).Op(I32Add).Mem(V128Load, 0).Set(e)
		f.Get(dst).Get(col).I32(1).Op(I32Shl, I32Add)
		f.Get(e, v).Shuffle([16]byte{0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23}).Mem(V128Store, 0)
		f.Get(dst).Get(col).I32(1).Op(I32Shl, I32Add)
		f.Get(e, v).Shuffle([16]byte{8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31}).Mem(V128Store, 16)
		add(f, col, 16)
	})
	return f
}
