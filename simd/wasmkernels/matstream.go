package wasmkernels

import (
	"strconv"

	. "github.com/weft-ml/weft/simd/wasmasm"
)

// streamP is the offset of simd.streamArgs.p, after sweepArgs.
const streamP = 144

const (
	streamGroup = 8   // rows of B that are read side by side
	streamCols  = 256 // columns for which the rows of A take turns, so that B comes from L1 after the first
)

// addStream adds the kernel GemmStream: few rows of A times op(B), which is read where it lies, over one chunk of k. Sums are kept in
// memory: so B is read a few rows at a time from end to end, in the order in which it lies, which is how memory is fast. A is packed, in panels [k][height] one after the
// other, which differ by at most one row, tall ones first. n is a multiple of 8.
//
// The sums of a panel of A follow those of the panels before. Unfused they lie in the order in which tiles take them, [panel of 8 columns][row][8]: 7.1 to 6.0 ms for 8 rows and a B
// of [4096, 4096] in Node 20. Fused they lie in rows, 5.2 ms in Chromium; in that order it is 5.6.
func (t *mat) addStream() {
	var groups, lasts [matRows + 1]*Func
	for rows := 1; rows <= t.rows; rows++ {
		groups[rows], lasts[rows] = t.streamGroupOf(rows), t.streamLastOf(rows)
	}
	f, args := t.kernel("gemmStream")
	local := func(name string, at uint32) Local {
		l := f.Local(I32, name)
		field(f, args, at, l)
		return l
	}
	k, a, b, bs, c, cs := local("k", sweepK), local("a", sweepA), local("b", sweepB), local("bs", sweepBS), local("c", sweepC), local("cs", sweepCS)
	biasM, biasN, rows, n := local("biasM", sweepBiasM), local("biasN", sweepBiasN), local("rows", sweepRows), local("n", sweepN)
	p := local("p", streamP)
	ps := f.Local(I32, "ps")
	allK, panels := f.Local(I32, "allK"), f.Local(I32, "panels")
	j, cols, left, row, h, kk := f.Local(I32, "j"), f.Local(I32, "cols"), f.Local(I32, "left"), f.Local(I32, "row"), f.Local(I32, "h"), f.Local(I32, "kk")
	pa, pb, pp, pc, pm, pn := f.Local(I32, "pa"), f.Local(I32, "pb"), f.Local(I32, "pp"), f.Local(I32, "pc"), f.Local(I32, "pm"), f.Local(I32, "pn")
	done, q, hold := f.Local(I32, "done"), f.Local(I32, "q"), f.Local(V128, "hold")
	f.Get(n).Op(I32Eqz).If(func() { f.Return() }, nil)
	f.Get(k).Set(allK)
	f.Get(rows).I32(int32(t.rows - 1)).Op(I32Add).I32(int32(t.rows)).Op(I32DivU).Set(panels)
	f.Get(n).I32(2).Op(I32Shl).Set(ps)
	at := func() { // the sums of the panel of A for column j
		f.Get(pp, j)
		if t.variant.Relaxed {
			f.I32(4)
		} else {
			f.Get(h).I32(2).Op(I32Shl)
		}
		f.Op(I32Mul, I32Add)
	}
	// The sums start at +0.
	f.V128([16]byte{}).Set(hold)
	f.Get(p).Set(q).Get(rows, n).Op(I32Mul).Set(cols)
	countDown(f, cols, columns, func() {
		f.Get(q, hold).Mem(V128Store, 0)
		f.Get(q, hold).Mem(V128Store, 16)
		add(f, q, 4*columns)
	})
	while(f, func() { f.Get(k) }, func() {
		minimum(f, k, streamGroup, kk)
		f.Get(k, kk).Op(I32Sub).Set(k)
		f.I32(0).Set(j)
		while(f, func() { f.Get(j, n).Op(I32LtS) }, func() {
			f.Get(n, j).Op(I32Sub).Set(cols)
			minimum(f, cols, streamCols, cols)
			f.I32(0).Set(row).Get(panels).Set(left)
			f.Get(a).Set(pa)
			f.Get(b).Get(j).I32(2).Op(I32Shl, I32Add).Set(pb)
			f.Get(p).Set(pp)
			f.Get(c).Get(j).I32(2).Op(I32Shl, I32Add).Set(pc)
			f.Get(biasM).Set(pm)
			f.Get(biasN).If(func() { f.Get(biasN).Get(j).I32(2).Op(I32Shl, I32Add).Set(pn) }, nil)
			while(f, func() { f.Get(left) }, func() {
				f.Get(rows, row).Op(I32Sub).Get(left).Op(I32Add).I32(1).Op(I32Sub).Get(left).Op(I32DivU).Set(h)
				f.Get(pa).Get(done, h).Op(I32Mul).I32(2).Op(I32Shl, I32Add).Set(q)
				f.Block(func(next Label) {
					for rows := t.rows; rows > 0; rows-- {
						f.Get(h).I32(int32(rows)).Op(I32Eq).If(func() {
							f.Get(k).If(func() {
								f.Get(q, pb, bs)
								at()
								f.Get(ps, cols).Call(groups[rows])
							}, func() {
								f.Get(args, q, pb)
								at()
								f.Get(ps, pc, pm, pn, cols, kk).Call(lasts[rows])
							})
							f.Br(next)
						}, nil)
					}
				})
				f.Get(pa).Get(allK, h).Op(I32Mul).I32(2).Op(I32Shl, I32Add).Set(pa)
				f.Get(pp).Get(h, ps).Op(I32Mul, I32Add).Set(pp)
				f.Get(pc).Get(h, cs).Op(I32Mul, I32Add).Set(pc)
				f.Get(pm).If(func() { f.Get(pm).Get(h).I32(2).Op(I32Shl, I32Add).Set(pm) }, nil)
				addTo(f, row, h)
				add(f, left, -1)
			})
			add(f, j, streamCols)
		})
		f.Get(b, bs).I32(streamGroup).Op(I32Mul, I32Add).Set(b)
		addTo(f, done, kk)
	})
}

// streamGroupOf adds stream_R(a, b, bs, p, ps, n): the sums of R rows and n columns plus the products of one group of rows of B.
func (t *mat) streamGroupOf(rows int) *Func {
	f := t.m.Func("gemm_stream"+strconv.Itoa(rows), Sig(I32, I32, I32, I32, I32, I32)())
	a, b, bs, p, ps, n := f.Param(0, "a"), f.Param(1, "b"), f.Param(2, "bs"), f.Param(3, "p"), f.Param(4, "ps"), f.Param(5, "n")
	bp, pp, ap, left, hold := f.Local(I32, "bp"), f.Local(I32, "pp"), f.Local(I32, "ap"), f.Local(I32, "left"), f.Local(V128, "hold")
	wide := 2
	if rows <= 2 {
		wide = 4
	}
	acc, bv := accumulators(f, rows, wide), numbered(f, V128, "b", wide)
	// One row holds its elements of A in registers.
	var held []Local
	if rows == 1 && t.variant.Relaxed {
		held = numbered(f, V128, "a", streamGroup)
		for u, v := range held {
			f.Get(a).Mem(V128Load32Splat, uint32(4*u)).Set(v)
		}
	}
	sums := func(cols int, visit func(v Local, at uint32)) { t.streamSums(f, acc, cols, p, ps, pp, visit) }
	tile := func(cols int) {
		sums(cols, func(v Local, at uint32) { f.Get(pp).Mem(V128Load, at).Set(v) })
		f.Get(b).Set(bp)
		products := func(u int) {
			if held != nil {
				for c := range cols {
					f.Get(bp).Mem(V128Load, uint32(16*c)).Set(bv[c])
					t.multiplyAdd(f, held[u], bv[c], acc[0][c])
				}
				return
			}
			for c := range cols {
				f.Get(bp).Mem(V128Load, uint32(16*c)).Set(bv[c])
			}
			for r := range acc {
				f.Get(ap).Mem(V128Load32Splat, uint32(4*(u*rows+r))).Set(hold)
				for c := range cols {
					t.multiplyAdd(f, hold, bv[c], acc[r][c])
				}
			}
		}
		f.Get(a).Set(ap)
		if t.variant.Relaxed {
			for u := range streamGroup {
				products(u)
				if u < streamGroup-1 {
					addTo(f, bp, bs)
				}
			}
		} else {
			f.I32(streamGroup).Set(left)
			t.steps(f, left, ap, func() { f.I32(4 * int32(rows)) }, products, func(n int32) {
				addTo(f, bp, bs)
				add(f, ap, 4*int32(rows)*n)
			})
		}
		sums(cols, func(v Local, at uint32) { f.Get(pp, v).Mem(V128Store, at) })
		add(f, b, int32(16*cols))
		add(f, p, t.streamStep(rows, cols))
	}
	for cols := wide; cols >= 2; cols -= 2 {
		countDown(f, n, int32(4*cols), func() { tile(cols) })
	}
	return f
}

// streamSums visits the sums of a tile of some columns, each at an offset from pp.
func (t *mat) streamSums(f *Func, acc [][]Local, cols int, p, ps, pp Local, visit func(v Local, at uint32)) {
	f.Get(p).Set(pp)
	for r, row := range acc {
		for c, v := range row[:cols] {
			at := 16 * c
			if !t.variant.Relaxed {
				at = 4*columns*(c/2*len(acc)+r) + 16*(c%2)
			}
			visit(v, uint32(at))
		}
		if t.variant.Relaxed && r < len(acc)-1 {
			addTo(f, pp, ps)
		}
	}
}

// streamStep returns the bytes from the sums of a tile to those of the next one.
func (t *mat) streamStep(rows, cols int) int32 {
	if t.variant.Relaxed {
		rows = 1
	}
	return int32(16 * cols * rows)
}

// streamLastOf adds stream_lastR(args, a, b, p, ps, c, biasM, biasN, n, k): the last group of a chunk, of k rows of B, and the epilogue.
func (t *mat) streamLastOf(rows int) *Func {
	f := t.m.Func("gemm_stream_last"+strconv.Itoa(rows), Sig(I32, I32, I32, I32, I32, I32, I32, I32, I32, I32)())
	s := t.beginSweep(f, rows, f.Param(0, "args"))
	p, ps := f.Param(3, "p"), f.Param(4, "ps")
	for i, l := range []Local{s.a, s.b, {}, {}, s.c, s.biasM, s.biasN, s.n, s.k} {
		if i != 2 && i != 3 {
			f.Get(f.Param(i + 1)).Set(l)
		}
	}
	acc, bv, bp, pp := accumulators(f, rows, 2), numbered(f, V128, "b", 2), f.Local(I32, "bp"), f.Local(I32, "pp")
	countDown(f, s.n, columns, func() {
		t.streamSums(f, acc, 2, p, ps, pp, func(v Local, at uint32) { f.Get(pp).Mem(V128Load, at).Set(v) })
		f.Get(s.b).Set(bp).Get(s.k).Set(s.left).Get(s.a).Set(s.ptrs[0])
		countDown(f, s.left, 1, func() {
			for c, v := range bv {
				f.Get(bp).Mem(V128Load, uint32(16*c)).Set(v)
			}
			t.products(f, acc, func(r int) { f.Get(s.ptrs[0]).Mem(V128Load32Splat, uint32(4*r)) }, bv, s.hold)
			addTo(f, bp, s.bs)
			add(f, s.ptrs[0], int32(4*rows))
		})
		s.finish(acc, nil)
		add(f, p, t.streamStep(rows, 2))
		add(f, s.b, 4*columns)
		add(f, s.c, 4*columns)
		f.Get(s.biasN).If(func() { add(f, s.biasN, 4*columns) }, nil)
	})
	return f
}
