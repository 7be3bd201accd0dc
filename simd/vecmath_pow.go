package simd

import "math"

// Products of numbers of 12 bits are exact, so pow carries logarithms as a leading part of 12 bits and a rest, as powf of FreeBSD's msun
// does. powMaxExponent is so large that every power of a number other than 1 with it, or beyond it, is 0 or +Inf; it is even.
const (
	pow23Log2e     = 0.96179669392597560491 // 2/(3 log 2)
	pow23Log2eHi   = 0x1.ec6p-1             // its first 12 bits
	pow23Log2eLo   = pow23Log2e - pow23Log2eHi
	powMaxExponent = 1 << 31
	powMax         = 200 // 2**200 is +Inf, 2**-200 is 0
)

// lead12 returns the first 12 bits of x.
func lead12(x float32) float32 { return math.Float32frombits(math.Float32bits(x) & 0xfffff000) }

// log2Parts returns hi of 12 bits and low with hi + low = log2(a), to a relative error of about 2**-32, for positive finite a. Of other values of a
// the result means nothing.
func (c Class) log2Parts(a float32) (hi, low float32) {
	v := a
	var e int32
	if a < 0x1p-126 {
		v = float32(a * (1 << 23))
		e = -23
	}
	// v = m * 2**e with sqrt(1/2) <= m < sqrt(2)
	const rootHalf = 0x3f3504f3
	b := math.Float32bits(v) - rootHalf
	e += int32(b) >> 23
	m := math.Float32frombits(b&0x007fffff + rootHalf)
	// log2(m) = 2/(3 log 2) * s*(3 + s*s + r), s = (m-1)/(m+1), the first two factors each as 12 bits and a rest
	f := m - 1
	d := m + 1
	q := 1 / d
	s := float32(f * q)
	sHi := lead12(s)
	dHi := lead12(d)
	sLow := float32(q * (float32(f-float32(sHi*dHi)) - float32(sHi*(m-(dHi-1)))))
	z := float32(s * s)
	r := float32(float32(z*z) * c.poly(z, coefPow[:]))
	r = c.madd(sLow, sHi+s, r)
	square := float32(sHi * sHi)
	tHi := lead12(float32(square+3) + r)
	tLow := r - ((tHi - 3) - square)
	// their product
	u := float32(sHi * tHi)
	w := c.madd(sLow, tHi, float32(tLow*s))
	pHi := lead12(u + w)
	pLow := w - (pHi - u)
	// times the constant, plus e
	l := float32(pHi * pow23Log2eHi)
	low = c.madd(pHi, pow23Log2eLo, float32(pLow*pow23Log2e))
	fe := float32(e)
	hi = lead12(float32(l+low) + fe)
	return hi, low - ((hi - fe) - l)
}

// pow returns x**y, within 1 ulp or so, and in the special cases what C's powf returns.
func (c Class) pow(x, y float32) float32 {
	a := abs32(x)
	hi, low := c.log2Parts(a)
	// p + rest = y*log2(a)
	v := min32(max32(y, -powMaxExponent), powMaxExponent)
	vHi := lead12(v)
	p := float32(vHi * hi)
	rest := c.madd(v-vHi, hi, float32(v*low))
	t := min32(max32(p+rest, -powMax), powMax) + roundMagic
	n := int32(math.Float32bits(t)) - int32(math.Float32bits(roundMagic))
	// e**(r*log(2)) * 2**n
	r := min32(max32((p-(t-roundMagic))+rest, -1), 1)
	r = float32(r * math.Ln2)
	q := c.madd(c.poly(r, coefExp[:]), float32(r*r), r)
	h := n >> 1
	z := float32(float32((q+1)*pow2(h)) * pow2(n-h))

	floor := func(x float32) float32 { return float32(math.Floor(float64(x))) }
	whole := floor(y) == y
	half := float32(y * 0.5)
	even := floor(half) == half
	if !whole && x < 0 {
		z = nan32
	}
	if !(math.Float32frombits(math.Float32bits(a)-1) < math.MaxFloat32) { // 0, +Inf, NaN
		switch {
		case y < 0:
			z = math.Float32frombits(inf32bits - math.Float32bits(a))
		case y > 0:
			z = a
		default:
			z = y
		}
	}
	if whole && !even && math.Float32bits(x)&signBit != 0 {
		z = -z
	}
	if y == 0 || x == 1 {
		return 1
	}
	return z
}

// root returns x**0.5 as pow has it: the square root but at -0 and -Inf.
func (c Class) root(x float32) float32 {
	if x == -inf32 {
		return inf32
	}
	return sqrt32(x + 0)
}
