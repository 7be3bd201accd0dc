package detmath_test

import (
	"math"
	"testing"

	"github.com/weft-ml/weft/core/internal/detmath"
)

// ulps returns how far got is from want in units of want's last place, with an absolute floor
// for results near zero.
func ulps(got, want, floor float64) float64 {
	u := math.Nextafter(math.Abs(want), math.Inf(1)) - math.Abs(want)
	return math.Abs(got-want) / math.Max(u, floor)
}

func TestAccuracy(t *testing.T) {
	for i := -40000; i <= 40000; i++ {
		x := float64(i) / 8192
		s, c := detmath.SinCosTurns(x)
		_, fr := math.Modf(x)
		ws, wc := math.Sincos(2 * math.Pi * fr)
		if ulps(s, ws, 2e-16) > 4 || ulps(c, wc, 2e-16) > 4 {
			t.Fatalf("SinCosTurns(%v) = %v, %v, want %v, %v", x, s, c, ws, wc)
		}
		if e := detmath.Exp(x * 100); ulps(e, math.Exp(x*100), 0) > 4 {
			t.Fatalf("Exp(%v) = %v, want %v", x*100, e, math.Exp(x*100))
		}
		if i > 0 {
			for _, y := range []float64{x, x * 1e200, x * 1e-200, 1 + x*1e-5} {
				if l := detmath.Log(y); ulps(l, math.Log(y), 1e-17) > 4 {
					t.Fatalf("Log(%v) = %v, want %v", y, l, math.Log(y))
				}
			}
		}
	}
	if s, c := detmath.SinCos(math.Pi / 6); math.Abs(s-0.5) > 1e-15 || math.Abs(c-math.Sqrt(3)/2) > 1e-15 {
		t.Errorf("SinCos(Pi/6) = %v, %v", s, c)
	}
}

func TestSpecialValues(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"Log(0)", detmath.Log(0), -inf},
		{"Log(-1)", detmath.Log(-1), nan},
		{"Log(NaN)", detmath.Log(nan), nan},
		{"Log(Inf)", detmath.Log(inf), inf},
		{"Log(1)", detmath.Log(1), 0},
		{"Exp(0)", detmath.Exp(0), 1},
		{"Exp(NaN)", detmath.Exp(nan), nan},
		{"Exp(Inf)", detmath.Exp(inf), inf},
		{"Exp(-Inf)", detmath.Exp(-inf), 0},
	} {
		if c.got != c.want && !(c.got != c.got && c.want != c.want) {
			t.Errorf("%s = %v, want %v", c.name, c.got, c.want)
		}
	}
	for q, want := range [][2]float64{{0, 1}, {1, 0}, {0, -1}, {-1, 0}, {0, 1}} {
		s, c := detmath.SinCosTurns(float64(q) / 4)
		if s != want[0] || c != want[1] {
			t.Errorf("SinCosTurns(%d/4) = %v, %v, want %v", q, s, c, want)
		}
	}
}

// TestBits pins the exact results; the same values must come out on every architecture.
func TestBits(t *testing.T) {
	h := uint64(14695981039346656037)
	add := func(f float64) {
		h = (h ^ math.Float64bits(f)) * 1099511628211
	}
	for i := 1; i < 5000; i++ {
		x := float64(i) * 0.0137
		s, c := detmath.SinCos(x)
		add(s)
		add(c)
		add(detmath.Log(x))
		add(detmath.Exp(-x))
	}
	if want := uint64(0xb93950936eb799f7); h != want {
		t.Errorf("results hash to %#x, want %#x: the bits differ on this target", h, want)
	}
}
