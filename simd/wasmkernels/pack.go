package wasmkernels

import (
	"strconv"

	. "github.com/weft-ml/weft/simd/wasmasm"
)

// addPack adds the exports that pack the operands of gemm_f32:
//
//	gemm_pack_a(m, k, a, rs, cs, pa)   element (i, p) of A is a[i*rs + p*cs]
//	gemm_pack_b(k, n, b, rs, cs, pb)   element (p, j) of B is b[p*rs + j*cs]
//
// pa holds the panels of mr rows one after the other, each column by column; pb the panels of nr columns, each row by row.
// Missing rows and columns are zero, so pa takes k * (m rounded up to mr) elements, pb likewise.
// Strides are elements: a transposed matrix packs as well as a plain one.
func addPack(m *Module, t tile) {
	packA, packB := addPanel(m, t.mr), addPanel(m, t.nr)
	for _, p := range []struct {
		name   string
		panel  *Func
		width  int
		second bool // the panel runs along the second dimension
	}{{"gemm_pack_a", packA, t.mr, false}, {"gemm_pack_b", packB, t.nr, true}} {
		f := m.Func(p.name, Sig(I32, I32, I32, I32, I32, I32)())
		n, k := f.Param(0, "m"), f.Param(1, "k")
		src, ws, ks, dst := f.Param(2, "a"), f.Param(3, "rs"), f.Param(4, "cs"), f.Param(5, "dst")
		if p.second {
			k, n = f.Param(0, "k"), f.Param(1, "n")
			src, ks, ws = f.Param(2, "b"), f.Param(3, "rs"), f.Param(4, "cs")
		}
		i := f.Local(I32, "i")
		f.Get(ws).I32(2).Op(I32Shl).Set(ws)
		f.Get(ks).I32(2).Op(I32Shl).Set(ks)
		forStep(f, i, n, p.width, func() {
			f.Get(src, ws, ks).Get(n, i).Op(I32Sub).Get(k, dst).Call(p.panel)
			addProduct(f, dst, k, int32(4*p.width))
			addProduct(f, src, ws, int32(p.width))
		})
		m.ExportFunc(p.name, f)
	}
}

// addPanel adds, once per width, the function that packs one panel:
//
//	for p := range k { for i := range width { dst[p*width+i] = i < n ? src[i*ws + p*ks] : 0 } }
//
// with strides in bytes. It reads whole vectors where the width runs along memory, and transposes none: packing is a small
// part of a product, and loads of single elements are as fast as its stores.
func addPanel(m *Module, width int) *Func {
	f := m.Func("pack_panel_"+strconv.Itoa(width), Sig(I32, I32, I32, I32, I32, I32)())
	src, ws, ks := f.Param(0, "src"), f.Param(1, "ws"), f.Param(2, "ks")
	n, k, dst := f.Param(3, "n"), f.Param(4, "k"), f.Param(5, "dst")
	at, i := f.Local(I32, "at"), f.Local(I32, "i")

	eachK := func(body func()) {
		f.Block(func(exit Label) {
			f.Loop(func(again Label) {
				f.Get(k).Op(I32Eqz).BrIf(exit)
				body()
				f.Get(src, ks).Op(I32Add).Set(src)
				f.Get(dst).I32(int32(4 * width)).Op(I32Add).Set(dst)
				f.Get(k).I32(1).Op(I32Sub).Set(k).Br(again)
			})
		})
	}
	f.Get(n).I32(int32(width)).Op(I32LtU).If(func() { // the last, smaller panel
		eachK(func() {
			f.Get(dst).I32(0).I32(int32(4 * width)).MemoryFill()
			f.Get(src).Set(at).I32(0).Set(i)
			forStep(f, i, n, 1, func() {
				f.Get(dst, i).I32(2).Op(I32Shl, I32Add).Get(at).Mem(F32Load, 0).Mem(F32Store, 0)
				f.Get(at, ws).Op(I32Add).Set(at)
			})
		})
		f.Return()
	}, nil)
	if width%4 == 0 {
		f.Get(ws).I32(4).Op(I32Eq).If(func() {
			eachK(func() {
				for j := 0; j < width; j += 4 {
					f.Get(dst).Get(src).Mem(V128Load, uint32(4*j)).Mem(V128Store, uint32(4*j))
				}
			})
			f.Return()
		}, nil)
	}
	eachK(func() {
		f.Get(src).Set(at)
		for j := range width {
			f.Get(dst).Get(at).Mem(F32Load, 0).Mem(F32Store, uint32(4*j))
			if j < width-1 {
				f.Get(at, ws).Op(I32Add).Set(at)
			}
		}
	})
	return f
}
