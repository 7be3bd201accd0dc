package wasmkernels

import . "github.com/weft-ml/weft/simd/wasmasm"

// loadPart pushes a vector of the first n (1 to 3, modulo 4) floats at an address; the others are zero.
func loadPart(f *Func, p, n Local) {
	f.Get(n).I32(2).Op(I32And).If(func() {
		f.Get(n).I32(1).Op(I32And).If(func() {
			f.Get(p).Get(p).Mem(V128Load64Zero, 0).MemLane(V128Load32Lane, 8, 2)
		}, func() {
			f.Get(p).Mem(V128Load64Zero, 0)
		}, V128)
	}, func() {
		f.Get(p).Mem(V128Load32Zero, 0)
	}, V128)
}

// storePart stores the first n (1 to 3, modulo 4) lanes of v at an address.
func storePart(f *Func, p, v, n Local) {
	f.Get(n).I32(2).Op(I32And).If(func() {
		f.Get(p, v).MemLane(V128Store64Lane, 0, 0)
		f.Get(n).I32(1).Op(I32And).If(func() {
			f.Get(p, v).MemLane(V128Store32Lane, 8, 2)
		}, nil)
	}, func() {
		f.Get(p, v).MemLane(V128Store32Lane, 0, 0)
	})
}

// parts are loadPart and storePart as functions.
type parts struct{ load, store *Func }

func (b *builder) addParts() parts {
	load := b.m.Func("load_part", Sig(I32, I32)(V128))
	loadPart(load, load.Param(0), load.Param(1))
	store := b.m.Func("store_part", Sig(I32, V128, I32)())
	storePart(store, store.Param(0), store.Param(1), store.Param(2))
	return parts{load, store}
}

func (p parts) callLoad(f *Func, at, n Local)     { f.Get(at, n).Call(p.load) }
func (p parts) callStore(f *Func, at, v, n Local) { f.Get(at, v, n).Call(p.store) }
