package wasmkernels

import (
	"math"
	"strconv"

	. "github.com/weft-ml/weft/simd/wasmasm"
)

var inf = math.Inf(1)

// Offsets of simd.sweepArgs.
const (
	sweepK     = 0
	sweepA     = 8
	sweepARS   = 16
	sweepACS   = 24
	sweepB     = 32
	sweepBS    = 40
	sweepC     = 48
	sweepCS    = 56
	sweepBiasM = 64
	sweepBiasN = 72
	sweepLo    = 96
	sweepHi    = 100
	sweepFlags = 104
	sweepRows  = 112
	sweepN     = 120
	sweepBStep = 136
)

// Flags of a tile, as in package simd.
const (
	tileAdd    = 1
	tileFinish = 2
	tileClamp  = 4
)

// columns is the width of a panel of B, two vectors.
const columns = 8

// wideColumns returns the columns of a tile of a row times B in place: as many as registers allow, whole cache lines of them if possible. Unfused, those hold all of a row's loads too, as
// mat.steps says.
func (t *mat) wideColumns() int {
	if t.variant.Relaxed {
		return 48
	}
	return 24
}

// addSweep adds the kernel GemmSweep: a panel of at most t.rows rows of A times neighbouring columns of op(B), over one chunk of k.
// B is read in panels of 8 columns: row p of panel j is at b + j*bstep + p*bs. Where bstep is 32, B lies in place.
func (t *mat) addSweep() {
	var sweeps [matRows + 1]*Func
	for rows := 1; rows <= t.rows; rows++ {
		sweeps[rows] = t.sweep(rows)
	}
	f, args := t.kernel("gemmSweep")
	for rows := t.rows; rows > 0; rows-- {
		f.Get(args).Mem(I32Load, sweepRows).I32(int32(rows)).Op(I32Eq).If(func() {
			f.Get(args).Call(sweeps[rows]).Return()
		}, nil)
	}
}

// sweepFunc is a function that computes tiles of some rows.
type sweepFunc struct {
	*mat
	f                                 *Func
	rows                              int
	args                              Local
	k, a, ars, acs, b, bs, c, cs      Local
	left, row, biasM, biasN, flags, n Local
	ptrs                              []Local // one per row of A
	hold                              Local
}

// begin declares the locals and reads the arguments that all tiles share.
func (t *mat) beginSweep(f *Func, rows int, args Local) *sweepFunc {
	s := &sweepFunc{mat: t, f: f, rows: rows, args: args}
	for _, e := range []struct {
		l    *Local
		name string
		at   uint32
	}{{&s.k, "k", sweepK}, {&s.a, "a", sweepA}, {&s.ars, "ars", sweepARS}, {&s.acs, "acs", sweepACS}, {&s.b, "b", sweepB}, {&s.bs, "bs", sweepBS},
		{&s.c, "c", sweepC}, {&s.cs, "cs", sweepCS}, {&s.biasM, "biasM", sweepBiasM}, {&s.biasN, "biasN", sweepBiasN}, {&s.flags, "flags", sweepFlags}, {&s.n, "n", sweepN}} {
		*e.l = f.Local(I32, e.name)
		field(f, args, e.at, *e.l)
	}
	s.left, s.row = f.Local(I32, "left"), f.Local(I32, "row")
	s.ptrs = numbered(f, I32, "a", rows)
	s.hold = f.Local(V128, "hold")
	return s
}

// rowPointers sets the pointers of the rows of A, and left to the number of products.
func (s *sweepFunc) rowPointers() {
	f := s.f
	f.Get(s.a).Set(s.ptrs[0])
	for r := 1; r < s.rows; r++ {
		f.Get(s.ptrs[r-1], s.ars).Op(I32Add).Set(s.ptrs[r])
	}
}

// sweep adds the function of panels of that many rows.
func (t *mat) sweep(rows int) *Func {
	tail := t.sweepTail(rows)
	f := t.m.Func("gemm_sweep"+strconv.Itoa(rows), Sig(I32)())
	s := t.beginSweep(f, rows, f.Param(0, "args"))
	bstep := f.Local(I32, "bstep")
	field(f, s.args, sweepBStep, bstep)
	next := func(n int32, by func()) {
		add(f, s.c, 4*n)
		f.Get(s.biasN).If(func() { add(f, s.biasN, 4*n) }, nil)
		f.Get(s.b)
		by()
		f.Op(I32Add).Set(s.b)
	}
	if wide := t.wideColumns(); rows == 1 {
		f.Get(bstep).I32(4*columns).Op(I32Eq).If(func() {
			countDown(f, s.n, int32(wide), func() {
				s.tileInPlace(wide / 4)
				next(int32(wide), func() { f.I32(int32(4 * wide)) })
			})
		}, nil)
	}
	countDown(f, s.n, columns, func() {
		s.tile()
		next(columns, func() { f.Get(bstep) })
	})
	f.Get(s.n).If(func() {
		minimum(f, s.n, 4, s.left)
		f.Get(s.args, s.b, s.c, s.biasN, s.left).Call(tail)
		add(f, s.n, -4)
		f.Get(s.n).I32(0).Op(I32GtS).If(func() {
			next := func(p Local) { f.Get(p).I32(16).Op(I32Add) }
			f.Get(s.args)
			next(s.b)
			next(s.c)
			f.I32(0).Get(s.biasN).I32(16).Op(I32Add).Get(s.biasN).Op(I32Eqz).Select()
			f.Get(s.n).Call(tail)
		}, nil)
	}, nil)
	return f
}

// tile emits a tile of two vectors.
func (s *sweepFunc) tile() {
	f := s.f
	acc := accumulators(f, s.rows, 2)
	bv := numbered(f, V128, "b", 2)
	bp := f.Local(I32, "bp")
	loadB := func() {
		for c := range bv {
			f.Get(bp).Mem(V128Load, uint32(16*c)).Set(bv[c])
		}
		addTo(f, bp, s.bs)
	}
	zero(f, acc, s.hold)
	f.Get(s.b).Set(bp).Get(s.k).Set(s.left)
	f.Get(s.ars).I32(4).Op(I32Eq).If(func() {
		// Packed or transposed: a step's elements of A are neighbours.
		p := s.ptrs[0]
		f.Get(s.a).Set(p)
		s.steps(f, s.left, p, func() { f.Get(s.acs) }, func(int) {
			loadB()
			s.products(f, acc, func(r int) { f.Get(p).Mem(V128Load32Splat, uint32(4*r)) }, bv, s.hold)
			addTo(f, p, s.acs)
		}, func(int32) {})
	}, func() {
		s.rowPointers()
		s.steps(f, s.left, s.ptrs[0], func() { f.I32(4) }, func(u int) {
			loadB()
			s.products(f, acc, func(r int) { f.Get(s.ptrs[r]).Mem(V128Load32Splat, uint32(4*u)) }, bv, s.hold)
		}, func(n int32) {
			for _, p := range s.ptrs {
				add(f, p, 4*n)
			}
		})
	})
	s.finish(acc, nil)
}

// tileInPlace emits a tile of one row and many vectors: whole cache lines of each row of B.
func (s *sweepFunc) tileInPlace(cols int) {
	f := s.f
	acc := accumulators(f, 1, cols)
	bp := f.Local(I32, "bp")
	zero(f, acc, s.hold)
	f.Get(s.b).Set(bp).Get(s.k).Set(s.left).Get(s.a).Set(s.ptrs[0])
	countDown(f, s.left, 1, func() {
		f.Get(s.ptrs[0]).Mem(V128Load32Splat, 0).Set(s.hold)
		for c, v := range acc[0] {
			if s.variant.Relaxed {
				f.Get(s.hold, bp).Mem(V128Load, uint32(16*c)).Get(v).Op(F32x4RelaxedMadd).Set(v)
			} else {
				f.Get(v, s.hold, bp).Mem(V128Load, uint32(16*c)).Op(F32x4Mul, F32x4Add).Set(v)
			}
		}
		addTo(f, s.ptrs[0], s.acs)
		addTo(f, bp, s.bs)
	})
	s.finish(acc, nil)
}

// sweepTail adds the function of the last n columns, at most 4:
//
//	tail(args, b, c, biasN, n)
//
// Reading whole vectors of B runs over the end of its rows, which is harmless where there is another row of B to run into; the last
// row, and rows closer together than that, are read lane by lane.
func (t *mat) sweepTail(rows int) *Func {
	f := t.m.Func("gemm_tail"+strconv.Itoa(rows), Sig(I32, I32, I32, I32, I32)())
	s := t.beginSweep(f, rows, f.Param(0, "args"))
	lanes := f.Param(4, "n")
	f.Get(f.Param(1, "b")).Set(s.b).Get(f.Param(2, "c")).Set(s.c).Get(f.Param(3, "biasN")).Set(s.biasN)
	whole := f.Local(I32, "whole")
	// A vector of 4 lanes, 1 of which exists, runs 3 elements past the end.
	f.Get(s.bs).I32(12).Op(I32GeS).If(func() { f.Get(s.k).I32(1).Op(I32Sub).Set(whole) }, nil)
	acc, bv := accumulators(f, rows, 1), numbered(f, V128, "b", 1)
	zero(f, acc, s.hold)
	all := func(a func(r int), advance func()) {
		step := func(load func()) {
			f.Get(s.b)
			load()
			f.Set(bv[0])
			addTo(f, s.b, s.bs)
			s.products(f, acc, a, bv, s.hold)
			advance()
		}
		f.Get(whole).Set(s.left)
		countDown(f, s.left, 1, func() { step(func() { f.Mem(V128Load, 0) }) })
		f.Get(s.k, whole).Op(I32Sub).Set(s.left)
		countDown(f, s.left, 1, func() { step(func() { f.Get(lanes).Call(t.load) }) })
	}
	f.Get(s.ars).I32(4).Op(I32Eq).If(func() {
		f.Get(s.a).Set(s.ptrs[0])
		all(func(r int) { f.Get(s.ptrs[0]).Mem(V128Load32Splat, uint32(4*r)) }, func() { addTo(f, s.ptrs[0], s.acs) })
	}, func() {
		s.rowPointers()
		all(func(r int) { f.Get(s.ptrs[r]).Mem(V128Load32Splat, 0) }, func() {
			for _, p := range s.ptrs {
				addTo(f, p, s.acs)
			}
		})
	})
	s.finish(acc, &lanes)
	return f
}

// finish emits the epilogue: C is added, biases and the clamp are applied as the flags say, and the tile is stored. lanes is how many
// lanes of the last vector exist, nil for all.
func (s *sweepFunc) finish(acc [][]Local, lanes *Local) {
	f, last := s.f, len(acc[0])-1
	load := func(p Local, c int) {
		if c == last && lanes != nil {
			f.Get(p).I32(int32(16 * c)).Op(I32Add).Get(*lanes).Call(s.load)
		} else {
			f.Get(p).Mem(V128Load, uint32(16*c))
		}
	}
	f.Get(s.flags).I32(tileAdd).Op(I32And).If(func() {
		f.Get(s.c).Set(s.row)
		each(acc, func(r, c int, v Local) {
			load(s.row, c)
			f.Get(v).Op(F32x4Add).Set(v)
			if c == last && r < s.rows-1 {
				addTo(f, s.row, s.cs)
			}
		})
	}, nil)
	f.Get(s.flags).I32(tileFinish).Op(I32And).If(func() {
		f.Get(s.biasM).If(func() {
			for r := range acc {
				f.Get(s.biasM).Mem(V128Load32Splat, uint32(4*r)).Set(s.hold)
				for _, v := range acc[r] {
					f.Get(v, s.hold).Op(F32x4Add).Set(v)
				}
			}
		}, nil)
		f.Get(s.biasN).If(func() {
			for c := range acc[0] {
				load(s.biasN, c)
				f.Set(s.hold)
				for r := range acc {
					f.Get(acc[r][c], s.hold).Op(F32x4Add).Set(acc[r][c])
				}
			}
		}, nil)
		f.Get(s.flags).I32(tileClamp).Op(I32And).If(func() { clamp(f, acc, s.args, sweepLo, sweepHi, s.hold) }, nil)
	}, nil)
	f.Get(s.c).Set(s.row)
	each(acc, func(r, c int, v Local) {
		if c == last && lanes != nil {
			f.Get(s.row).I32(int32(16*c)).Op(I32Add).Get(*lanes, v).Call(s.store)
		} else {
			f.Get(s.row, v).Mem(V128Store, uint32(16*c))
		}
		if c == last && r < s.rows-1 {
			addTo(f, s.row, s.cs)
		}
	})
}
