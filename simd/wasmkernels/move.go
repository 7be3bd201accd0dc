package wasmkernels

import . "github.com/weft-ml/weft/simd/wasmasm"

// addTranspose adds simd's transposition, dst[j*ldd+i] = x[i*ldx+j] for i < rows, j < cols: 16 rows at a time, so that whole cache
// lines of dst are written, in blocks of 4x4; the edges element by element.
func (b *builder) addTranspose() {
	f, args := b.kernel("transpose")
	word := func(off int) Local {
		v := f.Local(I32, "")
		f.Get(args).Mem(I32Load, uint32(off)).Set(v)
		return v
	}
	dst, x, rows, cols := word(0), word(8), word(16), word(24)
	ldx, ldd := word(32), word(40) // in bytes
	cols4, rows4 := f.Local(I32, ""), f.Local(I32, "")
	i, j, end := f.Local(I32, ""), f.Local(I32, ""), f.Local(I32, "")
	from, to := f.Local(I32, ""), f.Local(I32, "")
	row := [4]Local{}
	for k := range row {
		row[k] = f.Local(V128, "")
	}
	half := [4]Local{}
	for k := range half {
		half[k] = f.Local(V128, "")
	}
	p := f.Local(I32, "")

	// The addresses of element (i, j).
	at := func() {
		f.Get(x).Get(i, ldx).Op(I32Mul, I32Add).Get(j).I32(2).Op(I32Shl, I32Add).Set(from)
		f.Get(dst).Get(j, ldd).Op(I32Mul, I32Add).Get(i).I32(2).Op(I32Shl, I32Add).Set(to)
	}
	block := func() {
		f.Get(from).Set(p)
		for k, v := range row {
			f.Get(p).Mem(V128Load, 0).Set(v)
			if k < 3 {
				f.Get(p, ldx).Op(I32Add).Set(p)
			}
		}
		for k := range 2 { // rows k and k+2, their words in turn
			f.Get(row[k], row[k+2]).Shuffle(words([4]int{0, 4, 1, 5})).Set(half[k])
			f.Get(row[k], row[k+2]).Shuffle(words([4]int{2, 6, 3, 7})).Set(half[k+2])
		}
		f.Get(to).Set(p)
		for k := range 4 {
			f.Get(p).Get(half[k/2*2], half[k/2*2+1]).Shuffle(words([4]int{2*(k%2) + 0, 2*(k%2) + 4, 2*(k%2) + 1, 2*(k%2) + 5})).Mem(V128Store, 0)
			if k < 3 {
				f.Get(p, ldd).Op(I32Add).Set(p)
			}
		}
	}
	single := func() {
		at()
		f.Get(to).Get(from).Mem(F32Load, 0).Mem(F32Store, 0)
	}

	f.Get(cols).I32(-4).Op(I32And).Set(cols4)
	f.Get(rows).I32(-4).Op(I32And).Set(rows4)
	first := f.Local(I32, "")
	forStep(f, first, rows4, 16, func() {
		f.Get(first).I32(16).Op(I32Add).Tee(end).Get(rows4).Get(end, rows4).Op(I32LtU).Select().Set(end)
		f.I32(0).Set(j)
		forStep(f, j, cols4, 4, func() {
			f.Get(first).Set(i)
			at()
			f.Loop(func(again Label) {
				block()
				f.Get(from).Get(ldx).I32(2).Op(I32Shl, I32Add).Set(from)
				f.Get(to).I32(16).Op(I32Add).Set(to)
				f.Get(i).I32(4).Op(I32Add).Tee(i).Get(end).Op(I32LtU).BrIf(again)
			})
		})
	})
	f.I32(0).Set(i)
	forStep(f, i, rows4, 1, func() {
		f.Get(cols4).Set(j)
		forStep(f, j, cols, 1, single)
	})
	forStep(f, i, rows, 1, func() {
		f.I32(0).Set(j)
		forStep(f, j, cols, 1, single)
	})
}
