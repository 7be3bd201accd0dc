package simd_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weft-ml/weft/simd"
)

// gemmCase is a product with its operands in guarded memory.
type gemmCase struct {
	m, n, k       int
	ta, tb, acc   bool
	biasM, biasN  bool
	res           bool
	act           simd.Act
	pad           int // leading dimensions exceed rows by this
	off           int // offset of the operands' first elements
	a, b, bm, bn  *guarded
	rs            *guarded // the residual, of C's layout
	lda, ldb, ldc int
	c0            []float32 // C before
}

func (g gemmCase) String() string {
	return fmt.Sprintf("%dx%dx%d ta=%v tb=%v acc=%v biasM=%v biasN=%v res=%v act=%d pad=%d off=%d", g.m, g.n, g.k, g.ta, g.tb, g.acc, g.biasM, g.biasN, g.res, g.act, g.pad, g.off)
}

// prepare draws the operands.
func (g *gemmCase) prepare(draw func() float32) {
	g.lda, g.ldb, g.ldc = g.k+g.pad, g.n+g.pad, g.n+g.pad
	ra, rb := g.m, g.k
	if g.ta {
		g.lda, ra = g.m+g.pad, g.k
	}
	if g.tb {
		g.ldb, rb = g.k+g.pad, g.n
	}
	// The last row has no padding, so that reading past it is seen to be unnecessary.
	size := func(rows, ld int) int { return max(rows*ld-g.pad, 0) }
	g.a = newGuarded(size(ra, g.lda), g.off).fill(draw)
	g.b = newGuarded(size(rb, g.ldb), g.off).fill(draw)
	g.bm = newGuarded(g.m, g.off).fill(draw)
	g.bn = newGuarded(g.n, g.off).fill(draw)
	g.rs = newGuarded(size(g.m, g.ldc), g.off).fill(draw)
	g.c0 = make([]float32, size(g.m, g.ldc))
	for i := range g.c0 {
		g.c0[i] = nan // must not be read without acc, nor between rows
		if g.acc && i%g.ldc < g.n {
			g.c0[i] = draw()
		}
	}
}

// args returns the call's arguments writing to c.
func (g *gemmCase) args(c []float32) *simd.GemmArgs {
	a := &simd.GemmArgs{M: g.m, N: g.n, K: g.k, A: g.a.s, LDA: g.lda, TransA: g.ta, B: g.b.s, LDB: g.ldb, TransB: g.tb,
		C: c, LDC: g.ldc, Acc: g.acc, Act: g.act, Lo: -0.5, Hi: 0.75}
	if g.biasM {
		a.BiasM = g.bm.s
	}
	if g.biasN {
		a.BiasN = g.bn.s
	}
	if g.res {
		a.Res = g.rs.s
	}
	return a
}

// run computes the product by the current set: whole, packed before, or in tiles.
func (g *gemmCase) run(t testing.TB, tiles int, packed bool) []float32 {
	t.Helper()
	c := newGuarded(len(g.c0), g.off)
	copy(c.s, g.c0)
	a := g.args(c.s)
	if packed {
		p := newGuarded(simd.GemmPackBSize(g.k, g.n), 0).set(nan)
		simd.GemmPackB(p.s, g.b.s, g.ldb, g.tb, g.k, g.n)
		p.check(t, "packed B", false)
		a.PackedB = p.s
		a.B = nil
	}
	scratch := newGuarded(simd.GemmScratch(a), 1).set(nan)
	if tiles == 0 {
		simd.Gemm(a, scratch.s)
	}
	for i := range tiles {
		simd.GemmTile(a, i, tiles, scratch.s)
	}
	scratch.check(t, "scratch", false)
	c.check(t, "C", false)
	g.a.check(t, "A", true)
	g.b.check(t, "B", true)
	g.rs.check(t, "residual", true)
	for i, v := range c.s {
		if i%g.ldc >= g.n && v == v {
			t.Fatalf("wrote between rows of C, at %d", i)
		}
	}
	return c.s
}

func TestGemmConformance(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	edges := []int{1, 2, 3, 5, 6, 7, 8, 13, 14, 15, 16, 17, 28, 31, 32, 33, 47, 65, 100}
	var cases []*gemmCase
	add := func(g gemmCase) { cases = append(cases, &g) }
	for _, m := range edges {
		for _, n := range edges {
			add(gemmCase{m: m, n: n, k: 1 + r.IntN(40), ta: r.IntN(2) == 0, tb: r.IntN(2) == 0, acc: r.IntN(2) == 0, biasM: r.IntN(2) == 0,
				biasN: r.IntN(2) == 0, act: simd.Act(r.IntN(3)), pad: r.IntN(2) * r.IntN(20), off: r.IntN(8)})
		}
	}
	for i := range 24 { // every combination of transposition and accumulation, over chunk edges
		add(gemmCase{m: 1 + r.IntN(20), n: 1 + r.IntN(70), k: []int{0, 511, 512, 513, 1024, 1100}[i%6], ta: i&1 != 0, tb: i&2 != 0, acc: i&4 != 0,
			biasM: i&8 != 0, biasN: i&16 != 0, act: simd.Act(i % 3), pad: i % 4, off: i % 8})
	}
	for m := 1; m <= 17; m++ { // few rows of a B that is larger than a cache
		add(gemmCase{m: m, n: 530 + r.IntN(16), k: 513 + r.IntN(8), ta: m&1 != 0, acc: m&2 != 0, biasM: m&4 != 0, biasN: m&8 != 0, act: simd.Act(m % 3), pad: m % 4, off: m % 8})
	}
	for m := 1; m <= 9; m++ { // few rows of a transposed B
		add(gemmCase{m: m, n: 21 + r.IntN(16), k: 1024 + r.IntN(2)*r.IntN(20), ta: m&1 != 0, tb: true, acc: m&2 != 0, biasM: m&4 != 0, biasN: m%3 == 0, act: simd.Act(m % 3), off: m % 8})
	}
	add(gemmCase{m: 1, n: 4200, k: 1040, biasN: true})
	add(gemmCase{m: 2, n: 4209, k: 77, acc: true, act: simd.ActRelu, off: 1})
	add(gemmCase{m: 3, n: 8205, k: 33, ta: true, biasM: true, act: simd.ActClip})
	// Rows and columns of few, over the edges of tiles, vectors, chunks and packed copies.
	for i, m := range []int{2, 3, 4, 5, 8, 12, 15, 16} {
		for _, n := range []int{8, 9, 31, 40, 67} {
			k := []int{16, 31, 515, 1030, 64}[(i+n)%5]
			add(gemmCase{m: m, n: n, k: k, tb: i%2 == 0 || n == 40, ta: n%2 != 0, acc: i%3 == 0, biasM: n > 30, biasN: i > 4, act: simd.Act(i % 3), pad: i % 2, off: i})
			add(gemmCase{m: 4 * n, n: m, k: 140 + i, ta: n == 31 || n == 9, tb: i%2 == 0, acc: i%3 == 1, biasN: n > 30, act: simd.Act(n % 3), pad: n % 2})
		}
	}
	add(gemmCase{m: 3, n: 4103, k: 21, acc: true, biasN: true})
	add(gemmCase{m: 43, n: 1641, k: 517, ta: true, biasM: true, biasN: true, act: simd.ActRelu}) // more rows than keep all their sums
	for _, m := range []int{1100, 4300} {                                                        // more rows of A than are kept packed
		add(gemmCase{m: m, n: 270, k: 9, ta: m < 2000, biasM: true})
	}
	for i, m := range []int{43, 99, 107, 115} { // panels of B that the first panel of A packs: of all heights and rests of k
		add(gemmCase{m: m, n: 350 + 9*i, k: 125 + i, acc: i == 1, biasM: i == 2, biasN: i == 3, act: simd.Act(i % 3), pad: i, off: 3 * i})
	}
	for i, m := range []int{7, 15, 17, 21, 23} { // and of a B that comes from memory, for few of A
		add(gemmCase{m: m, n: 1040 + i, k: 4080 + i, ta: i == 2, acc: i == 1, biasM: i == 3, biasN: i == 4, act: simd.Act(i % 3), off: i})
	}
	for i, m := range []int{6, 7, 13, 47, 48, 49, 101} { // panels of a transposed A, in groups
		add(gemmCase{m: m, n: 97 + 50*i, k: 1 + 8*i, ta: true, tb: i == 3, acc: i == 2, pad: i % 2, off: i})
	}
	for _, tb := range []bool{false, true} { // vectors
		for _, ta := range []bool{false, true} {
			add(gemmCase{m: 1, n: 300, k: 70, ta: ta, tb: tb, biasN: true})
			add(gemmCase{m: 300, n: 1, k: 70, ta: ta, tb: tb, biasM: true, act: simd.ActRelu})
			add(gemmCase{m: 130, n: 1, k: 600, ta: ta, tb: tb, acc: true, biasM: true, biasN: true, pad: 3})
			add(gemmCase{m: 140, n: 620, k: 530, ta: ta, tb: tb, acc: ta}) // blocks of B, packed panels
			add(gemmCase{m: 4200, n: 1, k: 70, ta: ta, tb: tb, acc: tb, biasN: true, pad: 1})
		}
	}
	for i, g := range cases {
		g.res = i%3 == 0
	}
	for name, draw := range draws(r) {
		t.Run(name, func(t *testing.T) {
			for _, g := range cases {
				if g.m*g.n*g.k > 1e6 && (name != "normal" || testing.Short()) {
					continue
				}
				g.prepare(draw)
				want := map[string][]float32{}
				for _, oracle := range []string{"generic", "generic-muladd"} {
					use(t, oracle)
					want[oracle] = g.run(t, 0, false)
				}
				if name == "normal" {
					g.checkAccuracy(t, want["generic"])
					g.checkAccuracy(t, want["generic-muladd"])
				}
				eachSet(t, func(t *testing.T, oracle string) {
					sameBits(t, g.String(), g.run(t, 0, false), want[oracle])
					sameBits(t, "tiles "+g.String(), g.run(t, 3, false), want[oracle])
					if g.k > 0 {
						sameBits(t, "packed "+g.String(), g.run(t, 2, true), want[oracle])
					}
					if g.k > 0 && min(g.m, g.n) <= 48 {
						defer simd.StreamAll()()
						sameBits(t, "streamed "+g.String(), g.run(t, 0, false), want[oracle])
						sameBits(t, "streamed in tiles "+g.String(), g.run(t, 2, false), want[oracle])
					}
				})
				if t.Failed() {
					return
				}
			}
		})
	}
}

// checkAccuracy compares with float64.
func (g *gemmCase) checkAccuracy(t *testing.T, c []float32) {
	t.Helper()
	for i := range g.m {
		for j := range g.n {
			var s, abs float64
			at := i*g.ldc + j
			for k := range g.k {
				ai, bi := i*g.lda+k, k*g.ldb+j
				if g.ta {
					ai = k*g.lda + i
				}
				if g.tb {
					bi = j*g.ldb + k
				}
				p := float64(g.a.s[ai]) * float64(g.b.s[bi])
				s, abs = s+p, abs+math.Abs(p)
			}
			if g.acc {
				s, abs = s+float64(g.c0[at]), abs+math.Abs(float64(g.c0[at]))
			}
			if g.biasM {
				s, abs = s+float64(g.bm.s[i]), abs+math.Abs(float64(g.bm.s[i]))
			}
			if g.biasN {
				s, abs = s+float64(g.bn.s[j]), abs+math.Abs(float64(g.bn.s[j]))
			}
			if g.res {
				s, abs = s+float64(g.rs.s[at]), abs+math.Abs(float64(g.rs.s[at]))
			}
			switch g.act {
			case simd.ActRelu:
				s = max(s, 0)
			case simd.ActClip:
				s = min(max(s, -0.5), 0.75)
			}
			closeTo(t, g.String(), at, c[at], s, float64(g.k+4)*2*eps32*abs)
		}
	}
}

func TestGemmAllocatesNothing(t *testing.T) {
	a, b, c := make([]float32, 64*64), make([]float32, 64*64), make([]float32, 64*64)
	scratch := make([]float32, simd.GemmScratch(&simd.GemmArgs{M: 64, N: 64, K: 64, TransB: true}))
	x := make([]float32, 640*640) // what is fetched ahead, and tiles of all kinds
	large := make([]float32, simd.GemmScratch(&simd.GemmArgs{M: 640, N: 640, K: 128}))
	n := testing.AllocsPerRun(2, func() {
		simd.Gemm(&simd.GemmArgs{M: 640, N: 640, K: 128, A: x, LDA: 128, B: x, LDB: 640, C: x, LDC: 640}, large)
		simd.Gemm(&simd.GemmArgs{M: 3, N: 500, K: 600, A: x, LDA: 600, B: x, LDB: 600, TransB: true, C: x, LDC: 500}, large)
		simd.Gemm(&simd.GemmArgs{M: 500, N: 3, K: 600, A: x, LDA: 600, B: x, LDB: 3, C: x, LDC: 3}, large)
		defer simd.StreamAll()()
		simd.Gemm(&simd.GemmArgs{M: 3, N: 500, K: 600, A: x, LDA: 600, B: x, LDB: 500, C: x, LDC: 500}, large)
	})
	if n > 0 {
		t.Errorf("large and narrow products allocate %v times", n)
	}
	n = testing.AllocsPerRun(10, func() {
		simd.Gemm(&simd.GemmArgs{M: 64, N: 64, K: 64, A: a, LDA: 64, B: b, LDB: 64, TransB: true, C: c, LDC: 64}, scratch)
	})
	if n != 0 {
		t.Errorf("Gemm allocates %v times", n)
	}
}

func FuzzGemm(f *testing.F) {
	f.Add(uint8(3), uint16(17), uint16(40), uint16(0), uint64(1))
	f.Add(uint8(29), uint16(65), uint16(513), uint16(63), uint64(2))
	f.Fuzz(func(t *testing.T, m uint8, n, k, flags uint16, seed uint64) {
		g := &gemmCase{m: 1 + int(m)%80, n: 1 + int(n)%200, k: int(k) % 600, ta: flags&1 != 0, tb: flags&2 != 0, acc: flags&4 != 0, biasM: flags&8 != 0,
			biasN: flags&16 != 0, res: flags&128 != 0, act: simd.Act(flags >> 5 % 3), pad: int(flags>>8) % 9, off: int(flags>>12) % 8}
		r := rand.New(rand.NewPCG(seed, 0))
		g.prepare(draws(r)[[]string{"normal", "special", "subnormal"}[seed%3]])
		was := simd.Current().Name
		defer use(t, was)
		want := map[simd.Class][]float32{}
		for _, k := range simd.All() {
			if k.Name == "generic" || k.Name == "generic-muladd" {
				use(t, k.Name)
				want[k.Class] = g.run(t, 0, false)
			}
		}
		for _, k := range simd.All() {
			if k.Available() {
				use(t, k.Name)
				sameBits(t, k.Name, g.run(t, 0, false), want[k.Class])
				sameBits(t, k.Name+" in tiles", g.run(t, 1+int(seed%5), g.k > 0), want[k.Class])
				if g.k > 0 {
					restore := simd.StreamAll()
					sameBits(t, k.Name+" streamed", g.run(t, 0, false), want[k.Class])
					restore()
				}
			}
		}
	})
}
