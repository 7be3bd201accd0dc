package wasmkernels

import . "github.com/weft-ml/weft/simd/wasmasm"

// panelColumns is how many columns of B one pass over the rows of A reads: with Chunk rows they are 256 KB,
// which stay in the second-level cache while every panel of A goes by.
const panelColumns = 128

// addGemm adds the export
//
//	gemm_f32(m, n, k, pa, pb, c, ldc, acc)
//	C[m,n] = A[m,k] * B[k,n], or C + A * B if acc is not zero
//
// of packed matrices (gemm_pack_a, gemm_pack_b), and gemm_mr and gemm_nr, their panel sizes. Products are added in the
// order of k inside chunks of Chunk, each from +0; the first sum replaces C, or is added to it under acc, and
// the following ones are added in order. The rows of A from a multiple of gemm_mr on, and the columns of B from a multiple of
// gemm_nr on, are a product of their own, so that a caller may divide the work.
func addGemm(m *Module, t tile) {
	row := addRow(m, t)

	f := m.Func("gemm_f32", Sig(I32, I32, I32, I32, I32, I32, I32, I32)())
	rows, cols, k := f.Param(0, "m"), f.Param(1, "n"), f.Param(2, "k")
	pa, pb, c, ldc, acc := f.Param(3, "pa"), f.Param(4, "pb"), f.Param(5, "c"), f.Param(6, "ldc"), f.Param(7, "acc")
	kc, i, j := f.Local(I32, "kc"), f.Local(I32, "i"), f.Local(I32, "j")
	w, a, bj, cj := f.Local(I32, "w"), f.Local(I32, "a"), f.Local(I32, "bj"), f.Local(I32, "cj")
	ci, left := f.Local(I32, "ci"), f.Local(I32, "left")

	f.Get(ldc).I32(2).Op(I32Shl).Set(ldc)
	f.Get(k).Set(left)
	f.Loop(func(chunk Label) { // once even if k is zero: C becomes zero
		minimum(f, left, Chunk, kc)
		f.I32(0).Set(j).Get(pb).Set(bj).Get(c).Set(cj)
		forStep(f, j, cols, panelColumns, func() {
			f.Get(cols, j).Op(I32Sub).Set(w)
			minimum(f, w, panelColumns, w)
			f.I32(0).Set(i).Get(pa).Set(a).Get(cj).Set(ci)
			forStep(f, i, rows, t.mr, func() {
				f.Get(a, bj, kc, ci, ldc, acc).Get(rows, i).Op(I32Sub).Get(w, k).Call(row)
				addProduct(f, a, k, int32(4*t.mr))
				addProduct(f, ci, ldc, int32(t.mr))
			})
			addProduct(f, bj, k, 4*panelColumns)
			f.Get(cj).I32(4 * panelColumns).Op(I32Add).Set(cj)
		})
		addProduct(f, pa, kc, int32(4*t.mr))
		addProduct(f, pb, kc, int32(4*t.nr))
		f.I32(1).Set(acc)
		f.Get(left, kc).Op(I32Sub).Tee(left).BrIf(chunk)
	})
	m.ExportFunc("gemm_f32", f)

	addSize(m, "gemm_mr", t.mr)
	addSize(m, "gemm_nr", t.nr)
}

// addSize adds an export that returns a constant.
func addSize(m *Module, name string, v int) {
	f := m.Func(name, Sig()(I32))
	f.I32(int32(v))
	m.ExportFunc(name, f)
}

// addRow adds the function of one row of tiles: at most mr rows of C, n <= panelColumns columns, one chunk of kc of the k
// rows that a panel of B has.
func addRow(m *Module, t tile) *Func {
	full, edge := t.addFull(), t.addEdge(t.addStoreRow())
	f := m.Func(t.name("gemm_row"), Sig(I32, I32, I32, I32, I32, I32, I32, I32, I32)())
	pa, pb, kc, c, ldc, add := f.Param(0, "pa"), f.Param(1, "pb"), f.Param(2, "kc"), f.Param(3, "c"), f.Param(4, "ldc"), f.Param(5, "add")
	rows, cols, k := f.Param(6, "m"), f.Param(7, "n"), f.Param(8, "k")
	next := func() {
		addProduct(f, pb, k, int32(4*t.nr))
		f.Get(c).I32(int32(4 * t.nr)).Op(I32Add).Set(c)
		f.Get(cols).I32(int32(t.nr)).Op(I32Sub).Set(cols)
	}
	f.Get(rows).I32(int32(t.mr)).Op(I32GeU).If(func() {
		f.Block(func(exit Label) {
			f.Loop(func(again Label) {
				f.Get(cols).I32(int32(t.nr)).Op(I32LtU).BrIf(exit)
				f.Get(pa, pb, kc, c, ldc, add).Call(full)
				next()
				f.Br(again)
			})
		})
	}, nil)
	f.Block(func(exit Label) {
		f.Loop(func(again Label) {
			f.Get(cols).I32(0).Op(I32LeS).BrIf(exit)
			f.Get(pa, pb, kc, c, ldc, add, rows, cols).Call(edge)
			next()
			f.Br(again)
		})
	})
	return f
}

// forStep emits for ; i < n; i += step { body() }.
func forStep(f *Func, i, n Local, step int, body func()) {
	f.Block(func(exit Label) {
		f.Loop(func(again Label) {
			f.Get(i, n).Op(I32GeU).BrIf(exit)
			body()
			f.Get(i).I32(int32(step)).Op(I32Add).Set(i).Br(again)
		})
	})
}

// minimum emits dst = min(v, most), unsigned.
func minimum(f *Func, v Local, most int32, dst Local) {
	f.Get(v).I32(most).Get(v).I32(most).Op(I32LtU).Select().Set(dst)
}

// addProduct emits dst += v*by.
func addProduct(f *Func, dst, v Local, by int32) {
	f.Get(dst, v).I32(by).Op(I32Mul, I32Add).Set(dst)
}

// addProbe adds the export fma_probe(a, b, c): one lane of what the kernels use for a*b + c. The arguments come from
// outside so that no compiler folds it: with a = b = 1 + 2^-12 and c = -(1 + 2^-11) it is 2^-24 if it rounds once and 0 if twice.
func addProbe(m *Module, t tile) {
	f := m.Func("fma_probe", Sig(F32, F32, F32)(F32))
	v := [3]Local{}
	for i, name := range []string{"va", "vb", "vc"} {
		v[i] = f.Local(V128, name)
		f.Get(f.Param(i)).Op(F32x4Splat).Set(v[i])
	}
	t.multiplyAdd(f, v[0], v[1], v[2])
	f.Get(v[2]).Lane(F32x4ExtractLane, 0)
	m.ExportFunc("fma_probe", f)
}
