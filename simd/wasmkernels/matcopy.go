package wasmkernels

import . "github.com/weft-ml/weft/simd/wasmasm"

// Offsets of simd.rowsArgs.
const (
	rowsDst = 0
	rowsDS  = 8
	rowsSrc = 16
	rowsSS  = 24
	rowsN   = 32
	rowsK   = 40
)

// addPackRows adds the kernel PackRows, which transposes n rows of k elements, ss bytes apart, to k rows ds bytes apart. Up to 3
// elements after the last row's n are overwritten.
func (t *mat) addPackRows() {
	block := t.addPackBlock()
	f, args := t.kernel("packRows")
	dst, src := f.Local(I32, "dst"), f.Local(I32, "src")
	ds, ss, n, k, r := f.Local(I32, "ds"), f.Local(I32, "ss"), f.Local(I32, "n"), f.Local(I32, "k"), f.Local(I32, "r")
	field(f, args, rowsDst, dst)
	field(f, args, rowsDS, ds)
	field(f, args, rowsSrc, src)
	field(f, args, rowsSS, ss)
	field(f, args, rowsN, n)
	field(f, args, rowsK, k)
	// The blocks of 4 rows go from the last to the first: where a block writes past its rows, a later one writes the right
	// values.
	f.Get(n).I32(1).Op(I32Sub).I32(-4).Op(I32And).Set(r)
	f.Loop(func(again Label) {
		f.Get(dst, r).I32(2).Op(I32Shl, I32Add)
		f.Get(src).Get(r, ss).Op(I32Mul, I32Add)
		f.Get(ds, ss).Get(n, r).Op(I32Sub).Get(k).Call(block)
		f.Get(r).I32(4).Op(I32Sub).Tee(r).I32(0).Op(I32GeS).BrIf(again)
	})
}

// addPackBlock adds pack_block(dst, src, ds, ss, n, k): PackRows for 4 rows. Of fewer the last is repeated.
func (t *mat) addPackBlock() *Func {
	f := t.m.Func("pack_block", Sig(I32, I32, I32, I32, I32, I32)())
	dst, src, ds, ss, n, k := f.Param(0, "dst"), f.Param(1, "src"), f.Param(2, "ds"), f.Param(3, "ss"), f.Param(4, "n"), f.Param(5, "k")
	p, v, w := numbered(f, I32, "p", 4), numbered(f, V128, "v", 4), numbered(f, V128, "w", 4)
	f.Get(src).Set(p[0])
	for i := 1; i < 4; i++ {
		f.Get(p[i-1]).Get(ss).I32(0).Get(n).I32(int32(i)).Op(I32GtS).Select().Op(I32Add).Set(p[i])
	}
	countDown(f, k, 4, func() {
		for i := range 4 {
			f.Get(p[i]).Mem(V128Load, 0).Set(v[i])
			add(f, p[i], 16)
		}
		transpose4(f, v, w)
		for i := range 4 {
			f.Get(dst, v[i]).Mem(V128Store, 0)
			addTo(f, dst, ds)
		}
	})
	countDown(f, k, 1, func() {
		f.Get(dst)
		f.Get(p[0]).Mem(V128Load32Zero, 0)
		for i := 1; i < 4; i++ {
			f.Set(v[0]).Get(p[i], v[0]).MemLane(V128Load32Lane, 0, i)
		}
		f.Mem(V128Store, 0)
		for i := range 4 {
			add(f, p[i], 4)
		}
		addTo(f, dst, ds)
	})
	return f
}

// transpose4 emits the transposition of the 4x4 matrix in v; w is scratch.
func transpose4(f *Func, v, w []Local) {
	unpack := func(a, b Local, lanes [4]byte, dst Local) {
		var s [16]byte
		for i, l := range lanes {
			for j := range byte(4) {
				s[4*i+int(j)] = 4*l + j
			}
		}
		f.Get(a, b).Shuffle(s).Set(dst)
	}
	low, high := [4]byte{0, 4, 1, 5}, [4]byte{2, 6, 3, 7}
	unpack(v[0], v[1], low, w[0])
	unpack(v[0], v[1], high, w[2])
	unpack(v[2], v[3], low, w[1])
	unpack(v[2], v[3], high, w[3])
	low, high = [4]byte{0, 1, 4, 5}, [4]byte{2, 3, 6, 7}
	unpack(w[0], w[1], low, v[0])
	unpack(w[0], w[1], high, v[1])
	unpack(w[2], w[3], low, v[2])
	unpack(w[2], w[3], high, v[3])
}

// addCopyBlock adds the kernel CopyBlock: a copy of outer x rows x n floats, as simd.blockArgs says in words of 8 bytes.
func (t *mat) addCopyBlock() {
	row, gather := addCopyRow(t.m), addCopyStrided(t.m)
	f, args := t.kernel("copyBlock")
	var l [11]Local
	for i, name := range []string{"dst", "src", "outer", "rows", "n", "douter", "drow", "dcol", "souter", "srow", "scol"} {
		l[i] = f.Local(I32, name)
		field(f, args, uint32(8*i), l[i])
	}
	dst, src, outer, rows, n := l[0], l[1], l[2], l[3], l[4]
	dOuter, dRow, dCol, sOuter, sRow, sCol := l[5], l[6], l[7], l[8], l[9], l[10]
	for _, stride := range l[5:] {
		f.Get(stride).I32(2).Op(I32Shl).Set(stride)
	}
	d, s, i := f.Local(I32, "d"), f.Local(I32, "s"), f.Local(I32, "i")
	f.Get(n).Op(I32Eqz).If(func() { f.Return() }, nil)
	countDown(f, outer, 1, func() {
		f.Get(dst).Set(d).Get(src).Set(s).Get(rows).Set(i)
		f.Get(dCol).I32(4).Op(I32Eq).Get(sCol).I32(4).Op(I32Eq, I32And).If(func() {
			// Rows of the widths of panels need no loop of their own.
			f.Block(func(done Label) {
				for _, width := range []int{8, 6, 4} {
					f.Get(n).I32(int32(width)).Op(I32Eq).If(func() {
						countDown(f, i, 1, func() {
							at := 0
							for ; at+4 <= width; at += 4 {
								f.Get(d, s).Mem(V128Load, uint32(4*at)).Mem(V128Store, uint32(4*at))
							}
							if at < width {
								f.Get(d, s).Mem(I64Load, uint32(4*at)).Mem(I64Store, uint32(4*at))
							}
							addTo(f, d, dRow)
							addTo(f, s, sRow)
						})
						f.Br(done)
					}, nil)
				}
				countDown(f, i, 1, func() {
					f.Get(d, s, n).Call(row)
					addTo(f, d, dRow)
					addTo(f, s, sRow)
				})
			})
		}, func() {
			countDown(f, i, 1, func() {
				f.Get(d, s, dCol, sCol, n).Call(gather)
				addTo(f, d, dRow)
				addTo(f, s, sRow)
			})
		})
		addTo(f, dst, dOuter)
		addTo(f, src, sOuter)
	})
}

// addCopyRow adds copy_row(dst, src, n): n floats, at least 1. The last 4 overlap those before.
func addCopyRow(m *Module) *Func {
	f := m.Func("copy_row", Sig(I32, I32, I32)())
	d, s, n := f.Param(0, "dst"), f.Param(1, "src"), f.Param(2, "n")
	f.Get(n).I32(4).Op(I32LtS).If(func() {
		countDown(f, n, 1, func() {
			f.Get(d, s).Mem(F32Load, 0).Mem(F32Store, 0)
			add(f, d, 4)
			add(f, s, 4)
		})
		f.Return()
	}, nil)
	countDown(f, n, 4, func() {
		f.Get(d, s).Mem(V128Load, 0).Mem(V128Store, 0)
		add(f, d, 16)
		add(f, s, 16)
	})
	f.Get(n).If(func() {
		for _, p := range []Local{d, s} {
			f.Get(p).I32(4).Get(n).Op(I32Sub).I32(2).Op(I32Shl, I32Sub).Set(p)
		}
		f.Get(d, s).Mem(V128Load, 0).Mem(V128Store, 0)
	}, nil)
	return f
}

// addCopyStrided adds copy_strided(dst, src, dcol, scol, n): n floats, one at a time.
func addCopyStrided(m *Module) *Func {
	f := m.Func("copy_strided", Sig(I32, I32, I32, I32, I32)())
	d, s, dCol, sCol, n := f.Param(0, "dst"), f.Param(1, "src"), f.Param(2, "dcol"), f.Param(3, "scol"), f.Param(4, "n")
	countDown(f, n, 1, func() {
		f.Get(d, s).Mem(F32Load, 0).Mem(F32Store, 0)
		addTo(f, d, dCol)
		addTo(f, s, sCol)
	})
	return f
}
