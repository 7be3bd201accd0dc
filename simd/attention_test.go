package simd_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/weft-ml/weft/simd"
)

// attentionCase is one head with its operands.
type attentionCase struct {
	q, k, d, dv, pad int
	causal           bool
	offset           int
	cap              float32
	mask             string // "", "full", "keys", "columns", "bool", "bool keys"
	keys             int    // that exist; 0: all
	drop             float32
}

func (c attentionCase) String() string {
	return fmt.Sprintf("%dx%d d=%d,%d pad=%d causal=%v%+d cap=%v mask=%s/%d drop=%v", c.q, c.k, c.d, c.dv, c.pad, c.causal, c.offset, c.cap, c.mask, c.keys, c.drop)
}

func attentionCases() []attentionCase {
	var out []attentionCase
	for _, q := range []int{1, 2, 7, 64, 65, 130} {
		for _, k := range []int{1, 3, 64, 66, 129} {
			out = append(out, attentionCase{q: q, k: k, d: 8 + q%9, dv: 4 + k%13, pad: (q + k) % 5, causal: (q+k)%2 == 0, offset: (q * k) % 5})
		}
	}
	for i, mask := range []string{"full", "keys", "columns", "bool", "bool keys"} {
		out = append(out,
			attentionCase{q: 70, k: 67, d: 32, dv: 32, mask: mask},
			attentionCase{q: 9, k: 140, d: 5, dv: 7, mask: mask, causal: true, offset: 131, keys: 100 + i},
			attentionCase{q: 66, k: 80, d: 64, dv: 16, pad: 3, mask: mask, cap: 2})
	}
	return append(out,
		attentionCase{q: 64, k: 64, d: 8, dv: 8, drop: 0.25},
		attentionCase{q: 70, k: 131, d: 12, dv: 9, drop: 0.5, causal: true, offset: 60},
		attentionCase{q: 100, k: 100, d: 16, dv: 16, drop: 0.1, causal: true, cap: 2},
		attentionCase{q: 3, k: 7, d: 4, dv: 4, drop: 0.3, mask: "bool"},
		attentionCase{q: 1, k: 70, d: 4, dv: 4, drop: 0.6, keys: 66},
		attentionCase{q: 64, k: 64, d: 32, dv: 32, pad: 352},
		attentionCase{q: 130, k: 130, d: 32, dv: 32, causal: true, mask: "full"},
		attentionCase{q: 97, k: 200, d: 16, dv: 8, causal: true, offset: 37, mask: "bool", cap: 1.5},
		attentionCase{q: 100, k: 90, d: 16, dv: 16, causal: true, offset: -10}, // the first queries see nothing
		attentionCase{q: 3, k: 0, d: 4, dv: 4},
		attentionCase{q: 70, k: 70, d: 40, dv: 24, cap: 0.7, causal: true},
		attentionCase{q: 5, k: 9, d: 600, dv: 520, causal: true, offset: 4})
}

// attentionData holds operands and results.
type attentionData struct {
	in  map[string]*guarded
	out map[string]*guarded
	a   simd.Attention
}

func (c attentionCase) data(draw func() float32) *attentionData {
	d := &attentionData{in: map[string]*guarded{}, out: map[string]*guarded{}}
	ldq, ldk, ldv, ldo := c.d+c.pad, c.d+2*c.pad, c.dv+c.pad, c.dv+3*c.pad
	size := func(rows, ld, n int) int { return max((rows-1)*ld+n, 0) }
	in := func(name string, n int) []float32 {
		d.in[name] = newGuarded(n, 3).fill(draw)
		return d.in[name].s
	}
	out := func(name string, n int, v float32) []float32 {
		d.out[name] = newGuarded(n, 1).set(v)
		return d.out[name].s
	}
	d.a = simd.Attention{Queries: c.q, Keys: c.k, D: c.d, DV: c.dv, LDQ: ldq, LDK: ldk, LDV: ldv, LDO: ldo,
		Q: in("q", size(c.q, ldq, c.d)), K: in("k", size(c.k, ldk, c.d)), V: in("v", size(c.k, ldv, c.dv)), GO: in("go", size(c.q, ldo, c.dv)),
		O: out("o", size(c.q, ldo, c.dv), nan), LSE: out("lse", c.q, nan),
		GQ: out("gq", size(c.q, ldq, c.d), nan), GK: out("gk", size(c.k, ldk, c.d), 0), GV: out("gv", size(c.k, ldv, c.dv), 0),
		Scale: 1 / float32(math.Sqrt(float64(c.d))), Cap: c.cap, Causal: c.causal, Offset: c.offset}
	if c.keys > 0 {
		d.a.Keys = c.keys
	}
	a := &d.a
	a.Drop, a.DropKeys, a.Seed, a.Stream, a.First = c.drop, c.k, 7, 1<<40+3, uint64(5*c.k)
	switch c.mask {
	case "full", "bool":
		a.MaskQ, a.MaskK = c.k, 1
	case "keys", "bool keys":
		a.MaskK = 1
	case "columns":
		a.MaskQ, a.MaskK = 1, c.q
	}
	n := a.MaskQ*(c.q-1) + a.MaskK*(c.k-1) + 1
	switch c.mask {
	case "full", "keys", "columns":
		a.Mask = in("mask", n)
		for i := range a.Mask {
			if draw() > 1.2 {
				a.Mask[i] = float32(math.Inf(-1))
			}
		}
		d.in["mask"].copy = append([]float32(nil), a.Mask...)
	case "bool", "bool keys":
		a.Allowed = make([]byte, n)
		for i := range a.Allowed {
			if draw() < 0.5 {
				a.Allowed[i] = 1
			}
		}
	}
	return d
}

// run computes the forward and the backward pass with the current set.
func (d *attentionData) run(t *testing.T) {
	t.Helper()
	if d.a.Keys == 0 {
		d.a.LSE = d.out["lse"].s
	}
	scratch := newGuarded(simd.AttentionScratch(&d.a, false), 1).set(nan)
	blocks := (d.a.Queries + simd.AttentionBlock - 1) / simd.AttentionBlock
	for b := blocks - 1; b >= 0; b-- {
		simd.AttentionForward(&d.a, b, scratch.s)
	}
	scratch.check(t, "scratch", false)
	scratch = newGuarded(simd.AttentionScratch(&d.a, true), 1).set(nan)
	simd.AttentionBackward(&d.a, scratch.s)
	scratch.check(t, "scratch", false)
	for name, g := range d.in {
		g.check(t, name, true)
	}
	for name, g := range d.out {
		g.check(t, name, false)
	}
}

// Every kernel set gives the bits of the generic one of its class.
func TestAttentionConformance(t *testing.T) {
	for i, c := range attentionCases() {
		if (testing.Short() || runtime.GOOS == "js") && i%4 != 0 { // the oracle is slow there
			continue
		}
		r := rand.New(rand.NewPCG(uint64(c.q), uint64(c.k)))
		seed := [2]uint64{r.Uint64(), r.Uint64()}
		normal := func() func() float32 {
			r := rand.New(rand.NewPCG(seed[0], seed[1]))
			return func() float32 { return float32(r.NormFloat64()) }
		}
		want := map[string]*attentionData{}
		eachSet(t, func(t *testing.T, oracle string) {
			if want[oracle] == nil {
				set := simd.Current().Name
				use(t, oracle)
				want[oracle] = c.data(normal())
				want[oracle].run(t)
				use(t, set)
			}
			d := c.data(normal())
			d.run(t)
			for name, g := range d.out {
				sameBits(t, c.String()+" "+name, g.s, want[oracle].out[name].s)
			}
		})
	}
}

// TestAttention compares results and gradients with the formulas in float64.
func TestAttention(t *testing.T) {
	for _, c := range attentionCases() {
		r := rand.New(rand.NewPCG(5, 6))
		d := c.data(func() float32 { return float32(r.NormFloat64()) })
		d.run(t)
		a := &d.a
		gq, gk, gv := make([]float64, len(a.GQ)), make([]float64, len(a.GK)), make([]float64, len(a.GV))
		for i := range c.q {
			p, x, sum, most := make([]float64, c.k), make([]float64, c.k), 0.0, math.Inf(-1)
			for j := range c.k {
				for e := range c.d {
					x[j] += float64(a.Q[i*a.LDQ+e]) * float64(a.K[j*a.LDK+e]) * float64(a.Scale)
				}
				p[j] = x[j]
				if c.cap > 0 {
					p[j] = float64(c.cap) * math.Tanh(x[j]/float64(c.cap))
				}
				hidden := c.causal && j > i+c.offset || j >= a.Keys
				if a.Mask != nil && !hidden {
					p[j] += float64(a.Mask[i*a.MaskQ+j*a.MaskK])
				}
				if a.Allowed != nil && !hidden {
					hidden = a.Allowed[i*a.MaskQ+j*a.MaskK] == 0
				}
				if hidden {
					p[j] = math.Inf(-1)
				}
				most = max(most, p[j])
			}
			if math.IsInf(most, -1) {
				most = 0
			}
			for j := range p {
				p[j] = math.Exp(p[j] - most)
				sum += p[j]
			}
			if want := most + math.Log(sum); sum > 0 {
				closeTo(t, c.String()+" lse", i, a.LSE[i], want, 1e-5*(1+math.Abs(want)))
			} else if !math.IsInf(float64(a.LSE[i]), 1) {
				t.Fatalf("%v: lse of a query that sees nothing is %v", c, a.LSE[i])
			}
			for j := range p {
				if sum > 0 {
					p[j] /= sum
				}
			}
			factor := make([]float64, c.k)
			u := make([]float32, c.k)
			simd.FillUniform(u, a.Seed, a.Stream, a.First+uint64(i*c.k), 0, 1)
			for j := range factor {
				if u[j] >= c.drop {
					factor[j] = 1 / (1 - float64(c.drop))
				}
			}
			delta := 0.0
			for e := range c.dv {
				o := 0.0
				for j := range p {
					o += factor[j] * p[j] * float64(a.V[j*a.LDV+e])
				}
				closeTo(t, c.String()+" o", i*c.dv+e, a.O[i*a.LDO+e], o, 2e-5*(1+math.Abs(o)))
				delta += o * float64(a.GO[i*a.LDO+e])
			}
			for j := range p {
				dp := 0.0
				for e := range c.dv {
					g := float64(a.GO[i*a.LDO+e])
					dp += g * float64(a.V[j*a.LDV+e])
					gv[j*a.LDV+e] += factor[j] * p[j] * g
				}
				dp *= factor[j]
				ds := p[j] * (dp - delta) * float64(a.Scale)
				if c.cap > 0 {
					th := math.Tanh(x[j] / float64(c.cap))
					ds *= 1 - th*th
				}
				for e := range c.d {
					gq[i*a.LDQ+e] += ds * float64(a.K[j*a.LDK+e])
					gk[j*a.LDK+e] += ds * float64(a.Q[i*a.LDQ+e])
				}
			}
		}
		compare := func(name string, got []float32, want []float64, rows, ld, n int) {
			for i := range rows {
				for e := range n {
					w := want[i*ld+e]
					closeTo(t, c.String()+" "+name, i*ld+e, got[i*ld+e], w, 5e-5*(1+math.Abs(w)))
				}
			}
		}
		compare("gq", a.GQ, gq, c.q, a.LDQ, c.d)
		compare("gk", a.GK, gk, c.k, a.LDK, c.d)
		compare("gv", a.GV, gv, c.k, a.LDV, c.dv)
	}
}

// BenchmarkAttention measures one head, forward and backward.
func BenchmarkAttention(b *testing.B) {
	for _, c := range []attentionCase{
		{q: 64, k: 64, d: 32, dv: 32, pad: 352},
		{q: 512, k: 512, d: 64, dv: 64, pad: 704},
		{q: 64, k: 64, d: 32, dv: 32, pad: 352, causal: true},
		{q: 128, k: 128, d: 32, dv: 32, pad: 352, causal: true},
		{q: 1024, k: 1024, d: 64, dv: 64, pad: 704, causal: true},
		{q: 1, k: 512, d: 64, dv: 64, causal: true, offset: 511},
	} {
		d := c.data(func() float32 { return 0.25 })
		a := &d.a
		r := rand.New(rand.NewPCG(1, 2))
		for _, x := range [][]float32{a.Q, a.K, a.V, a.GO} {
			for i := range x {
				x[i] = float32(r.NormFloat64())
			}
		}
		pairs := float64(c.q * c.k)
		if c.causal && c.q > 1 {
			pairs /= 2
		}
		flops := 2 * pairs * float64(c.d+c.dv)
		blocks := (c.q + simd.AttentionBlock - 1) / simd.AttentionBlock
		scratch := make([]float32, 1<<20)
		name := fmt.Sprintf("%dx%dx%d causal=%v", c.q, c.k, c.d, c.causal)
		forward := func() {
			for i := range blocks {
				simd.AttentionForward(a, i, scratch)
			}
		}
		b.Run("forward/"+name, func(b *testing.B) { benchSets(b, flops, forward) })
		forward()
		b.Run("backward/"+name, func(b *testing.B) { benchSets(b, 2.5*flops, func() { simd.AttentionBackward(a, scratch) }) })
	}
}
