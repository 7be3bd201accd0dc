package simd

import (
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

func TestPow(t *testing.T) {
	special := []float32{0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, 1.5, 1e-40, 1e38, -1e38, 16777215, 16777216, inf32, -inf32, nan32, float32(math.Copysign(0, -1))}
	worst := 0.0
	check := func(x, y float32) {
		want := math.Pow(float64(x), float64(y))
		got := pow(x, y)
		u := ulps(got, want)
		worst = math.Max(worst, u)
		if u > 1 {
			t.Errorf("pow(%v, %v) = %v, want %v", x, y, got, want)
		}
	}
	for _, x := range special {
		for _, y := range special {
			check(x, y)
		}
	}
	rnd := uint64(1)
	for range 200_000 {
		rnd = rnd*6364136223846793005 + 1442695040888963407
		x := math.Float32frombits(uint32(rnd>>33) & 0x7fffffff)
		rnd = rnd*6364136223846793005 + 1442695040888963407
		y := math.Float32frombits(uint32(rnd >> 32))
		check(x, y)
		check(float32(uint32(rnd>>40))*0x1p-20, float32(int32(rnd>>32))*0x1p-26)
	}
	t.Logf("worst %.3f ulp", worst)
}
