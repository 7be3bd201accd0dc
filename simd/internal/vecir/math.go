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
