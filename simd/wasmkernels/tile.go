package wasmkernels

import (
	"strconv"

	. "github.com/weft-ml/weft/simd/wasmasm"
)

// tile describes the micro-kernel of the matrix product: mr x nr accumulators in registers.
//
// V8 has 15 usable vector registers on x86. Fused: 6x8 takes 12 accumulators, 2 of B and 1 splat of A. Unfused: the product needs
// a register too, and 4x8 (8 + 2 + 1 + 1) leaves room for the loads ahead.
type tile struct {
	m       *Module
	relaxed bool
	mr, nr  int // rows, columns; nr is a multiple of 4
	unroll  int // steps of k per turn of the loop
}

func (t tile) name(what string) string {
	n := what + "_f32_" + strconv.Itoa(t.mr) + "x" + strconv.Itoa(t.nr)
	if t.relaxed {
		return n + "_relaxed"
	}
	return n + "_simd128"
}

// multiplyAdd emits acc = a*b + acc in every lane, in the variant's numeric class.
func (t tile) multiplyAdd(f *Func, a, b, acc Local) {
	if t.relaxed {
		f.Get(a, b, acc).Op(F32x4RelaxedMadd).Set(acc)
		return
	}
	f.Get(acc).Get(a, b).Op(F32x4Mul, F32x4Add).Set(acc)
}

// accumulate declares the accumulators of a tile function and emits the loop that fills them:
//
//	for p := range kc { for r := range mr { for j := range nr { acc[r][j] += pa[p*mr+r] * pb[p*nr+j] } } }
//
// every accumulator from +0, in the order of p. pa and pb are consumed.
func (t tile) accumulate(f *Func, pa, pb, kc Local) [][]Local {
	cols := t.nr / 4
	acc := make([][]Local, t.mr)
	for r := range acc {
		for j := range cols {
			acc[r] = append(acc[r], f.Local(V128, "c"+strconv.Itoa(r)+strconv.Itoa(j)))
		}
	}
	b := make([]Local, cols)
	for j := range b {
		b[j] = f.Local(V128, "b"+strconv.Itoa(j))
	}
	a := f.Local(V128, "a")
	step := func(u int) {
		for j := range b {
			f.Get(pb).Mem(V128Load, uint32(4*(u*t.nr+4*j))).Set(b[j])
		}
		for r := range acc {
			f.Get(pa).Mem(V128Load32Splat, uint32(4*(u*t.mr+r))).Set(a)
			for j := range b {
				t.multiplyAdd(f, a, b[j], acc[r][j])
			}
		}
	}
	advance := func(n int) {
		f.Get(pa).I32(int32(4 * n * t.mr)).Op(I32Add).Set(pa)
		f.Get(pb).I32(int32(4 * n * t.nr)).Op(I32Add).Set(pb)
	}
	loop := func(n int) { // while kc >= n
		f.Block(func(exit Label) {
			f.Loop(func(again Label) {
				f.Get(kc).I32(int32(n)).Op(I32LtU).BrIf(exit)
				for u := range n {
					step(u)
				}
				advance(n)
				f.Get(kc).I32(int32(n)).Op(I32Sub).Set(kc).Br(again)
			})
		})
	}
	loop(t.unroll)
	if t.unroll > 1 {
		loop(1)
	}
	return acc
}

// addFull adds the function of a whole tile,
//
//	tile(pa, pb, kc, c, ldc, add): C[mr,nr] = acc, or C + acc if add is not zero; ldc in bytes
func (t tile) addFull() *Func {
	f := t.m.Func(t.name("gemm"), Sig(I32, I32, I32, I32, I32, I32)())
	pa, pb, kc, c, ldc, add := f.Param(0, "pa"), f.Param(1, "pb"), f.Param(2, "kc"), f.Param(3, "c"), f.Param(4, "ldc"), f.Param(5, "add")
	acc := t.accumulate(f, pa, pb, kc)
	f.Get(add).If(func() {
		row := f.Local(I32, "row")
		f.Get(c).Set(row)
		for r := range acc {
			for j, v := range acc[r] {
				f.Get(row).Mem(V128Load, uint32(16*j)).Get(v).Op(F32x4Add).Set(v)
			}
			f.Get(row, ldc).Op(I32Add).Set(row)
		}
	}, nil)
	for r := range acc {
		for j, v := range acc[r] {
			f.Get(c, v).Mem(V128Store, uint32(16*j))
		}
		if r < t.mr-1 {
			f.Get(c, ldc).Op(I32Add).Set(c)
		}
	}
	return f
}

// addEdge adds the function of a tile at C's last rows or columns, of which only m x n elements exist. The packed
// panels are padded with zeros, so that all lanes are computed and the existing ones come out with the same bits as in a whole tile.
func (t tile) addEdge(storeRow *Func) *Func {
	f := t.m.Func(t.name("gemm_edge"), Sig(I32, I32, I32, I32, I32, I32, I32, I32)())
	pa, pb, kc, c, ldc, add := f.Param(0, "pa"), f.Param(1, "pb"), f.Param(2, "kc"), f.Param(3, "c"), f.Param(4, "ldc"), f.Param(5, "add")
	m, n := f.Param(6, "m"), f.Param(7, "n")
	acc := t.accumulate(f, pa, pb, kc)
	f.Block(func(exit Label) {
		for r := range acc {
			f.Get(m).I32(int32(r)).Op(I32LeU).BrIf(exit)
			f.Get(acc[r]...).Get(c, n, add).Call(storeRow)
			f.Get(c, ldc).Op(I32Add).Set(c)
		}
	})
	return f
}

// addStoreRow adds the function that stores the first n of a row of nr values at c, or adds them to what is there:
// four, two and one at a time.
func (t tile) addStoreRow() *Func {
	cols := t.nr / 4
	params := make([]ValType, cols, cols+3)
	for j := range params {
		params[j] = V128
	}
	f := t.m.Func("store_row_"+strconv.Itoa(t.nr), FuncType{Params: append(params, I32, I32, I32)})
	v := make([]Local, cols)
	for j := range v {
		v[j] = f.Param(j, "v"+strconv.Itoa(j))
	}
	c, n, add := f.Param(cols, "c"), f.Param(cols+1, "n"), f.Param(cols+2, "add")
	head := v[0]
	put := func(width int, load Op, store func()) { // the first width values of head
		f.Get(add).If(func() {
			f.Get(head, c).Mem(load, 0).Op(F32x4Add).Set(head)
		}, nil)
		store()
		f.Get(c).I32(int32(4 * width)).Op(I32Add).Set(c)
		f.Get(n).I32(int32(width)).Op(I32Sub).Set(n)
	}
	for j := range v {
		f.Get(n).I32(4).Op(I32GeU).If(func() {
			put(4, V128Load, func() { f.Get(c, head).Mem(V128Store, 0) })
			if j+1 < cols {
				f.Get(v[j+1]).Set(head)
			} else {
				f.Return()
			}
		}, nil)
	}
	f.Get(n).I32(2).Op(I32GeU).If(func() {
		put(2, V128Load64Zero, func() { f.Get(c, head).MemLane(V128Store64Lane, 0, 0) })
		f.Get(head, head).Shuffle([16]byte{8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15}).Set(head)
	}, nil)
	f.Get(n).If(func() {
		put(1, V128Load32Zero, func() { f.Get(c, head).MemLane(V128Store32Lane, 0, 0) })
	}, nil)
	return f
}
