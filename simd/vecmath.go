package simd

import "math"

// The scalar functions below are the definition of every vector function: the assembly and wasm
// versions perform the same operations in the same order. They are written with the few operations that all
// targets have (add, sub, mul, madd, div, sqrt, compare-and-select, round, integer shifts), so that a class gives the same
// bits everywhere. Products that must round by themselves are written float32(x*y), since Go may otherwise fuse them.

// madd returns x*y + z: rounded once in class FMA, twice in class MulAdd.
func (c Class) madd(x, y, z float32) float32 {
	if c == FMA {
		return fma32(x, y, z)
	}
	return float32(x*y) + z
}

// max32 and min32 are the package's maximum and minimum: the first argument wins ties and NaNs.
func max32(a, b float32) float32 {
	if a < b {
		return b
	}
	return a
}

func min32(a, b float32) float32 {
	if b < a {
		return b
	}
	return a
}

func abs32(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ signBit) }

func copysign32(x, sign float32) float32 {
	return math.Float32frombits(math.Float32bits(x)&^signBit | math.Float32bits(sign)&signBit)
}

const (
	signBit = 1 << 31

	// roundMagic added to a small float leaves its nearest integer (ties to even) in the low bits of the sum.
	roundMagic = 1.5 * (1 << 23)

	log2e = 1.44269504088896340736
	// ln2Hi + ln2Lo = log 2; ln2Hi has 9 bits, so that its product with an exponent is exact in both classes.
	ln2Hi = 0.693359375
	ln2Lo = -2.12194440054690583e-4

	// Beyond these arguments exp is 0 or +Inf; the lower one is so far out that x*exp(x) is 0 too.
	expLo = -120
	expHi = 89
)

// poly returns p[0] + x*(p[1] + x*(...)), by Horner's rule.
func (c Class) poly(x float32, p []float32) float32 {
	y := p[len(p)-1]
	for i := len(p) - 2; i >= 0; i-- {
		y = c.madd(y, x, p[i])
	}
	return y
}

// expReduce returns n (as a float and as an integer) and r with x = n*log(2) + r, |r| <= log(2)/2.
func (c Class) expReduce(x float32) (fn float32, n int32, r float32) {
	t := c.madd(x, log2e, roundMagic)
	fn = t - roundMagic
	n = int32(math.Float32bits(t)) - int32(math.Float32bits(roundMagic))
	r = c.madd(fn, -ln2Hi, x)
	r = c.madd(fn, -ln2Lo, r)
	return fn, n, r
}

// pow2 returns 2**n for -126 <= n <= 127.
func pow2(n int32) float32 { return math.Float32frombits(uint32(n+127) << 23) }

// expParts returns y, s, t with exp(x) = y*s*t, y in about [0.7, 1.42] and s, t powers of two; the two factors keep results that are
// subnormal or next to overflow correctly scaled.
func (c Class) expParts(x float32) (y, s, t float32) {
	q, s, t := c.expm1Parts(x, 0)
	return q + 1, s, t
}

// expm1Parts returns q, s, t with exp(x + low) = (1+q)*s*t; low is a small correction.
func (c Class) expm1Parts(x, low float32) (q, s, t float32) {
	x = min32(max32(x, expLo), expHi)
	_, n, r := c.expReduce(x)
	r += low
	p := c.poly(r, coefExp[:])
	h := n >> 1
	return c.madd(p, float32(r*r), r), pow2(h), pow2(n - h)
}

// exp returns e**x within 1 ulp.
func (c Class) exp(x float32) float32 {
	y, s, t := c.expParts(x)
	return float32(float32(y*s) * t)
}

// expm1 returns e**x - 1.
func (c Class) expm1(x float32) float32 {
	v := min32(max32(x, -20), expHi)
	_, n, r := c.expReduce(v)
	p := c.poly(r, coefExp[:])
	q := c.madd(p, float32(r*r), r)
	// Half of the result, since 2**n itself may overflow.
	h := pow2(n - 1)
	y := c.madd(h, q, h-0.5)
	y += y
	if abs32(x) < 1e-8 {
		return x // keeps the sign of zero
	}
	return y
}

// log returns the natural logarithm within 1 ulp.
func (c Class) log(x float32) float32 {
	v := x
	var e int32
	if x < 0x1p-126 { // subnormal (or not positive, mended below)
		v = float32(x * (1 << 23))
		e = -23
	}
	// v = m * 2**e with sqrt(1/2) <= m < sqrt(2)
	const rootHalf = 0x3f3504f3
	b := math.Float32bits(v) - rootHalf
	e += int32(b) >> 23
	f := math.Float32frombits(b&0x007fffff+rootHalf) - 1
	z := float32(f * f)
	p := float32(float32(f*z) * c.poly(f, coefLog[:]))
	fe := float32(e)
	p = c.madd(fe, ln2Lo, p)
	p = c.madd(z, -0.5, p)
	y := c.madd(fe, ln2Hi, f+p)
	if !(x < inf32) { // +Inf and NaN
		y = x
	}
	if x <= 0 {
		if x == 0 {
			return -inf32
		}
		return nan32
	}
	return y
}

// log1p returns log(1 + x): the rounding of 1+x is mended by the factor x/((1+x)-1) (W. Kahan).
func (c Class) log1p(x float32) float32 {
	u := 1 + x
	d := u - 1
	y := float32(c.log(u) * float32(x/d))
	if d == 0 || x == inf32 {
		return x
	}
	return y
}

// sigmoid returns 1/(1+e**-x).
func (c Class) sigmoid(x float32) float32 {
	y, s, t := c.expParts(-abs32(x))
	e := float32(float32(y*s) * t)
	num := float32(1)
	if x < 0 {
		num = e
	}
	return num / (1 + e)
}

// silu returns x/(1+e**-x).
func (c Class) silu(x float32) float32 {
	y, s, t := c.expParts(-abs32(x))
	ys := float32(y * s)
	e := float32(ys * t)
	if x < 0 {
		// The last factor comes after the division: otherwise a subnormal e would be multiplied up.
		return float32(float32(float32(max32(x, -200)*ys)/(1+e)) * t)
	}
	return x / (1 + e)
}

// tanh returns -t/(2+t) with t = expm1(-2|x|), and the sign of x.
func (c Class) tanh(x float32) float32 {
	a := abs32(x)
	t := c.expm1(float32(-2 * a))
	return copysign32(t/(2+t), x)
}

// softplus returns log(1 + e**x) = max(x, 0) + log1p(e**-|x|).
func (c Class) softplus(x float32) float32 {
	return max32(x, 0) + c.log1p(c.exp(-abs32(x)))
}

// erf returns the error function.
func (c Class) erf(x float32) float32 {
	a := abs32(x)
	z := float32(a * a)
	small := c.madd(c.poly(z, coefErf[:]), a, a)
	b := min32(a, 4)
	big := 1 - c.exp(-c.poly(b, coefErfTail[:]))
	y := big
	if a < 1 {
		y = small
	}
	return copysign32(y, x)
}

// geluTail returns p, s, t with p*s*t = a*Phi(-a) for a >= 1, Phi being the normal distribution function, with a small relative
// error far out too. a*a is split into an exact high part and a small low one.
func (c Class) geluTail(a float32) (p, s, t float32) {
	a = min32(a, 14.5)
	h := math.Float32frombits(math.Float32bits(a) & 0xfffff000)
	low := float32(float32(a-h) * (a + h))
	q, s, t := c.expm1Parts(float32(float32(h*h)*-0.5), float32(low*-0.5))
	u := 1 / c.madd(a, 0.5, 1)
	r := c.poly(u, coefGelu[:])
	return c.madd(q, r, r), s, t
}

// phiSmall returns Phi(x) for |x| < 1.
func (c Class) phiSmall(x float32) float32 {
	return c.madd(c.poly(float32(x*x), coefPhiSmall[:]), x, 0.5)
}

// gelu returns x*Phi(x).
func (c Class) gelu(x float32) float32 {
	if abs32(x) < 1 {
		return float32(x * c.phiSmall(x))
	}
	p, s, t := c.geluTail(abs32(x))
	g := float32(float32(p*s) * t)
	if x < 0 {
		return -g
	}
	return x - g
}

// geluTanh returns x*sigmoid(u), u = 2*sqrt(2/pi)*(x + 0.044715*x*x*x), the "tanh" form of gelu.
func (c Class) geluTanh(x float32) float32 {
	hi, low := c.geluTanhArg(abs32(x))
	q, s, t := c.expm1Parts(-hi, -low)
	ys := float32((q + 1) * s)
	e := float32(ys * t)
	if x < 0 {
		return float32(float32(float32(max32(x, -200)*ys)/(1+e)) * t)
	}
	return x / (1 + e)
}

// Constants of geluTanhArg: 2*sqrt(2/pi) and 0.044715, each as a number of 8 bits and the rest.
const (
	geluK    = 2 * 0.79788456080286535588
	geluKHi  = 0x1.98p+0
	geluKLow = geluK - geluKHi
	geluC    = 0.044715
	geluCHi  = 0x1.6ep-5
	geluCLow = geluC - geluCHi
	geluMax  = 11.5 // e**-u is 0 from here on, even times x
)

// geluTanhArg returns u of geluTanh for a >= 0 as a number and a small correction: an error in u is an error of the result as many times as
// large as u. Products of leading parts of 8 bits are exact.
func (c Class) geluTanhArg(a float32) (hi, low float32) {
	a = min32(a, geluMax)
	h := lead8(a)
	l := a - h
	square := float32(a * a)
	// w = 1 + C*a*a
	exact := float32(float32(h*h) * geluCHi)
	w := 1 + exact
	v := w - 1
	rest := float32(1-(w-v)) + (exact - v)
	rest = c.madd(float32(l*(a+h)), geluCHi, rest)
	rest = c.madd(square, geluCLow, rest)
	top := lead8(w)
	rest += w - top
	// u = K*a*w
	p := float32(h * geluKHi)
	u := float32(p * top)
	low = c.madd(p, rest, float32(c.madd(l, geluKHi, float32(a*geluKLow))*(top+rest)))
	hi = u + low
	return hi, low - (hi - u)
}

// lead8 returns the number of 8 bits that is nearest to a positive one.
func lead8(x float32) float32 {
	return math.Float32frombits((math.Float32bits(x) + 0x8000) & 0xffff0000)
}

// mish returns x*tanh(softplus(x)) = x*n/(n+2) with n = e**x * (e**x + 2).
func (c Class) mish(x float32) float32 {
	v := max32(x, -200)
	y, s, t := c.expParts(min32(x, 20))
	ys := float32(y * s)
	e := float32(ys * t)
	g := e + 2
	n := float32(e * g)
	if x < 0 {
		return float32(float32(float32(float32(v*ys)*g)/(n+2)) * t)
	}
	return float32(x * (n / (n + 2)))
}

const inf32bits, nan32bits = 0x7f800000, 0x7fc00000

var (
	inf32 = math.Float32frombits(inf32bits)
	nan32 = math.Float32frombits(nan32bits)
)
