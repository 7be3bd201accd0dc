package simd_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weft-ml/weft/core/random"
	"github.com/weft-ml/weft/simd"
)

// vecLengths are the lengths that vector kernels are tested with: all short ones, and those around whole blocks.
func vecLengths() []int {
	var ns []int
	for n := range 101 {
		ns = append(ns, n)
	}
	return append(ns, 127, 128, 129, 255, 256, 257, 1000)
}

// special are values that every elementwise function must treat as its generic version does.
var special = []float32{0, float32(math.Copysign(0, -1)), 1, -1, 0.5, -0.5, 1e-45, -1e-45, 1.1754942e-38, 1.1754944e-38, 3.4028235e38, -3.4028235e38,
	float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), 88.7, 88.8, -87.4, -103.9, -104.1, 8192, 8193, 1e30, -1e-9, 1e-8, 0.99999994, 2.5, 3.5, -2.5, 14.6, -14.6}

// vecInput returns n values of very different sizes, every seventh a special one when wild.
func vecInput(r *rand.Rand, n, off int, wild bool) *guarded {
	g := newGuarded(n, off)
	for i := range g.s {
		switch {
		case wild && r.IntN(7) == 0:
			g.s[i] = special[r.IntN(len(special))]
		case r.IntN(4) == 0:
			g.s[i] = float32(r.NormFloat64() * math.Exp(8*r.NormFloat64()))
		default:
			g.s[i] = float32(3 * r.NormFloat64())
		}
	}
	g.copy = append([]float32(nil), g.all...)
	return g
}

// sameVecBits compares float32 slices bit by bit, all NaNs being equal.
func sameVecBits(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		g, w := math.Float32bits(got[i]), math.Float32bits(want[i])
		if g != w && !(got[i] != got[i] && want[i] != want[i]) {
			t.Fatalf("%s: [%d] of %d = %v (%08x), want %v (%08x)", what, i, len(want), got[i], g, want[i], w)
		}
	}
}

// vecCase is one kernel: it reads ins and writes outs, all of n elements (outs start as copies of the inputs of the
// same number when inOut, else as NaN), and may return one number.
type vecCase struct {
	name      string
	ins, outs int
	inOut     bool
	tame      bool
	run       func(in, out [][]float32) float32
}

func vecCases() []vecCase {
	var cs []vecCase
	for op := range simd.NumUnary {
		p0, p1 := float32(0.25), float32(0.75)
		cs = append(cs, vecCase{name: fmt.Sprintf("Map%d", op), ins: 1, outs: 1, run: func(in, out [][]float32) float32 {
			simd.Map(op, out[0], in[0], p0, p1)
			return 0
		}})
	}
	for op := range simd.NumBinary {
		cs = append(cs, vecCase{name: fmt.Sprintf("Zip%d", op), ins: 2, outs: 1, run: func(in, out [][]float32) float32 {
			simd.Zip(op, out[0], in[0], in[1])
			return 0
		}}, vecCase{name: fmt.Sprintf("ZipScalar%d", op), ins: 1, outs: 1, run: func(in, out [][]float32) float32 {
			simd.ZipScalar(op, out[0], in[0], 1.5)
			return 0
		}}, vecCase{name: fmt.Sprintf("ScalarZip%d", op), ins: 1, outs: 1, run: func(in, out [][]float32) float32 {
			simd.ScalarZip(op, out[0], -2.5, in[0])
			return 0
		}})
	}
	for op := range simd.NumReduce {
		cs = append(cs, vecCase{name: fmt.Sprintf("Reduce%d", op), ins: 1, run: func(in, _ [][]float32) float32 {
			var d [1]float32
			simd.ReduceInner(op, d[:], in[0], 1, len(in[0]))
			return d[0]
		}}, vecCase{name: fmt.Sprintf("ReduceTame%d", op), ins: 1, tame: true, run: func(in, _ [][]float32) float32 {
			return simd.SumSliced(op, in[0], make([]float32, simd.ReduceSlices(len(in[0]))))
		}}, vecCase{name: fmt.Sprintf("ReduceRow%d", op), ins: 2, outs: 1, inOut: true, run: func(in, out [][]float32) float32 {
			simd.ReduceRow(op, out[0], in[1])
			return 0
		}})
	}
	one := func(name string, ins, outs int, inOut, tame bool, f func(in, out [][]float32)) {
		cs = append(cs, vecCase{name, ins, outs, inOut, tame, func(in, out [][]float32) float32 { f(in, out); return 0 }})
	}
	cs = append(cs, vecCase{name: "Dot", ins: 2, tame: true, run: func(in, _ [][]float32) float32 { return simd.Dot(in[0], in[1]) }})
	one("PowCube", 1, 1, false, false, func(in, out [][]float32) { simd.ZipScalar(simd.Pow, out[0], in[0], 3) })
	one("PowInverseRoot", 1, 1, false, false, func(in, out [][]float32) { simd.ZipScalar(simd.Pow, out[0], in[0], -0.5) })
	one("Peak", 1, 1, false, false, func(in, out [][]float32) { simd.Peak(out[0], in[0]) })
	one("Axpy", 2, 1, true, false, func(in, out [][]float32) { simd.Axpy(out[0], in[1], 1.25) })
	one("Softmax", 1, 1, false, true, func(in, out [][]float32) { simd.Softmax(out[0], in[0], 1, len(in[0])) })
	one("LogSoftmax", 1, 1, false, true, func(in, out [][]float32) { simd.LogSoftmax(out[0], in[0], 1, len(in[0])) })
	one("SoftmaxGrad", 2, 1, false, true, func(in, out [][]float32) { simd.SoftmaxGrad(out[0], in[0], in[1], 1, len(in[0])) })
	one("LogSoftmaxGrad", 2, 1, false, true, func(in, out [][]float32) { simd.LogSoftmaxGrad(out[0], in[0], in[1], 1, len(in[0])) })
	one("LayerNorm", 3, 1, false, true, func(in, out [][]float32) {
		simd.LayerNorm(out[0], nil, nil, in[0], in[1], in[2], 1, len(in[0]), 1e-5)
	})
	one("LayerNormGrad", 3, 1, false, true, func(in, out [][]float32) {
		simd.LayerNormGrad(out[0], in[0], in[1], in[2], []float32{0.5}, []float32{1.25}, 1, len(in[0]))
	})
	one("LayerNormParamGrad", 2, 2, false, true, func(in, out [][]float32) {
		simd.LayerNormParamGrad(out[0], out[1], in[0], in[1], []float32{0.5}, []float32{1.25}, 1, len(in[0]))
	})
	one("RMSNorm", 2, 1, false, true, func(in, out [][]float32) { simd.RMSNorm(out[0], nil, in[0], in[1], 1, len(in[0]), 1e-6) })
	one("SGD", 4, 1, true, false, func(in, out [][]float32) {
		simd.SGD(out[0], in[3], nil, &simd.SGDOptions{Scale: 0.75, LR: 0.1, WeightDecay: 0.01})
	})
	one("SGDMomentum", 4, 2, true, false, func(in, out [][]float32) {
		simd.SGD(out[0], in[3], out[1], &simd.SGDOptions{Scale: 0.75, LR: 0.1, Momentum: 0.9, Dampening: 0.1, WeightDecay: 0.01, Decoupled: true})
	})
	one("SGDNesterov", 4, 2, true, false, func(in, out [][]float32) {
		simd.SGD(out[0], in[3], out[1], &simd.SGDOptions{Scale: 0.75, LR: 0.1, Momentum: 0.9, WeightDecay: 0.01, Nesterov: true})
	})
	one("Adam", 4, 3, true, false, func(in, out [][]float32) {
		simd.Adam(out[0], in[3], out[1], out[2], &simd.AdamOptions{Scale: 0.75, LR: 0.1, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Correction1: 0.1, Correction2: 0.001, WeightDecay: 0.01})
	})
	one("AdamW", 4, 3, true, false, func(in, out [][]float32) {
		simd.Adam(out[0], in[3], out[1], out[2], &simd.AdamOptions{Scale: 0.75, LR: 0.1, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Correction1: 0.1, Correction2: 0.001, WeightDecay: 0.01, Decoupled: true})
	})
	one("RMSProp", 4, 2, true, false, func(in, out [][]float32) {
		simd.RMSProp(out[0], in[3], out[1], &simd.RMSPropOptions{Scale: 0.75, LR: 0.1, Rho: 0.99, Eps: 1e-8, WeightDecay: 0.01})
	})
	one("Adagrad", 4, 2, true, false, func(in, out [][]float32) {
		simd.Adagrad(out[0], in[3], out[1], &simd.AdagradOptions{Scale: 0.75, LR: 0.1, Eps: 1e-8, WeightDecay: 0.01})
	})
	one("Lion", 4, 2, true, false, func(in, out [][]float32) {
		simd.Lion(out[0], in[3], out[1], &simd.LionOptions{Scale: 0.75, LR: 0.1, Beta1: 0.9, Beta2: 0.99, WeightDecay: 0.01})
	})
	one("FillUniform", 1, 1, false, false, func(in, out [][]float32) { simd.FillUniform(out[0], 7, 1<<40, 5, -2, 3) })
	one("FillUniformCarry", 1, 1, false, false, func(in, out [][]float32) { simd.FillUniform(out[0], 7, 1<<33+5, 4<<32-22, 0, 1) })
	one("FillBernoulli", 1, 1, false, false, func(in, out [][]float32) { simd.FillBernoulli(out[0], 7, 1, 3, 0.75, 4.0/3) })
	one("FillNormal", 1, 1, false, false, func(in, out [][]float32) { simd.FillNormal(out[0], 7, 9, 6, 1, 3) })
	return cs
}

// runVec runs a case with the current set; it checks the guards and the inputs, and returns outputs and number.
func runVec(t *testing.T, c *vecCase, seed uint64, n, off int, inPlace bool) ([][]float32, float32) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, uint64(n)))
	var in, out [][]float32
	var gin, gout []*guarded
	for i := range c.ins {
		g := vecInput(r, n, (off+i)%8, !c.tame)
		gin, in = append(gin, g), append(in, g.s)
	}
	for i := range c.outs {
		if inPlace {
			out = append(out, in[i])
			continue
		}
		g := newGuarded(n, (off+3*i)%8)
		for j := range g.s {
			g.s[j] = float32(math.NaN())
			if c.inOut {
				g.s[j] = in[i][j]
			}
		}
		gout, out = append(gout, g), append(out, g.s)
	}
	v := c.run(in, out)
	for i, g := range append(gin, gout...) {
		for j, w := range g.all {
			inside := j >= g.off && j < g.off+n
			if !inside && w != guard {
				t.Fatalf("%s, n=%d, offset %d: wrote outside operand %d, at %d", c.name, n, off, i, j-g.off)
			}
			if inside && i < len(gin) && !(inPlace && i < c.outs) && math.Float32bits(w) != math.Float32bits(g.copy[j]) {
				t.Fatalf("%s, n=%d: changed input %d", c.name, n, i)
			}
		}
	}
	return out, v
}

func TestVecConformance(t *testing.T) {
	cases := vecCases()
	eachSet(t, func(t *testing.T, oracle string) {
		name := simd.Current().Name
		for i := range cases {
			c := &cases[i]
			for k, n := range vecLengths() {
				if testing.Short() && n > 40 && n%16 > 1 {
					continue
				}
				use(t, oracle)
				want, wantV := runVec(t, c, 1, n, 0, false)
				use(t, name)
				got, gotV := runVec(t, c, 1, n, k%8, false)
				for j := range want {
					sameVecBits(t, fmt.Sprintf("%s, output %d", c.name, j), got[j], want[j])
				}
				sameVecBits(t, c.name, []float32{gotV}, []float32{wantV})
				if c.outs > 0 && c.outs <= c.ins && n%5 == 0 && c.name != "LayerNormGrad" && c.name != "LayerNormParamGrad" {
					got, _ = runVec(t, c, 1, n, k%8, true)
					for j := range want {
						sameVecBits(t, fmt.Sprintf("%s in place, output %d", c.name, j), got[j], want[j])
					}
				}
			}
		}
	})
}

func TestReduceChannels(t *testing.T) {
	eachSet(t, func(t *testing.T, oracle string) {
		name := simd.Current().Name
		for _, s := range [][3]int{{1, 1, 1}, {3, 2, 5}, {4, 3, 31}, {2, 3, 32}, {2, 3, 33}, {3, 2, 64}, {5, 2, 100}, {0, 2, 4}} {
			n, c, hw := s[0], s[1], s[2]
			r := rand.New(rand.NewPCG(3, 4))
			x, y := vecInput(r, n*c*hw, 1, false).s, vecInput(r, n*c*hw, 2, false).s
			run := func() []float32 {
				out := make([]float32, 6*c)
				simd.ReduceChannels(simd.Sum, out, x, n, c, hw)
				simd.ReduceChannels(simd.ReduceMax, out[c:], x, n, c, hw)
				simd.DotChannels(out[2*c:], x, y, n, c, hw)
				if n > 0 {
					simd.BatchNormStats(out[3*c:], out[4*c:], x, n, c, hw)
				}
				simd.ReduceOuter(simd.Sum, out[5*c:], x, n*hw, c)
				return out
			}
			use(t, oracle)
			want := run()
			use(t, name)
			sameVecBits(t, fmt.Sprint(s), run(), want)
		}
	})
}

func TestCrossEntropy(t *testing.T) {
	const rows, n = 9, 10
	r := rand.New(rand.NewPCG(8, 9))
	x := make([]float32, rows*n)
	labels := make([]int64, rows)
	for i := range x {
		x[i] = float32(4 * r.NormFloat64())
	}
	for i := range labels {
		labels[i] = int64(r.IntN(n))
	}
	labels[4] = -100
	eachSet(t, func(t *testing.T, _ string) {
		loss, grad := make([]float32, rows), make([]float32, rows*n)
		simd.CrossEntropy(loss, grad, x, labels, rows, n, 0.125, -100)
		only := make([]float32, rows)
		simd.CrossEntropy(only, nil, x, labels, rows, n, 0.125, -100)
		sameVecBits(t, "loss alone", only, loss)
		for i, label := range labels {
			sum := 0.0
			for _, v := range x[i*n : i*n+n] {
				sum += math.Exp(float64(v))
			}
			for j, v := range x[i*n : i*n+n] {
				want := math.Exp(float64(v)) / sum
				if int64(j) == label {
					want--
				}
				if label < 0 {
					want = 0
				}
				if got := float64(grad[i*n+j]); math.Abs(got-want/8) > 1e-7 {
					t.Errorf("grad[%d,%d] = %v, want %v", i, j, got, want/8)
				}
			}
			want := 0.0
			if label >= 0 {
				want = math.Log(sum) - float64(x[i*n+int(label)])
			}
			if math.Abs(float64(loss[i])-want) > 2e-6 {
				t.Errorf("loss[%d] = %v, want %v", i, loss[i], want)
			}
		}
		if a := testing.AllocsPerRun(10, func() { simd.CrossEntropy(loss, grad, x, labels, rows, n, 0.125, -100) }); a != 0 {
			t.Errorf("CrossEntropy allocates %v times", a)
		}
		o := &simd.AdamOptions{Scale: 0.75, LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Correction1: 0.1, Correction2: 0.001}
		m, v := make([]float32, rows*n), make([]float32, rows*n)
		if a := testing.AllocsPerRun(10, func() { simd.Adam(only, grad, m, v, o) }); a != 0 {
			t.Errorf("Adam allocates %v times", a)
		}
	})
}

// TestRowsConformance compares the functions of several rows with the generic ones.
func TestRowsConformance(t *testing.T) {
	const rows = 5
	// rest runs what is not about logits; out gives places for results.
	rest := func(x []float32, n int, out func(elements int) []float32) {
		y := make([]float32, rows*n)
		for i := range y {
			y[i] = x[len(y)-1-i]
		}
		gamma, beta := y[:n], x[n:][:n]
		simd.SoftmaxGrad(out(rows*n), x, y, rows, n)
		simd.LogSoftmaxGrad(out(rows*n), x, y, rows, n)
		for op := range simd.NumReduce {
			simd.ReduceInner(op, out(rows), x, rows, n)
			simd.ReduceOuter(op, out(n), x, rows, n)
			simd.ReduceOuterStrided(op, out(n), x, 2, n, n+1)
		}
		mean, inv := out(rows), out(rows)
		simd.Moments(mean, inv, x, rows, n, 1e-5)
		simd.LayerNorm(out(rows*n), out(rows), out(rows), x, gamma, beta, rows, n, 1e-5)
		simd.LayerNormGrad(out(rows*n), y, x, gamma, mean, inv, rows, n)
		simd.LayerNormParamGrad(out(n), out(n), y, x, mean, inv, rows, n)
		factor := out(rows)
		simd.RMSNorm(out(rows*n), factor, x, gamma, rows, n, 1e-5)
		simd.RMSNormGrad(out(rows*n), out(rows), y, x, gamma, rows, n, 1e-5)
		simd.RMSNormParamGrad(out(n), y, x, factor, rows, n)
		place := out(rows * n)
		copy(place, y)
		simd.LayerNormGrad(place, place, x, gamma, mean, inv, rows, n)
		place = out(rows * n)
		copy(place, x)
		simd.RMSNormGrad(place, factor, y, place, gamma, rows, n, 1e-5)
		simd.AffineRows(out(rows*n), x, mean, inv, rows, n)
		simd.GroupNorm(out(rows*n), x, mean, inv, out(rows), out(rows), rows, n, 1e-5)
		simd.GroupNormGrad(out(rows*n), out(rows), out(rows), y, x, mean, out(rows), rows, n, 1e-5)
	}
	eachSet(t, func(t *testing.T, oracle string) {
		name := simd.Current().Name
		for _, n := range []int{1, 2, 3, 4, 7, 10, 16, 31, 32, 33, 66, 100, 519} {
			for _, wild := range []bool{false, true} {
				r := rand.New(rand.NewPCG(11, uint64(n)))
				x := vecInput(r, rows*n, 3, wild)
				labels, wide := make([]int32, rows), make([]int64, rows)
				for i := range labels {
					labels[i] = int32(r.IntN(n))
					wide[i] = int64(labels[i])
				}
				labels[2], wide[2] = -1, -1
				run := func() []*guarded {
					soft, log := newGuarded(rows*n, 1), newGuarded(rows*n, 2)
					simd.Softmax(soft.s, x.s, rows, n)
					simd.LogSoftmax(log.s, x.s, rows, n)
					loss, grad, only := newGuarded(rows, 3), newGuarded(rows*n, 1), newGuarded(rows, 2)
					simd.CrossEntropy(loss.s, grad.s, x.s, labels, rows, n, 0.125, -1)
					simd.CrossEntropy(only.s, nil, x.s, wide, rows, n, 0.125, -1)
					place := newGuarded(rows*n, 1)
					copy(place.s, x.s)
					simd.CrossEntropy(loss.s, place.s, place.s, wide, rows, n, 0.125, -1)
					out := []*guarded{soft, log, loss, grad, only, place}
					rest(x.s, n, func(elements int) []float32 {
						g := newGuarded(elements, (len(out)*3)%7)
						out = append(out, g)
						return g.s
					})
					return out
				}
				use(t, oracle)
				want := run()
				use(t, name)
				for i, g := range run() {
					sameVecBits(t, fmt.Sprintf("%d values a row, wild %v, result %d", n, wild, i), g.all, want[i].all)
				}
			}
		}
	})
}

func TestPhilox(t *testing.T) {
	// A fill may be split anywhere.
	whole := make([]float32, 100)
	parts := make([]float32, 100)
	type fill = func(dst []float32, counter uint64)
	for name, f := range map[string]fill{
		"uniform":   func(d []float32, at uint64) { simd.FillUniform(d, 11, 12, at, -1, 2) },
		"normal":    func(d []float32, at uint64) { simd.FillNormal(d, 11, 12, at, 0, 1) },
		"bernoulli": func(d []float32, at uint64) { simd.FillBernoulli(d, 11, 12, at, 0.75, 4) },
	} {
		const base = 1<<34 + 1
		f(whole, base)
		for at, k := 0, 1; at < 100; at, k = at+k, k%7+1 {
			f(parts[at:min(100, at+k)], base+uint64(at))
		}
		sameVecBits(t, name, parts, whole)
	}
	simd.FillUniform(whole, 11, 12, 4, 0, 1)
	for i, v := range whole { // package random draws the same words
		if w := random.Block(11, 12, uint64(1+i/4))[i%4]; v != float32(w>>8)*0x1p-24 {
			t.Fatalf("uniform[%d] = %v, but word %d is %08x", i, v, 4+i, w)
		}
	}
	const n = 1 << 16
	z := make([]float32, n)
	simd.FillNormal(z, 1, 2, 0, 0, 1)
	var m1, m2, m3, m4 float64
	for _, v := range z {
		x := float64(v)
		m1, m2, m3, m4 = m1+x/n, m2+x*x/n, m3+x*x*x/n, m4+x*x*x*x/n
	}
	if math.Abs(m1) > 0.02 || math.Abs(m2-1) > 0.03 || math.Abs(m3) > 0.06 || math.Abs(m4-3) > 0.15 {
		t.Errorf("moments of the normal distribution: %v %v %v %v, want 0 1 0 3", m1, m2, m3, m4)
	}
}
