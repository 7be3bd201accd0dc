package simd

import "math"

// Hyperbolic functions and the inverse ones.

const (
	ln2 = math.Ln2
	// piHalf + piHalfLow = pi/2
	piHalf    = 0x1.921fb6p+0
	piHalfLow = math.Pi/2 - piHalf
	// From here on the square root of x*x+1 and of x*x-1 is x.
	arcBig = 1 << 13
)

// odd returns x + x*x*x*P(x*x), z being x*x.
func (c Class) odd(x, z float32, p []float32) float32 {
	return c.madd(float32(c.poly(z, p)*z), x, x)
}

// expHalf returns e**a / 2 for a >= 0; it overflows where the result does.
func (c Class) expHalf(a float32) float32 {
	_, n, r := c.expReduce(min32(a, 90))
	q := c.madd(c.poly(r, coefExp[:]), float32(r*r), r)
	h := n >> 1
	return float32(float32((q+1)*pow2(h)) * pow2(n-h-1))
}

// sinh returns (e**x - e**-x)/2.
func (c Class) sinh(x float32) float32 {
	a := abs32(x)
	e := c.expHalf(a)
	y := e - 0.25/e
	if a < 1 {
		y = c.odd(a, float32(a*a), coefSinh[:])
	}
	return copysign32(y, x)
}

// cosh returns (e**x + e**-x)/2.
func (c Class) cosh(x float32) float32 {
	e := c.expHalf(abs32(x))
	return e + 0.25/e
}

// asinParts returns y with asin(a) = y for 0 <= a < 1/2, and = pi/2 - 2*y above.
func (c Class) asinParts(a float32) float32 {
	z := float32(a * a)
	s := a
	if !(a < 0.5) {
		z = c.madd(a, -0.5, 0.5)
		s = sqrt32(z)
	}
	return c.odd(s, z, coefAsin[:])
}

// asin returns the arc sine.
func (c Class) asin(x float32) float32 {
	a := abs32(x)
	y := c.asinParts(a)
	if !(a < 0.5) {
		y = float32(piHalf-(y+y)) + piHalfLow
	}
	return copysign32(y, x)
}

// acos returns the arc cosine.
func (c Class) acos(x float32) float32 {
	a := abs32(x)
	y := c.asinParts(a)
	if a < 0.5 {
		return float32(piHalf-copysign32(y, x)) + piHalfLow
	}
	y += y
	if x < 0 {
		return float32(2*piHalf-y) + 2*piHalfLow
	}
	return y
}

// atan returns the arc tangent, by that of 1/x where |x| > 1.
func (c Class) atan(x float32) float32 {
	a := abs32(x)
	w := a
	if 1 < a {
		w = 1 / a
	}
	y := c.odd(w, float32(w*w), coefAtan[:])
	if 1 < a {
		y = float32(piHalf-y) + piHalfLow
	}
	return copysign32(y, x)
}

// logSum returns log(u + low) of a sum in two parts.
func (c Class) logSum(u, low float32) float32 { return c.log(u) + low/u }

// asinh returns log(x + sqrt(x*x + 1)), and the sign of x.
func (c Class) asinh(x float32) float32 {
	a := abs32(x)
	z := float32(a * a)
	r := sqrt32(z + 1)
	u := a + r
	y := c.arcLog(a, u, a-(u-r))
	if a < 1 {
		y = c.odd(a, z, coefAsinh[:])
	}
	return copysign32(y, x)
}

// arcLog returns log(u + low), or of large a, where u is not to be had, log(2*a).
func (c Class) arcLog(a, u, low float32) float32 {
	if arcBig < a {
		return c.log(a) + ln2
	}
	return c.logSum(u, low)
}

// acosh returns log1p(t + sqrt(t*t + 2*t)) with t = x-1.
func (c Class) acosh(x float32) float32 {
	if x < 1 {
		return nan32
	}
	t := x - 1
	w := t + sqrt32(float32(t*(t+2)))
	u := w + 1
	return c.arcLog(x, u, w-(u-1))
}

// atanh returns log1p(2*|x|/(1-|x|))/2, and the sign of x.
func (c Class) atanh(x float32) float32 {
	a := abs32(x)
	w := (a + a) / (1 - a)
	u := w + 1
	y := c.logSum(u, w-(u-1))
	if !(w < inf32) {
		y = w
	}
	return copysign32(float32(y*0.5), x)
}
