// Command coef finds the polynomial coefficients of simd/vecmath_coef.go and prints that file:
//
//	go run ./coef >../vecmath_coef.go
//
// Each fit is a weighted minimax polynomial found by Lawson's iteration (C. L. Lawson, 1961):
// least squares in the Chebyshev basis on Chebyshev points, re-weighted by the error until it
// is level. Coefficients are rounded to float32 one at a time, from the lowest degree up, and the rest is
// fitted again each time, so that rounding costs almost nothing.
package main

import (
	"fmt"
	"go/format"
	"math"
	"os"
	"strings"
)

// A fit asks for P of the given number of coefficients with P(t(x)) close to f(x) for x in [lo, hi],
// the error being weighted by w.
type fit struct {
	name, doc string
	lo, hi    float64
	n         int
	t, f, w   func(x float64) float64
}

const points = 1200

// solve returns the minimax coefficients (of powers of t) of n terms after fixed ones.
func solve(q fit, fixed []float64) (coef []float64, worst float64) {
	k := len(fixed)
	n := q.n - k
	ts, fs, ws := make([]float64, points), make([]float64, points), make([]float64, points)
	for i := range ts {
		x := (q.lo+q.hi)/2 + (q.hi-q.lo)/2*math.Cos(math.Pi*(float64(i)+.5)/points)
		t := q.t(x)
		r := q.f(x)
		for j := range fixed {
			r -= fixed[j] * math.Pow(t, float64(j))
		}
		ts[i], fs[i], ws[i] = t, r, q.w(x)
	}
	scale := 0.0
	for _, t := range ts {
		scale = math.Max(scale, math.Abs(t))
	}
	lawson := make([]float64, points)
	for i := range lawson {
		lawson[i] = 1
	}
	best := math.Inf(1)
	for range 300 {
		// Householder QR of the weighted system in scaled powers of t.
		a := make([][]float64, points)
		for i := range a {
			a[i] = make([]float64, n+1)
			s := ws[i] * math.Sqrt(lawson[i])
			u := math.Pow(ts[i]/scale, float64(k))
			for j := range n {
				a[i][j] = s * u
				u *= ts[i] / scale
			}
			a[i][n] = s * fs[i]
		}
		c := leastSquares(a, n)
		sum, max := 0.0, 0.0
		errs := make([]float64, points)
		for i := range ts {
			u, p := math.Pow(ts[i]/scale, float64(k)), 0.0
			for j := range n {
				p += c[j] * u
				u *= ts[i] / scale
			}
			errs[i] = math.Abs(p-fs[i]) * ws[i]
			max = math.Max(max, errs[i])
		}
		if max < best {
			best = max
			coef = append([]float64(nil), c...)
			for j := range coef {
				coef[j] /= math.Pow(scale, float64(j+k))
			}
		}
		if max == 0 {
			break
		}
		for i := range lawson {
			lawson[i] *= errs[i]/max + 1e-9
			sum += lawson[i]
		}
		for i := range lawson {
			lawson[i] *= points / sum
		}
	}
	return coef, best
}

// leastSquares minimises |A c - b|, A the first n columns of a and b the last, by Householder reflections.
func leastSquares(a [][]float64, n int) []float64 {
	m := len(a)
	for j := range n {
		norm := 0.0
		for i := j; i < m; i++ {
			norm += a[i][j] * a[i][j]
		}
		norm = math.Copysign(math.Sqrt(norm), a[j][j])
		v := make([]float64, m)
		for i := j; i < m; i++ {
			v[i] = a[i][j]
		}
		v[j] += norm
		vv := 0.0
		for i := j; i < m; i++ {
			vv += v[i] * v[i]
		}
		for c := j; c <= n; c++ {
			s := 0.0
			for i := j; i < m; i++ {
				s += v[i] * a[i][c]
			}
			s *= 2 / vv
			for i := j; i < m; i++ {
				a[i][c] -= s * v[i]
			}
		}
	}
	c := make([]float64, n)
	for j := n - 1; j >= 0; j-- {
		s := a[j][n]
		for i := j + 1; i < n; i++ {
			s -= a[j][i] * c[i]
		}
		c[j] = s / a[j][j]
	}
	return c
}

func id(x float64) float64     { return x }
func square(x float64) float64 { return x * x }
func one(float64) float64      { return 1 }

// series evaluates sum of term(k) for k = 0.. until it is negligible.
func series(term func(k int) float64) float64 {
	s := 0.0
	for k := range 80 {
		s += term(k)
	}
	return s
}

var fits = []fit{
	{"coefExp", "exp(r) = 1 + r + r*r*P(r), |r| <= ln(2)/2", -0.3470, 0.3470, 5, id,
		func(r float64) float64 {
			return series(func(k int) float64 { return math.Pow(r, float64(k)) / math.Gamma(float64(k)+3) })
		},
		func(r float64) float64 { return r * r / math.Exp(r) }},
	{"coefLog", "log(1+f) = f - f*f/2 + f*f*f*P(f), sqrt(1/2) <= 1+f < sqrt(2)", math.Sqrt2/2 - 1, math.Sqrt2 - 1, 9, id,
		func(f float64) float64 {
			return series(func(k int) float64 {
				return math.Pow(-f, float64(k)) / (float64(k) + 3)
			})
		},
		func(f float64) float64 { return f * f }},
	{"coefErf", "erf(x) = x + x*P(x*x), |x| <= 1", 1e-4, 1.0, 7, square,
		func(x float64) float64 { return math.Erf(x)/x - 1 },
		func(x float64) float64 { return x / math.Erf(x) }},
	{"coefErfTail", "erf(x) = 1 - exp(-P(x)), 1 <= x <= 4", 1, 4.05, 8, id,
		func(x float64) float64 { return -math.Log(math.Erfc(x)) },
		func(x float64) float64 { return math.Erfc(x) + 1e-5 }},
	{"coefGelu", "a*Phi(-a) = exp(-a*a/2)*P(t), t = 1/(1+a*0.5), 1 <= a <= 14.5", 0.99, 14.6, 10,
		func(a float64) float64 { return 1 / (1 + a*0.5) },
		func(a float64) float64 { return a * math.Erfc(a/math.Sqrt2) / 2 * math.Exp(a*a/2) },
		func(a float64) float64 { return 1 / (a * math.Erfc(a/math.Sqrt2) / 2 * math.Exp(a*a/2)) }},
	{"coefPhiSmall", "Phi(x) = 1/2 + x*P(x*x), |x| <= 1", 1e-4, 1.01, 6, square,
		func(x float64) float64 { return math.Erf(x/math.Sqrt2) / 2 / x },
		id},
	{"coefSin", "sin(r) = r + r*r*r*P(r*r), |r| <= pi/4", 0, math.Pi/4 + .002, 3, square,
		func(r float64) float64 {
			return series(func(k int) float64 {
				return -math.Pow(-1, float64(k)) * math.Pow(r, float64(2*k)) / math.Gamma(float64(2*k)+4)
			})
		},
		square},
	{"coefCos", "cos(r) = 1 - r*r/2 + r*r*r*r*P(r*r), |r| <= pi/4", 0, math.Pi/4 + .002, 3, square,
		func(r float64) float64 {
			return series(func(k int) float64 {
				return math.Pow(-1, float64(k)) * math.Pow(r, float64(2*k)) / math.Gamma(float64(2*k)+5)
			})
		},
		func(r float64) float64 { return r * r * r * r }},
	odd("coefSinh", "sinh", 1, 4, math.Sinh),
	odd("coefAsin", "asin", 0.5, 5, math.Asin),
	odd("coefAtan", "atan", 1, 9, math.Atan),
	odd("coefAsinh", "asinh", 1, 8, math.Asinh),
	{"coefPow", "3*atanh(s)/s = 3 + z + z*z*P(z), z = s*s, |s| <= (sqrt(2)-1)/(sqrt(2)+1)", 0, 0.17158, 3, square,
		func(s float64) float64 {
			return series(func(k int) float64 { return 3 * math.Pow(s, float64(2*k)) / (2*float64(k) + 5) })
		},
		func(s float64) float64 { return s * s * s * s }},
}

// odd asks for an odd function f, f(x) = x + x*x*x*P(x*x), on [0, hi].
func odd(name, doc string, hi float64, n int, f func(float64) float64) fit {
	return fit{name, fmt.Sprintf("%s(x) = x + x*x*x*P(x*x), |x| <= %v", doc, hi), 1e-3, hi, n, square,
		func(x float64) float64 { return (f(x)/x - 1) / (x * x) },
		func(x float64) float64 { return x * x * x / f(x) }}
}

func main() {
	var b strings.Builder
	b.WriteString("// Code generated by simd/_asm/coef. DO NOT EDIT.\n\npackage simd\n\n// Coefficients of the polynomials in vecmath*.go, lowest degree first.\n")
	for _, q := range fits {
		var fixed []float64
		_, ideal := solve(q, nil)
		worst := ideal
		for len(fixed) < q.n {
			c, _ := solve(q, fixed)
			fixed = append(fixed, float64(float32(c[0])))
		}
		worst = 0
		for i := range 20001 {
			x := q.lo + (q.hi-q.lo)*float64(i)/20000
			p, t := 0.0, q.t(x)
			for j := q.n - 1; j >= 0; j-- {
				p = p*t + fixed[j]
			}
			worst = math.Max(worst, math.Abs(p-q.f(x))*q.w(x))
		}
		fmt.Fprintf(os.Stderr, "%-12s ideal 2^%.1f  rounded 2^%.1f\n", q.name, math.Log2(ideal), math.Log2(worst))
		fmt.Fprintf(&b, "\n// %s: %s; weighted error 2^%.1f.\nvar %s = [%d]float32{\n", q.name, q.doc, math.Log2(worst), q.name, q.n)
		for _, c := range fixed {
			fmt.Fprintf(&b, "\t%v,\n", float32(c))
		}
		b.WriteString("}\n")
	}
	out, err := format.Source([]byte(b.String()))
	if err != nil {
		fmt.Fprintln(os.Stderr, "coef:", err)
		os.Exit(1)
	}
	os.Stdout.Write(out)
}
