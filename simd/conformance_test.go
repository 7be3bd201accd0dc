package simd_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weft-ml/weft/simd"
)

// eachSet runs f once for every kernel set compiled in, with that set current; sets that cannot run here skip with
// the reason. oracle names the generic set of the same class.
func eachSet(t *testing.T, f func(t *testing.T, oracle string)) {
	t.Helper()
	was := simd.Current().Name
	defer use(t, was)
	for _, k := range simd.All() {
		t.Run(k.Name, func(t *testing.T) {
			if !k.Available() {
				t.Skip(k.Unavailable)
			}
			oracle := "generic"
			if k.Class == simd.MulAdd {
				oracle = "generic-muladd"
			}
			use(t, k.Name)
			f(t, oracle)
		})
	}
}

// use makes the named set current.
func use(t testing.TB, name string) {
	t.Helper()
	if err := simd.Use(name); err != nil {
		t.Fatal(err)
	}
}

// guard is a value that no kernel produces from the inputs of these tests.
const guard = float32(-12345.678)

// guarded is a slice with guard words before and after it, inside the same array, also within its capacity.
type guarded struct {
	all  []float32
	s    []float32
	off  int
	copy []float32
}

// newGuarded returns n elements at an offset of off elements from an aligned start.
func newGuarded(n, off int) *guarded {
	const margin = 32
	g := &guarded{all: make([]float32, margin+off+n+margin), off: margin + off}
	for i := range g.all {
		g.all[i] = guard
	}
	g.s = g.all[g.off : g.off+n]
	return g
}

// fill draws the elements from draw, and remembers them.
func (g *guarded) fill(draw func() float32) *guarded {
	for i := range g.s {
		g.s[i] = draw()
	}
	g.copy = append([]float32(nil), g.s...)
	return g
}

// set fills with one value.
func (g *guarded) set(v float32) *guarded { return g.fill(func() float32 { return v }) }

// check fails the test when a guard word changed, and under input when any element did.
func (g *guarded) check(t testing.TB, name string, input bool) {
	t.Helper()
	for i, v := range g.all {
		inside := i >= g.off && i < g.off+len(g.s)
		if !inside && v != guard {
			t.Fatalf("%s: wrote at index %d, outside of [0, %d)", name, i-g.off, len(g.s))
		}
		if inside && input && math.Float32bits(v) != math.Float32bits(g.copy[i-g.off]) {
			t.Fatalf("%s: input changed at %d: %v, was %v", name, i-g.off, v, g.copy[i-g.off])
		}
	}
}

// sameBits fails the test at the first element whose bits differ; NaNs are equal whatever their payload.
func sameBits(t testing.TB, name string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, want %d", name, len(got), len(want))
	}
	for i := range got {
		g, w := got[i], want[i]
		if math.Float32bits(g) != math.Float32bits(w) && !(g != g && w != w) {
			t.Fatalf("%s: element %d is %v (%08x), want %v (%08x)", name, i, g, math.Float32bits(g), w, math.Float32bits(w))
		}
	}
}

var nan = float32(math.NaN())

// draws are distributions that a conformance test draws its inputs from.
func draws(r *rand.Rand) map[string]func() float32 {
	special := []float32{0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.Inf(-1)), nan,
		math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32, 1e-40, -3e-39, 1.1754944e-38, math.MaxFloat32, -math.MaxFloat32, 1, -1}
	return map[string]func() float32{
		"normal": func() float32 { return float32(r.NormFloat64()) },
		"special": func() float32 {
			if r.IntN(16) == 0 {
				return special[r.IntN(len(special))]
			}
			return float32(r.NormFloat64())
		},
		"subnormal": func() float32 {
			return float32(r.NormFloat64() * 3e-23) // products underflow
		},
	}
}

// closeTo fails the test when got differs from the float64 value want by more than tol.
func closeTo(t testing.TB, name string, i int, got float32, want, tol float64) {
	t.Helper()
	if d := math.Abs(float64(got) - want); !(d <= tol) {
		t.Fatalf("%s: element %d is %v, want %v: off by %v, more than %v", name, i, got, want, d, tol)
	}
}

const eps32 = 1.0 / (1 << 24)
