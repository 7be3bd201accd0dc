package wasmkernels

import . "github.com/weft-ml/weft/simd/wasmasm"

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

// addSize adds an export that returns a constant.
func addSize(m *Module, name string, v int) {
	f := m.Func(name, Sig()(I32))
	f.I32(int32(v))
	m.ExportFunc(name, f)
}

// addProbe adds the export fma_probe(a, b, c): one lane of what the kernels use for a*b + c. The arguments come from
// outside so that no compiler folds it: with a = b = 1 + 2^-12 and c = -(1 + 2^-11) it is 2^-24 if it rounds once and 0 if twice.
func (b *builder) addProbe() {
	f := b.m.Func("fma_probe", Sig(F32, F32, F32)(F32))
	splat := func(i int) { f.Get(f.Param(i)).Op(F32x4Splat) }
	if b.variant.Relaxed {
		splat(0)
		splat(1)
		splat(2)
		f.Op(F32x4RelaxedMadd)
	} else {
		splat(2)
		splat(0)
		splat(1)
		f.Op(F32x4Mul, F32x4Add)
	}
	f.Lane(F32x4ExtractLane, 0)
	b.m.ExportFunc("fma_probe", f)
}
