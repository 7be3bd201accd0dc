package simd

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// mathCase is a function with its exact value in float64 and the promised error in units in the last place.
type mathCase struct {
	op    UnaryOp
	name  string
	ulp   float64
	exact func(x float64) float64
	skip  func(x float64) bool // where the promise does not hold (next to zeros of the function)
}

var mathCases = []mathCase{
	{op: Exp, name: "Exp", ulp: 2, exact: math.Exp},
	{op: Expm1, name: "Expm1", ulp: 4, exact: math.Expm1},
	{op: Log, name: "Log", ulp: 2, exact: math.Log},
	{op: Log1p, name: "Log1p", ulp: 4, exact: math.Log1p},
	{op: Sin, name: "Sin", ulp: 4, exact: math.Sin, skip: func(x float64) bool { return math.Abs(math.Sin(x)) < 0x1p-14 && math.Abs(x) > 1 }},
	{op: Cos, name: "Cos", ulp: 4, exact: math.Cos, skip: func(x float64) bool { return math.Abs(math.Cos(x)) < 0x1p-14 }},
	{op: Tan, name: "Tan", ulp: 4, exact: math.Tan, skip: func(x float64) bool { return math.Abs(math.Sin(x)) < 0x1p-14 && math.Abs(x) > 1 }},
	{op: Tanh, name: "Tanh", ulp: 4, exact: math.Tanh},
	{op: Sigmoid, name: "Sigmoid", ulp: 4, exact: func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }},
	{op: Erf, name: "Erf", ulp: 4, exact: math.Erf},
	{op: Gelu, name: "Gelu", ulp: 4, exact: func(x float64) float64 {
		if math.IsInf(x, -1) {
			return math.Copysign(0, -1)
		}
		return x * (math.Erfc(-x/math.Sqrt2) / 2)
	}},
	{op: Silu, name: "Silu", ulp: 4, exact: func(x float64) float64 {
		if x < -700 {
			return math.Copysign(0, -1)
		}
		return x / (1 + math.Exp(-x))
	}},
	{op: GeluTanh, name: "GeluTanh", ulp: 4, exact: func(x float64) float64 {
		if math.IsInf(x, -1) {
			return math.Copysign(0, -1)
		}
		u := 2 * math.Sqrt(2/math.Pi) * (x + 0.044715*x*x*x)
		if u < -700 {
			return math.Copysign(0, -1)
		}
		return x / (1 + math.Exp(-u))
	}},
	{op: Softplus, name: "Softplus", ulp: 4, exact: func(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }},
	{op: Softsign, name: "Softsign", ulp: 4, exact: func(x float64) float64 {
		if math.IsInf(x, 0) {
			return math.NaN()
		}
		return x / (1 + math.Abs(x))
	}},
	{op: Mish, name: "Mish", ulp: 8, exact: func(x float64) float64 {
		if x < -700 {
			return math.Copysign(0, -1)
		}
		if x > 700 {
			return x
		}
		e := math.Exp(x)
		n := e * (e + 2)
		if math.IsInf(n, 0) {
			return x
		}
		return x * (n / (n + 2))
	}},
	{op: Sinh, name: "Sinh", ulp: 4, exact: math.Sinh},
	{op: Cosh, name: "Cosh", ulp: 4, exact: math.Cosh},
	{op: Asin, name: "Asin", ulp: 4, exact: math.Asin},
	{op: Acos, name: "Acos", ulp: 4, exact: math.Acos},
	{op: Atan, name: "Atan", ulp: 4, exact: math.Atan},
	{op: Asinh, name: "Asinh", ulp: 4, exact: math.Asinh},
	{op: Acosh, name: "Acosh", ulp: 4, exact: math.Acosh},
	{op: Atanh, name: "Atanh", ulp: 4, exact: math.Atanh},
	{op: Root, name: "Root", ulp: 0.5, exact: func(x float64) float64 { return math.Pow(x, 0.5) }},
	{op: Sqrt, name: "Sqrt", ulp: 0.5, exact: math.Sqrt},
	{op: Rsqrt, name: "Rsqrt", ulp: 1.5, exact: func(x float64) float64 { return 1 / math.Sqrt(x) }},
	{op: Reciprocal, name: "Reciprocal", ulp: 0.5, exact: func(x float64) float64 { return 1 / x }},
}

// ulps returns |got - want| in units of want's last place as a float32. NaNs must meet NaNs and signs of zero must agree.
func ulps(got float32, want float64) float64 {
	g := float64(got)
	if math.IsNaN(want) || math.IsNaN(g) {
		if math.IsNaN(want) && math.IsNaN(g) {
			return 0
		}
		return math.Inf(1)
	}
	if g == want {
		if g == 0 && math.Signbit(g) != math.Signbit(want) {
			return math.Inf(1)
		}
		return 0
	}
	const top = math.MaxFloat32
	if math.IsInf(g, 0) { // overflow: infinity stands for the next power of two
		if math.Abs(want) >= top && math.Signbit(g) == math.Signbit(want) {
			return 0
		}
		g = math.Copysign(0x1p128, g)
	}
	if math.Abs(want) > top {
		want = math.Copysign(0x1p128, want)
	}
	_, e := math.Frexp(want)
	ulp := math.Ldexp(1, max(e-24, -149))
	return math.Abs(g-want) / ulp
}

// mathSamples visits float32 arguments of both signs, densely where n is large, and every special one.
func mathSamples(n uint64, f func(xs []float32)) {
	xs := make([]float32, 0, 4096)
	add := func(b uint32) {
		xs = append(xs, math.Float32frombits(b))
		if len(xs) == cap(xs) {
			f(xs)
			xs = xs[:0]
		}
	}
	step := max((1<<32)/n, 1)
	for b := uint64(0); b < 1<<32; b += step {
		add(uint32(b))
	}
	for _, b := range []uint32{0, 1, 2, 0x007fffff, 0x00800000, 0x7f7fffff, 0x7f800000, 0x7fc00000, 0x3f800000, 0x3f7fffff, 0x3f800001,
		0x42b17217, 0x42b17218, 0x42cff1b4, 0x42cff1b5, 0x3f000000, 0x3f3504f3, 0x46000000, 0x46000001, 0x41680000} {
		add(b)
		add(b | signBit)
	}
	f(xs)
}

func TestAccuracy(t *testing.T) {
	n := uint64(300_000)
	if testing.Short() {
		n = 30_000
	}
	old := current
	defer func() { current = old }()
	for _, k := range []*Kernels{fastest(FMA), fastest(MulAdd)} {
		current = k
		for _, m := range mathCases {
			worst, at := 0.0, float32(0)
			y := make([]float32, 4096)
			mathSamples(n, func(xs []float32) {
				Map(m.op, y[:len(xs)], xs, 0, 0)
				for i, x := range xs {
					want := m.exact(float64(x))
					if m.skip != nil && m.skip(float64(x)) {
						if math.Abs(float64(y[i])-want) > 0x1p-38 {
							t.Errorf("%s/%s(%v) = %v, want %v: off by %g", k.Name, m.name, x, y[i], want, float64(y[i])-want)
						}
						continue
					}
					if u := ulps(y[i], want); u > worst {
						worst, at = u, x
					}
				}
			})
			t.Logf("%-14s %-10s %.2f ulp at %v (%08x)", k.Class, m.name, worst, at, math.Float32bits(at))
			if worst > m.ulp {
				t.Errorf("%s/%s: %.2f ulp at %v (%08x), promised %.1f: got %v, want %v", k.Name, m.name, worst, at, math.Float32bits(at), m.ulp, k.Class.unary(m.op, at, 0, 0), m.exact(float64(at)))
			}
		}
	}
}

// TestExhaustive checks the promises of TestAccuracy for every float32, and logs the largest error of every function. WEFT_EXHAUSTIVE is 1, or the
// name of one function.
func TestExhaustive(t *testing.T) {
	only := os.Getenv("WEFT_EXHAUSTIVE")
	if only == "" {
		t.Skip("takes minutes: make exhaustive")
	}
	old := current
	defer func() { current = old }()
	for _, k := range []*Kernels{fastest(FMA), fastest(MulAdd)} {
		current = k
		for _, m := range mathCases {
			if only != "1" && only != m.name {
				continue
			}
			t.Run(k.Class.String()+"/"+m.name, func(t *testing.T) {
				const block = 1 << 12
				var next atomic.Int64
				var mu sync.Mutex
				worst, at := 0.0, float32(0)
				var all sync.WaitGroup
				for range runtime.GOMAXPROCS(0) {
					all.Go(func() {
						x, y := make([]float32, block), make([]float32, block)
						mine, mineAt := 0.0, float32(0)
						for {
							b := next.Add(1) - 1
							if b >= 1<<32/block || t.Failed() {
								break
							}
							for i := range x {
								x[i] = math.Float32frombits(uint32(b)*block + uint32(i))
							}
							Map(m.op, y, x, 0, 0)
							for i, v := range x {
								want := m.exact(float64(v))
								// Rounded results that are near each other cannot be worse than the worst.
								d := int32(math.Float32bits(y[i])) - int32(math.Float32bits(float32(want)))
								if math.Abs(float64(d))+0.5 <= mine && y[i] == y[i] {
									continue
								}
								if m.skip != nil && m.skip(float64(v)) {
									if math.Abs(float64(y[i])-want) > 0x1p-38 {
										t.Errorf("%v is %v, want %v: off by %g", v, y[i], want, float64(y[i])-want)
									}
									continue
								}
								if u := ulps(y[i], want); u > mine {
									mine, mineAt = u, v
								}
							}
						}
						mu.Lock()
						defer mu.Unlock()
						if mine > worst {
							worst, at = mine, mineAt
						}
					})
				}
				all.Wait()
				t.Logf("%.3f ulp at %v (%08x)", worst, at, math.Float32bits(at))
				if worst > m.ulp {
					t.Errorf("promised %.1f", m.ulp)
				}
			})
		}
	}
}

// fastest returns the best set of a class that can run here.
func fastest(c Class) *Kernels {
	for _, k := range All() {
		if k.Available() && k.Class == c {
			return k
		}
	}
	panic("no set")
}

// powExact returns x**y. math.Pow squares again and again, which costs it its accuracy where y is large; y*log(x) has a relative error of
// 2**-52, and the power one of some hundred times that.
func powExact(x, y float64) float64 {
	if a := math.Abs(x); y != 0 && y-y == 0 && a > 0 && !math.IsInf(a, 0) && (x > 0 || y == math.Floor(y)) {
		p := math.Exp(y * math.Log(a))
		if x < 0 && math.Mod(y, 2) != 0 {
			p = -p
		}
		return p
	}
	return math.Pow(x, y)
}

// powSpecial are the values around which powers are special cases.
var powSpecial = []float32{0, float32(math.Copysign(0, -1)), 1, -1, 2, -2, 3, -3, 4, 0.5, -0.5, 1.5, -1.5, 0x1p-149, -0x1p-149, 0x1p-126, 0x1.fffffcp-127, 1e-40, 1e38, -1e38,
	math.MaxFloat32, -math.MaxFloat32, 8388607.5, -8388607.5, 16777215, -16777215, 16777216, 16777218, 0x1p31, -0x1p31, 0x1.fffffep30, 0x1p40, 0.99999994, 1.0000001, -0.99999994, -1.0000001,
	126, -126, 127, 128, 149, -149, 150, 1.0 / 3, 2.2, 1 / 2.4, 10, -10, inf32, -inf32, nan32, math.Float32frombits(0x7f800001), math.Float32frombits(0xffffffff)}

// A powCheck measures powers that the current set computes.
type powCheck struct {
	worst    float64
	atX, atY float32
}

func (c *powCheck) add(got, x, y float32) {
	want := powExact(float64(x), float64(y))
	// As in TestExhaustive.
	d := int32(math.Float32bits(got)) - int32(math.Float32bits(float32(want)))
	if math.Abs(float64(d))+0.5 <= c.worst && got == got {
		return
	}
	if u := ulps(got, want); u > c.worst {
		c.worst, c.atX, c.atY = u, x, y
	}
}

// powUlp is what Pow promises.
const powUlp = 4

func (c *powCheck) report(t *testing.T, what string) {
	t.Helper()
	t.Logf("%-14s %-24s %.3f ulp at %v (%08x) to the power %v (%08x)", current.Class, what, c.worst, c.atX, math.Float32bits(c.atX), c.atY, math.Float32bits(c.atY))
	if c.worst > powUlp {
		t.Errorf("promised %v: got %v, want %v", powUlp, current.Class.pow(c.atX, c.atY), powExact(float64(c.atX), float64(c.atY)))
	}
}

func TestPow(t *testing.T) {
	n := 300_000
	if testing.Short() {
		n = 30_000
	}
	old := current
	defer func() { current = old }()
	for _, k := range []*Kernels{fastest(FMA), fastest(MulAdd)} {
		current = k
		var special, random powCheck
		x, y, z := make([]float32, len(powSpecial)), make([]float32, len(powSpecial)), make([]float32, len(powSpecial))
		for i, base := range powSpecial {
			for j := range x {
				x[j], y[j] = base, powSpecial[(i+j)%len(powSpecial)]
			}
			for form := range 3 {
				switch form {
				case 0:
					Zip(Pow, z, x, y)
				case 1:
					ScalarZip(Pow, z, base, y)
				case 2: // the exponent is base here
					ZipScalar(Pow, z, y, base)
				}
				for j, got := range z {
					if form == 2 {
						special.add(got, y[j], base)
					} else {
						special.add(got, x[j], y[j])
					}
				}
			}
		}
		special.report(t, "special values")

		rnd := uint64(1)
		next := func() uint32 {
			rnd = rnd*6364136223846793005 + 1442695040888963407
			return uint32(rnd >> 32)
		}
		x, y, z = make([]float32, 1024), make([]float32, 1024), make([]float32, 1024)
		for range n / len(x) {
			for i := range x {
				switch x[i], y[i] = math.Float32frombits(next()&0x7fffffff), math.Float32frombits(next()); i % 4 {
				case 1: // all sizes of results
					x[i], y[i] = float32(next()>>8)*0x1p-20, float32(int32(next()))*0x1p-26
				case 2: // a logarithm near 0 and a large exponent
					x[i], y[i] = 1+float32(int32(next()))*0x1p-40, float32(int32(next()))*0x1p-10
				case 3: // bases of both signs and whole exponents
					x[i], y[i] = float32(int32(next()))*0x1p-28, float32(int32(next())>>24)
				}
			}
			Zip(Pow, z, x, y)
			for i, got := range z {
				random.add(got, x[i], y[i])
			}
		}
		random.report(t, "random values")
	}
}

// TestExhaustivePow computes every x to the power of some y, and some x to the power of every y. WEFT_EXHAUSTIVE is 1 or Pow.
func TestExhaustivePow(t *testing.T) {
	if only := os.Getenv("WEFT_EXHAUSTIVE"); only != "1" && only != "Pow" {
		t.Skip("takes minutes: make exhaustive")
	}
	exponents := []float32{2, 0.5, -1, 3, 1.0 / 3, 2.2, 1 / 2.4, 10}
	bases := []float32{2, 10, 0.9, 0.99999994}
	old := current
	defer func() { current = old }()
	for _, k := range []*Kernels{fastest(FMA), fastest(MulAdd)} {
		current = k
		each := func(what string, f func(z, v []float32), add func(c *powCheck, got, v float32)) {
			const block = 1 << 12
			var next atomic.Int64
			var mu sync.Mutex
			var all sync.WaitGroup
			var worst powCheck
			for range runtime.GOMAXPROCS(0) {
				all.Go(func() {
					v, z := make([]float32, block), make([]float32, block)
					var mine powCheck
					for b := next.Add(1) - 1; b < 1<<32/block; b = next.Add(1) - 1 {
						for i := range v {
							v[i] = math.Float32frombits(uint32(b)*block + uint32(i))
						}
						f(z, v)
						for i, got := range z {
							add(&mine, got, v[i])
						}
					}
					mu.Lock()
					defer mu.Unlock()
					if mine.worst > worst.worst {
						worst = mine
					}
				})
			}
			all.Wait()
			worst.report(t, what)
		}
		for _, y := range exponents {
			each(fmt.Sprint("all x, y = ", y), func(z, v []float32) { ZipScalar(Pow, z, v, y) }, func(c *powCheck, got, v float32) { c.add(got, v, y) })
		}
		for _, x := range bases {
			each(fmt.Sprint("all y, x = ", x), func(z, v []float32) { ScalarZip(Pow, z, x, v) }, func(c *powCheck, got, v float32) { c.add(got, x, v) })
		}
	}
}
