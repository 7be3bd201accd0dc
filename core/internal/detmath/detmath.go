// Package detmath has the few elementary functions that Weft's randomness and data generation
// need, with the same bits on every target.
//
// The standard library's versions use assembly on some architectures, and the Go compiler fuses
// x*y + z on arm64 and others, so their last bits differ between machines. Here every product
// that is added to something is rounded by an explicit conversion, which the language defines to
// prevent fusing, and only operations that IEEE 754 defines to the bit are used. Errors stay
// within a few units in the last place of float64, checked against package math by the tests.
package detmath

import "math"

const (
	halfPiHi = math.Pi / 2
	ln2      = math.Ln2
	sqrtHalf = 0.70710678118654752440
)

// SinCosTurns returns the sine and the cosine of 2*Pi*t, an angle given in turns. Arguments of
// any size reduce exactly. NaN and infinities give NaN.
func SinCosTurns(t float64) (sin, cos float64) {
	q := math.Floor(float64(t*4) + 0.5)
	r := float64(t*4) - q // in [-1/2, 1/2], exact
	x := r * halfPiHi
	z := float64(x * x)
	s := float64(x * sinPoly(z))
	c := cosPoly(z)
	switch int64(q-float64(4*math.Floor(q/4))) & 3 {
	case 0:
		return s, c
	case 1:
		return c, -s
	case 2:
		return -s, -c
	default:
		return -c, s
	}
}

// SinCos returns the sine and the cosine of an angle in radians. The reduction divides by 2*Pi, so
// the absolute error grows with |x|: it is meant for angles of a few turns.
func SinCos(x float64) (sin, cos float64) {
	return SinCosTurns(x / (2 * math.Pi))
}

// sinPoly is the Taylor series of sin(x)/x in z = x*x, for |x| <= Pi/4.
func sinPoly(z float64) float64 {
	p := float64(-1.0 / 121645100408832000 * z) // x^18/19!
	p = float64((p + 1.0/355687428096000) * z)
	p = float64((p - 1.0/1307674368000) * z)
	p = float64((p + 1.0/6227020800) * z)
	p = float64((p - 1.0/39916800) * z)
	p = float64((p + 1.0/362880) * z)
	p = float64((p - 1.0/5040) * z)
	p = float64((p + 1.0/120) * z)
	p = float64((p - 1.0/6) * z)
	return p + 1
}

// cosPoly is the Taylor series of cos(x) in z = x*x, for |x| <= Pi/4.
func cosPoly(z float64) float64 {
	p := float64(1.0 / 20922789888000 * z) // x^16/16!
	p = float64((p - 1.0/87178291200) * z)
	p = float64((p + 1.0/479001600) * z)
	p = float64((p - 1.0/3628800) * z)
	p = float64((p + 1.0/40320) * z)
	p = float64((p - 1.0/720) * z)
	p = float64((p + 1.0/24) * z)
	p = float64((p - 1.0/2) * z)
	return p + 1
}

// Log returns the natural logarithm of x. Log(0) is -Inf, Log(x < 0) and Log(NaN) are NaN,
// Log(+Inf) is +Inf.
func Log(x float64) float64 {
	switch {
	case x != x || x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	case x > math.MaxFloat64:
		return x
	}
	m, e := math.Frexp(x) // x = m * 2^e, m in [1/2, 1)
	if m < sqrtHalf {
		m *= 2
		e--
	}
	// log m = 2 atanh(s), s = (m-1)/(m+1), |s| <= 0.1716.
	s := (m - 1) / (m + 1)
	z := float64(s * s)
	p := float64(1.0 / 23 * z)
	p = float64((p + 1.0/21) * z)
	p = float64((p + 1.0/19) * z)
	p = float64((p + 1.0/17) * z)
	p = float64((p + 1.0/15) * z)
	p = float64((p + 1.0/13) * z)
	p = float64((p + 1.0/11) * z)
	p = float64((p + 1.0/9) * z)
	p = float64((p + 1.0/7) * z)
	p = float64((p + 1.0/5) * z)
	p = float64((p + 1.0/3) * z)
	l := float64(2*s) + float64(float64(2*s)*p)
	return float64(float64(e)*ln2) + l
}

// Exp returns e to the power x. It overflows to +Inf and underflows to 0 (results below the
// normal range are flushed to 0).
func Exp(x float64) float64 {
	switch {
	case x != x:
		return x
	case x > 709.78:
		return math.Inf(1)
	case x < -708:
		return 0
	}
	k := math.Floor(float64(x/ln2) + 0.5)
	// ln 2 in two parts, the first with 20 trailing zero bits, so that k*hi is exact.
	const hi, lo = 0x1.62e42feep-1, 0x1.a39ef35793c76p-33
	r := (x - float64(k*hi)) - float64(k*lo)
	p := float64(r / 6227020800) // 13!
	p = float64((p + 1.0/479001600) * r)
	p = float64((p + 1.0/39916800) * r)
	p = float64((p + 1.0/3628800) * r)
	p = float64((p + 1.0/362880) * r)
	p = float64((p + 1.0/40320) * r)
	p = float64((p + 1.0/5040) * r)
	p = float64((p + 1.0/720) * r)
	p = float64((p + 1.0/120) * r)
	p = float64((p + 1.0/24) * r)
	p = float64((p + 1.0/6) * r)
	p = float64((p + 1.0/2) * r)
	p = float64((p + 1) * r)
	p++
	return p * math.Float64frombits(uint64(int64(k)+1022)<<52) * 2
}
