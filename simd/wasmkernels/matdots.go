package wasmkernels

import (
	"strconv"

	. "github.com/weft-ml/weft/simd/wasmasm"
)

// dotRows is the most rows of A that share a transposition of B in registers.
const dotRows = 4

const pageSize = 4096

// dotGroups returns how many groups of 4 columns a tile of that many rows has. A sum has one addition in flight, so few rows take more groups; unfused, V8's older
// compiler keeps all loads of a turn in registers.
func (t *mat) dotGroups(rows int) int {
	if !t.variant.Relaxed {
		return [...]int{1: 2, 2: 2, 3: 1, 4: 1}[rows]
	}
	return [...]int{1: 4, 2: 4, 3: 2, 4: 2}[rows]
}

// addDots adds the kernel GemmDots: few rows of A times a transposed B, which is read where it lies, column j of op(B) at b + j*bs, over all k: the products of
// four columns are transposed in registers. A is packed, in panels [k][height] one after the other, which differ by at most one row, tall ones first. flags says
// whether C is added to and which epilogue ends it.
func (t *mat) addDots() {
	type size struct{ rows, groups int }
	tiles := map[size]*Func{}
	var sizes []size
	for rows := 1; rows <= dotRows; rows++ {
		for _, groups := range []int{1, t.dotGroups(dotRows), t.dotGroups(rows)} { // alone, or beside a panel of more rows
			if s := (size{rows, groups}); tiles[s] == nil {
				tiles[s] = t.dotTile(rows, groups)
				sizes = append(sizes, s)
			}
		}
	}
	f, args := t.kernel("gemmDots")
	local := func(name string, at uint32) Local {
		l := f.Local(I32, name)
		field(f, args, at, l)
		return l
	}
	k, a, b, bs, c, cs := local("k", sweepK), local("a", sweepA), local("b", sweepB), local("bs", sweepBS), local("c", sweepC), local("cs", sweepCS)
	biasM, biasN, rows, n, flags := local("biasM", sweepBiasM), local("biasN", sweepBiasN), local("rows", sweepRows), local("n", sweepN), local("flags", sweepFlags)
	panels, left, row, h, cols := f.Local(I32, "panels"), f.Local(I32, "left"), f.Local(I32, "row"), f.Local(I32, "h"), f.Local(I32, "cols")
	done, kk, now, pa, pc, pm := f.Local(I32, "done"), f.Local(I32, "kk"), f.Local(I32, "now"), f.Local(I32, "pa"), f.Local(I32, "pc"), f.Local(I32, "pm")
	f.Get(rows).I32(dotRows - 1).Op(I32Add).I32(dotRows).Op(I32DivU).Set(panels)
	// Columns a multiple of a page apart share a set of the first cache, which has room for few.
	f.I32(int32(4 * t.dotGroups(dotRows))).Set(cols)
	for rs := 1; rs <= dotRows; rs++ {
		f.Get(rows).I32(int32(rs)).Op(I32Eq).Get(bs).I32(pageSize-1).Op(I32And, I32Eqz, I32Eqz, I32And).If(func() { f.I32(int32(4 * t.dotGroups(rs))).Set(cols) }, nil)
	}
	while(f, func() { f.Get(n).I32(0).Op(I32GtS) }, func() {
		f.Get(n, cols).Op(I32LtS).If(func() { minimum(f, n, 4, cols) }, nil)
		f.I32(0).Set(done)
		while(f, func() { f.Get(done, k).Op(I32LtS) }, func() {
			f.Get(k, done).Op(I32Sub).Set(kk)
			minimum(f, kk, Chunk, kk)
			// All chunks but the first are added to C, and the epilogue comes with the last.
			f.I32(tileAdd).Get(flags).I32(tileAdd).Op(I32And).Get(done).Select()
			f.Get(flags).I32(tileFinish|tileClamp).Op(I32And).I32(0).Get(done, kk).Op(I32Add).Get(k).Op(I32Eq).Select()
			f.Op(I32Or).Set(now)
			f.I32(0).Set(row).Get(panels).Set(left).Get(a).Set(pa).Get(c).Set(pc).Get(biasM).Set(pm)
			while(f, func() { f.Get(left) }, func() {
				f.Get(rows, row).Op(I32Sub).Get(left).Op(I32Add).I32(1).Op(I32Sub).Get(left).Op(I32DivU).Set(h)
				f.Block(func(next Label) {
					for _, s := range sizes {
						f.Get(h).I32(int32(s.rows)).Op(I32Eq).Get(cols).I32(int32(4 * s.groups))
						if s.groups == 1 {
							f.Op(I32LeS)
						} else {
							f.Op(I32Eq)
						}
						f.Op(I32And).If(func() {
							f.Get(args)
							f.Get(pa).Get(done).I32(int32(4*s.rows)).Op(I32Mul, I32Add)
							f.Get(b).Get(done).I32(2).Op(I32Shl, I32Add)
							f.Get(pc, pm, biasN, kk, now, cols).Call(tiles[s])
							f.Br(next)
						}, nil)
					}
				})
				f.Get(pa).Get(k, h).Op(I32Mul).I32(2).Op(I32Shl, I32Add).Set(pa)
				f.Get(pc).Get(h, cs).Op(I32Mul, I32Add).Set(pc)
				f.Get(pm).If(func() { f.Get(pm).Get(h).I32(2).Op(I32Shl, I32Add).Set(pm) }, nil)
				addTo(f, row, h)
				add(f, left, -1)
			})
			addTo(f, done, kk)
		})
		f.Get(b).Get(bs, cols).Op(I32Mul, I32Add).Set(b)
		f.Get(c).Get(cols).I32(2).Op(I32Shl, I32Add).Set(c)
		f.Get(biasN).If(func() { f.Get(biasN).Get(cols).I32(2).Op(I32Shl, I32Add).Set(biasN) }, nil)
		f.Get(n, cols).Op(I32Sub).Set(n)
	})
}

// dotTile adds gemm_dotsRxG(args, a, b, c, biasM, biasN, k, flags, n): R rows by G groups of 4 columns over one chunk. A tile of one group has n columns.
func (t *mat) dotTile(rows, groups int) *Func {
	f := t.m.Func("gemm_dots"+strconv.Itoa(rows)+"x"+strconv.Itoa(groups), Sig(I32, I32, I32, I32, I32, I32, I32, I32, I32)())
	s := t.beginSweep(f, rows, f.Param(0, "args"))
	for i, l := range []Local{s.a, s.b, s.c, s.biasM, s.biasN, s.k, s.flags} {
		f.Get(f.Param(i + 1)).Set(l)
	}
	lanes := f.Param(8, "n")
	acc, p := accumulators(f, rows, groups), f.Local(I32, "p")
	v, w := numbered(f, V128, "v", 4), numbered(f, V128, "w", 4)
	// column moves p to the next column, the i-th of its group; the last that exists stands in for missing ones.
	column := func(i int) {
		f.Get(p, s.bs)
		if groups == 1 {
			f.I32(0).Get(lanes).I32(int32(i)).Op(I32GtS).Select()
		}
		f.Op(I32Add).Set(p)
	}
	// A block of k is a cache line of each column, two groups at a time: more columns, whose distance is often a power of two, drive each other out of the
	// cache, fewer leave sums waiting for one another.
	start := f.Local(I32, "start")
	block := func(n int) {
		f.Get(s.b).Set(start)
		for g0 := 0; g0 < groups; g0 += 2 {
			if g0 > 0 {
				f.Get(p, s.bs).Op(I32Add).Set(start)
			}
			for u := 0; u < n; u += 4 {
				f.Get(start).Set(p)
				for g := g0; g < min(g0+2, groups); g++ {
					for i := range v {
						if g > g0 || i > 0 {
							column(i)
						}
						f.Get(p).Mem(V128Load, uint32(4*u)).Set(v[i])
					}
					transpose4(f, v, w)
					for i := range v {
						for r := range acc {
							f.Get(s.a).Mem(V128Load32Splat, uint32(4*((u+i)*rows+r))).Set(s.hold)
							t.multiplyAdd(f, s.hold, v[i], acc[r][g])
						}
					}
				}
			}
		}
		add(f, s.a, int32(4*n*rows))
		add(f, s.b, int32(4*n))
	}
	zero(f, acc, s.hold)
	f.Get(s.k).Set(s.left)
	if t.variant.Relaxed {
		countDown(f, s.left, 16, func() { block(16) })
	}
	countDown(f, s.left, 4, func() { block(4) })
	countDown(f, s.left, 1, func() {
		f.Get(s.b).Set(p)
		for g := range groups {
			for i := range 4 {
				if g > 0 || i > 0 {
					column(i)
				}
				f.Get(p, v[0]).MemLane(V128Load32Lane, 0, i).Set(v[0])
			}
			for r := range acc {
				f.Get(s.a).Mem(V128Load32Splat, uint32(4*r)).Set(s.hold)
				t.multiplyAdd(f, s.hold, v[0], acc[r][g])
			}
		}
		add(f, s.a, int32(4*rows))
		add(f, s.b, 4)
	})
	if groups == 1 {
		s.finish(acc, &lanes)
	} else {
		s.finish(acc, nil)
	}
	return f
}
