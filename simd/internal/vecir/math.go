package vecir

import "math"

// The functions below repeat the operations of simd/vecmath.go one for one; the conformance tests compare the bits.

const (
	ln2Hi      = 0.693359375
	ln2Lo      = -2.12194440054690583e-4
	roundMagic = 1.5 * (1 << 23)
	expLo      = -120
	expHi      = 89
	piHalf1    = 0x1.92p+0
	piHalf2    = 0x1.fb4p-12
	piHalf3    = 0x1.444p-24
	piHalf4    = 0x1.68c234c4c6629p-39
)

func (b *Body) poly(x *Node, name string) *Node {
	p := coefficients[name]
	y := b.c(p[len(p)-1])
	for i := len(p) - 2; i >= 0; i-- {
		y = b.madd(y, x, b.c(p[i]))
	}
	return y
}

// nearest returns the float and the integer nearest to x*k.
func (b *Body) nearest(x *Node, k float64) (f, i *Node) {
	t := b.madd(x, b.c(k), b.c(roundMagic))
	return b.sub(t, b.c(roundMagic)), b.isub(t, b.c(roundMagic))
}

func (b *Body) expReduce(x *Node) (n, r *Node) {
	f, n := b.nearest(x, math.Log2E)
	r = b.madd(f, b.c(-ln2Hi), x)
	return n, b.madd(f, b.c(-ln2Lo), r)
}

func (b *Body) pow2(n *Node) *Node { return b.shl(b.iadd(n, b.bits(127)), 23) }

func (b *Body) expParts(x *Node) (y, s, t *Node) {
	q, s, t := b.expm1Parts(x, nil)
	return b.add(q, b.c(1)), s, t
}

func (b *Body) expm1Parts(x, low *Node) (q, s, t *Node) {
	x = b.min(b.max(x, b.c(expLo)), b.c(expHi))
	n, r := b.expReduce(x)
	if low != nil {
		r = b.add(r, low)
	}
	p := b.poly(r, "coefExp")
	h := b.shr(n, 1)
	return b.madd(p, b.mul(r, r), r), b.pow2(h), b.pow2(b.isub(n, h))
}

func (b *Body) exp(x *Node) *Node {
	y, s, t := b.expParts(x)
	return b.mul(b.mul(y, s), t)
}

func (b *Body) expm1(x *Node) *Node {
	v := b.min(b.max(x, b.c(-20)), b.c(expHi))
	n, r := b.expReduce(v)
	p := b.poly(r, "coefExp")
	q := b.madd(p, b.mul(r, r), r)
	h := b.pow2(b.isub(n, b.bits(1)))
	y := b.madd(h, q, b.sub(h, b.c(0.5)))
	y = b.add(y, y)
	return b.sel(b.lt(b.abs(x), b.c(1e-8)), x, y)
}

func (b *Body) log(x *Node) *Node {
	tiny := b.lt(x, b.c(0x1p-126))
	v := b.sel(tiny, b.mul(x, b.c(1<<23)), x)
	e := b.sel(tiny, b.bits(0xffffffe9), b.bits(0)) // -23
	i := b.isub(v, b.bits(0x3f3504f3))
	e = b.iadd(e, b.shr(i, 23))
	f := b.sub(b.iadd(b.and(i, b.bits(0x007fffff)), b.bits(0x3f3504f3)), b.c(1))
	z := b.mul(f, f)
	p := b.mul(b.mul(f, z), b.poly(f, "coefLog"))
	fe := b.itof(e)
	p = b.madd(fe, b.c(ln2Lo), p)
	p = b.madd(z, b.c(-0.5), p)
	y := b.madd(fe, b.c(ln2Hi), b.add(f, p))
	y = b.sel(b.lt(x, b.bits(0x7f800000)), y, x)
	y = b.sel(b.lt(x, b.c(0)), b.bits(0x7fc00000), y)
	return b.sel(b.eq(x, b.c(0)), b.bits(0xff800000), y)
}

func (b *Body) log1p(x *Node) *Node {
	u := b.add(x, b.c(1))
	d := b.sub(u, b.c(1))
	y := b.mul(b.log(u), b.div(x, d))
	y = b.sel(b.eq(d, b.c(0)), x, y)
	return b.sel(b.eq(x, b.bits(0x7f800000)), x, y)
}

func (b *Body) sigmoid(x *Node) *Node {
	e := b.exp(b.or(x, b.bits(1<<31)))
	num := b.sel(b.lt(x, b.c(0)), e, b.c(1))
	return b.div(num, b.add(e, b.c(1)))
}

// gated returns x/(1+e**-u), where e**-|u| is y*s*t, for u of the sign of x.
func (b *Body) gated(x, y, s, t *Node) *Node {
	ys := b.mul(y, s)
	neg := b.lt(x, b.c(0))
	d := b.add(b.mul(ys, t), b.c(1))
	num := b.sel(neg, b.mul(b.max(x, b.c(-200)), ys), x)
	q := b.div(num, d)
	return b.sel(neg, b.mul(q, t), q)
}

func (b *Body) silu(x *Node) *Node {
	y, s, t := b.expParts(b.or(x, b.bits(1<<31)))
	return b.gated(x, y, s, t)
}

const (
	geluK   = 2 * 0.79788456080286535588
	geluKHi = 0x1.98p+0
	geluC   = 0.044715
	geluCHi = 0x1.6ep-5
)

func (b *Body) geluTanh(x *Node) *Node {
	lead8 := func(v *Node) *Node { return b.and(b.iadd(v, b.bits(0x8000)), b.bits(0xffff0000)) }
	a := b.min(b.abs(x), b.c(11.5))
	h := lead8(a)
	l := b.sub(a, h)
	exact := b.mul(b.mul(h, h), b.c(geluCHi))
	w := b.add(exact, b.c(1))
	v := b.sub(w, b.c(1))
	rest := b.add(b.sub(b.c(1), b.sub(w, v)), b.sub(exact, v))
	rest = b.madd(b.mul(l, b.add(a, h)), b.c(geluCHi), rest)
	rest = b.madd(b.mul(a, a), b.c(geluC-geluCHi), rest)
	top := lead8(w)
	rest = b.add(rest, b.sub(w, top))
	p := b.mul(h, b.c(geluKHi))
	u := b.mul(p, top)
	low := b.madd(p, rest, b.mul(b.madd(l, b.c(geluKHi), b.mul(a, b.c(geluK-geluKHi))), b.add(top, rest)))
	hi := b.add(u, low)
	q, s, t := b.expm1Parts(b.neg(hi), b.neg(b.sub(low, b.sub(hi, u))))
	return b.gated(x, b.add(q, b.c(1)), s, t)
}

func (b *Body) mish(x *Node) *Node {
	v := b.max(x, b.c(-200))
	y, s, t := b.expParts(b.min(x, b.c(20)))
	ys := b.mul(y, s)
	e := b.mul(ys, t)
	g := b.add(e, b.c(2))
	n := b.mul(e, g)
	d := b.add(n, b.c(2))
	low := b.mul(b.div(b.mul(b.mul(v, ys), g), d), t)
	high := b.mul(x, b.div(n, d))
	return b.sel(b.lt(x, b.c(0)), low, high)
}

func (b *Body) tanh(x *Node) *Node {
	t := b.expm1(b.mul(b.abs(x), b.c(-2)))
	return b.copysign(b.div(t, b.add(t, b.c(2))), x)
}

func (b *Body) softplus(x *Node) *Node {
	return b.add(b.max(x, b.c(0)), b.log1p(b.exp(b.or(x, b.bits(1<<31)))))
}

func (b *Body) erf(x *Node) *Node {
	a := b.abs(x)
	small := b.madd(b.poly(b.mul(a, a), "coefErf"), a, a)
	big := b.sub(b.c(1), b.exp(b.neg(b.poly(b.min(a, b.c(4)), "coefErfTail"))))
	return b.copysign(b.sel(b.lt(a, b.c(1)), small, big), x)
}

func (b *Body) geluTail(a *Node) *Node {
	a = b.min(a, b.c(14.5))
	h := b.and(a, b.bits(0xfffff000))
	low := b.mul(b.sub(a, h), b.add(a, h))
	q, s, t := b.expm1Parts(b.mul(b.mul(h, h), b.c(-0.5)), b.mul(low, b.c(-0.5)))
	u := b.div(b.c(1), b.madd(a, b.c(0.5), b.c(1)))
	r := b.poly(u, "coefGelu")
	return b.mul(b.mul(b.madd(q, r, r), s), t)
}

func (b *Body) phiSmall(x *Node) *Node {
	return b.madd(b.poly(b.mul(x, x), "coefPhiSmall"), x, b.c(0.5))
}

func (b *Body) gelu(x *Node) *Node {
	a := b.abs(x)
	g := b.geluTail(a)
	tail := b.sel(b.lt(x, b.c(0)), b.neg(g), b.sub(x, g))
	return b.sel(b.lt(a, b.c(1)), b.mul(x, b.phiSmall(x)), tail)
}

func (b *Body) geluGrad(x *Node) *Node {
	v := b.min(b.abs(x), b.c(14.5))
	tail := b.div(b.geluTail(v), v)
	tail = b.sel(b.lt(x, b.c(0)), tail, b.sub(b.c(1), tail))
	tail = b.sel(b.lt(v, b.c(1)), b.phiSmall(x), tail)
	density := b.mul(b.exp(b.mul(b.mul(v, v), b.c(-0.5))), b.c(0.3989422804014327))
	return b.madd(b.copysign(v, x), density, tail)
}

// sinCos is valid for |x| <= 8192; the caller mends the rest.
func (b *Body) sinCos(x *Node) (sin, cos *Node) {
	n, q := b.nearest(x, 2/math.Pi)
	r := b.madd(n, b.c(-piHalf1), x)
	r = b.madd(n, b.c(-piHalf2), r)
	r = b.madd(n, b.c(-piHalf3), r)
	return b.sinCosOf(b.madd(n, b.c(-piHalf4), r), q)
}

// sinCosOf returns sine and cosine of r + q*pi/2, |r| <= pi/4.
func (b *Body) sinCosOf(r, q *Node) (sin, cos *Node) {
	z := b.mul(r, r)
	s := b.copysign(b.madd(b.mul(b.poly(z, "coefSin"), z), r, r), r)
	k := b.madd(b.mul(z, z), b.poly(z, "coefCos"), b.madd(z, b.c(-0.5), b.c(1)))
	odd := b.shr(b.shl(q, 31), 31) // all ones in odd quadrants
	signBit := b.bits(1 << 31)
	sinSign := b.and(b.shl(q, 30), signBit)
	cosSign := b.and(b.shl(b.iadd(q, b.bits(1)), 30), signBit)
	sin = b.xor(b.or(b.and(k, odd), b.andNot(s, odd)), sinSign)
	cos = b.xor(b.or(b.and(s, odd), b.andNot(k, odd)), cosSign)
	return sin, cos
}

func (b *Body) tan(x *Node) *Node {
	sin, cos := b.sinCos(x)
	return b.div(sin, cos)
}

func (b *Body) odd(x, z *Node, name string) *Node {
	return b.madd(b.mul(b.poly(z, name), z), x, x)
}

func (b *Body) expHalf(a *Node) *Node {
	n, r := b.expReduce(b.min(a, b.c(90)))
	q := b.madd(b.poly(r, "coefExp"), b.mul(r, r), r)
	h := b.shr(n, 1)
	return b.mul(b.mul(b.add(q, b.c(1)), b.pow2(h)), b.pow2(b.isub(b.isub(n, h), b.bits(1))))
}

func (b *Body) sinh(x *Node) *Node {
	a := b.abs(x)
	e := b.expHalf(a)
	y := b.sub(e, b.div(b.c(0.25), e))
	return b.copysign(b.sel(b.lt(a, b.c(1)), b.odd(a, b.mul(a, a), "coefSinh"), y), x)
}

func (b *Body) cosh(x *Node) *Node {
	e := b.expHalf(b.abs(x))
	return b.add(e, b.div(b.c(0.25), e))
}

const (
	piHalf    = 0x1.921fb6p+0
	piHalfLow = math.Pi/2 - piHalf
)

// asinParts also returns where a is below 1/2.
func (b *Body) asinParts(a *Node) (y, small *Node) {
	small = b.lt(a, b.c(0.5))
	z := b.sel(small, b.mul(a, a), b.madd(a, b.c(-0.5), b.c(0.5)))
	return b.odd(b.sel(small, a, b.sqrt(z)), z, "coefAsin"), small
}

func (b *Body) asin(x *Node) *Node {
	y, small := b.asinParts(b.abs(x))
	big := b.add(b.sub(b.c(piHalf), b.add(y, y)), b.c(piHalfLow))
	return b.copysign(b.sel(small, y, big), x)
}

func (b *Body) acos(x *Node) *Node {
	y, small := b.asinParts(b.abs(x))
	neg := b.lt(x, b.c(0))
	// y, or what is taken from pi/2 or pi.
	y = b.sel(small, b.copysign(y, x), b.add(y, y))
	hi := b.sel(small, b.c(piHalf), b.c(2*piHalf))
	low := b.sel(small, b.c(piHalfLow), b.c(2*piHalfLow))
	from := b.add(b.sub(hi, y), low)
	return b.sel(small, from, b.sel(neg, from, y))
}

func (b *Body) atan(x *Node) *Node {
	a := b.abs(x)
	big := b.lt(b.c(1), a)
	w := b.sel(big, b.div(b.c(1), a), a)
	y := b.odd(w, b.mul(w, w), "coefAtan")
	return b.copysign(b.sel(big, b.add(b.sub(b.c(piHalf), y), b.c(piHalfLow)), y), x)
}

func (b *Body) logSum(u, low *Node) *Node { return b.add(b.log(u), b.div(low, u)) }

// arcLog has one logarithm for both cases: log(u) + low/u, or log(a) + log(2).
func (b *Body) arcLog(a, u, low *Node) *Node {
	big := b.lt(b.c(1<<13), a)
	rest := b.sel(big, b.c(math.Ln2), b.div(low, u))
	return b.add(b.log(b.sel(big, a, u)), rest)
}

func (b *Body) asinh(x *Node) *Node {
	a := b.abs(x)
	z := b.mul(a, a)
	r := b.sqrt(b.add(z, b.c(1)))
	u := b.add(a, r)
	y := b.arcLog(a, u, b.sub(a, b.sub(u, r)))
	return b.copysign(b.sel(b.lt(a, b.c(1)), b.odd(a, z, "coefAsinh"), y), x)
}

func (b *Body) acosh(x *Node) *Node {
	t := b.sub(x, b.c(1))
	w := b.add(t, b.sqrt(b.mul(t, b.add(t, b.c(2)))))
	u := b.add(w, b.c(1))
	y := b.arcLog(x, u, b.sub(w, b.sub(u, b.c(1))))
	return b.sel(b.lt(x, b.c(1)), b.bits(0x7fc00000), y)
}

func (b *Body) atanh(x *Node) *Node {
	a := b.abs(x)
	w := b.div(b.add(a, a), b.sub(b.c(1), a))
	u := b.add(w, b.c(1))
	y := b.logSum(u, b.sub(w, b.sub(u, b.c(1))))
	y = b.sel(b.lt(w, b.bits(0x7f800000)), y, w)
	return b.copysign(b.mul(y, b.c(0.5)), x)
}

const (
	pow23Log2e   = 0.96179669392597560491
	pow23Log2eHi = 0x1.ec6p-1
	powMax       = 200
)

func (b *Body) lead12(x *Node) *Node { return b.and(x, b.bits(0xfffff000)) }

func (b *Body) log2Parts(a *Node) (hi, low *Node) {
	tiny := b.lt(a, b.c(0x1p-126))
	i := b.isub(b.sel(tiny, b.mul(a, b.c(1<<23)), a), b.bits(0x3f3504f3))
	e := b.sel(tiny, b.bits(0xffffffe9), b.bits(0)) // -23
	fe := b.itof(b.iadd(e, b.shr(i, 23)))
	m := b.iadd(b.and(i, b.bits(0x007fffff)), b.bits(0x3f3504f3))
	f, d := b.sub(m, b.c(1)), b.add(m, b.c(1))
	q := b.div(b.c(1), d)
	s := b.mul(f, q)
	sHi, dHi := b.lead12(s), b.lead12(d)
	sLow := b.mul(q, b.sub(b.sub(f, b.mul(sHi, dHi)), b.mul(sHi, b.sub(m, b.sub(dHi, b.c(1))))))
	z := b.mul(s, s)
	r := b.mul(b.mul(z, z), b.poly(z, "coefPow"))
	r = b.madd(sLow, b.add(sHi, s), r)
	square := b.mul(sHi, sHi)
	tHi := b.lead12(b.add(b.add(square, b.c(3)), r))
	tLow := b.sub(r, b.sub(b.sub(tHi, b.c(3)), square))
	u := b.mul(sHi, tHi)
	w := b.madd(sLow, tHi, b.mul(tLow, s))
	pHi := b.lead12(b.add(u, w))
	pLow := b.sub(w, b.sub(pHi, u))
	l := b.mul(pHi, b.c(pow23Log2eHi))
	low = b.madd(pHi, b.c(pow23Log2e-pow23Log2eHi), b.mul(pLow, b.c(pow23Log2e)))
	hi = b.lead12(b.add(b.add(l, low), fe))
	return hi, b.sub(low, b.sub(b.sub(hi, fe), l))
}

// pow loads its operands again at the end, which leaves their registers to what lies between.
func (b *Body) pow(base, exponent func() *Node) *Node {
	hi, low := b.log2Parts(b.abs(base()))
	v := b.min(b.max(exponent(), b.c(-1<<31)), b.c(1<<31))
	vHi := b.lead12(v)
	p := b.mul(vHi, hi)
	rest := b.madd(b.sub(v, vHi), hi, b.mul(v, low))
	t := b.add(b.min(b.max(b.add(p, rest), b.c(-powMax)), b.c(powMax)), b.c(roundMagic))
	n := b.isub(t, b.c(roundMagic))
	r := b.min(b.max(b.add(b.sub(p, b.sub(t, b.c(roundMagic))), rest), b.c(-1)), b.c(1))
	r = b.mul(r, b.c(math.Ln2))
	q := b.madd(b.poly(r, "coefExp"), b.mul(r, r), r)
	h := b.shr(n, 1)
	z := b.mul(b.mul(b.add(q, b.c(1)), b.pow2(h)), b.pow2(b.isub(n, h)))

	x, y := base(), exponent()
	a := b.abs(x)
	whole := b.eq(b.floor(y), y)
	z = b.sel(whole, z, b.sel(b.lt(x, b.c(0)), b.bits(0x7fc00000), z))
	edge := b.sel(b.lt(b.c(0), y), a, y)
	edge = b.sel(b.lt(y, b.c(0)), b.isub(b.bits(0x7f800000), a), edge)
	z = b.sel(b.lt(b.isub(a, b.bits(1)), b.c(math.MaxFloat32)), z, edge)
	half := b.mul(y, b.c(0.5))
	sign := b.sel(whole, b.and(x, b.bits(1<<31)), b.c(0))
	z = b.xor(z, b.sel(b.eq(b.floor(half), half), b.c(0), sign))
	z = b.sel(b.eq(y, b.c(0)), b.c(1), z)
	return b.sel(b.eq(x, b.c(1)), b.c(1), z)
}

// root is the power of 1/2.
func (b *Body) root(x *Node) *Node {
	return b.sel(b.eq(x, b.bits(0xff800000)), b.bits(0x7f800000), b.sqrt(b.add(x, b.c(0))))
}
