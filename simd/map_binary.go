package simd

import "unsafe"

// A BinaryOp is an elementwise function of two operands.
type BinaryOp uint8

// The functions of [Zip]. The gradient operations take the gradient dy of a function's result first and what
// the forward pass kept second: y is the function's result, x its argument.
const (
	Add          BinaryOp = iota // a + b
	Sub                          // a - b
	Mul                          // a * b
	Div                          // a / b, correctly rounded
	Max                          // a < b ? b : a
	Min                          // b < a ? b : a
	Pow                          // a ** b, 4 ulp, special cases as C's pow
	PRelu                        // a < 0 ? a*b : a
	ReluGrad                     // dy, y: y > 0 ? dy : 0
	AbsGrad                      // dy, x: x > 0 ? dy : x < 0 ? -dy : 0
	SigmoidGrad                  // dy, y: dy*y*(1-y)
	TanhGrad                     // dy, y: dy*(1-y*y)
	ExpGrad                      // dy, y: dy*y
	SqrtGrad                     // dy, y: dy/(y+y)
	SoftplusGrad                 // dy, x: dy*sigmoid(x)
	SiluGrad                     // dy, x: dy*(s + x*s*(1-s)), s = sigmoid(x)
	GeluGrad                     // dy, x: dy*(Phi(x) + x*phi(x))
	NumBinary                    // how many there are
)

// Zip computes dst[i] = op(a[i], b[i]) for every i of a; b and dst are at least as long. dst may be a or b.
func Zip(op BinaryOp, dst, a, b []float32) {
	dst, b = dst[:len(a)], b[:len(a)]
	if f := current.vec.zip; f != nil && f(op, dst, a, b) {
		return
	}
	zipGeneric(current.Class, op, dst, a, b)
}

// ZipScalar computes dst[i] = op(a[i], s). dst may be a. Powers with exponents that a simpler function serves are that function's: 1, 2, 3, -1,
// 1/2, -1/2.
func ZipScalar(op BinaryOp, dst, a []float32, s float32) {
	dst = dst[:len(a)]
	if op == Pow && simplePow(dst, a, s) {
		return
	}
	if f := current.vec.zipScalar; f != nil && f(op, dst, a, s) {
		return
	}
	c := current.Class
	for i, v := range a {
		dst[i] = c.binary(op, v, s)
	}
}

// ScalarZip computes dst[i] = op(s, b[i]). dst may be b.
func ScalarZip(op BinaryOp, dst []float32, s float32, b []float32) {
	dst = dst[:len(b)]
	if f := current.vec.scalarZip; f != nil && f(op, dst, s, b) {
		return
	}
	c := current.Class
	for i, v := range b {
		dst[i] = c.binary(op, s, v)
	}
}

// simplePow computes a[i] ** s where other functions do, within 1.5 ulp.
func simplePow(dst, a []float32, s float32) bool {
	switch s {
	case 1:
		Map(MulC, dst, a, 1, 0)
	case 2:
		Map(Square, dst, a, 0, 0)
	case 3: // x*x is finite and normal wherever the cube is neither 0 nor infinite
		for len(a) > 0 {
			n := min(len(a), scalarChunk)
			var square [scalarChunk]float32
			sq := unsafe.Slice(noescape(&square[0]), n)
			Map(Square, sq, a[:n], 0, 0)
			Zip(Mul, dst[:n], sq, a[:n])
			dst, a = dst[n:], a[n:]
		}
	case -1:
		Map(Reciprocal, dst, a, 0, 0)
	case 0.5:
		Map(Root, dst, a, 0, 0)
	case -0.5:
		Map(Root, dst, a, 0, 0)
		Map(Reciprocal, dst, dst, 0, 0)
	default:
		return false
	}
	return true
}

// scalarChunk is how many elements are worked on together where a scalar is spread out, or what lies between two kernels is kept.
const scalarChunk = 256

// Axpy computes y[i] = a*x[i] + y[i], a madd, for every i of x.
func Axpy(y, x []float32, a float32) {
	y = y[:len(x)]
	if f := current.vec.axpy; f != nil {
		f(y, x, a)
		return
	}
	axpyGeneric(current.Class, y, x, a)
}

// zipGeneric is the definition of Zip; the common operations have loops of their own.
func zipGeneric(c Class, op BinaryOp, dst, a, b []float32) {
	dst, b = dst[:len(a)], b[:len(a)]
	switch op {
	case Add:
		for i, v := range a {
			dst[i] = v + b[i]
		}
	case Sub:
		for i, v := range a {
			dst[i] = v - b[i]
		}
	case Mul:
		for i, v := range a {
			dst[i] = v * b[i]
		}
	case Div:
		for i, v := range a {
			dst[i] = v / b[i]
		}
	case Max:
		for i, v := range a {
			dst[i] = max32(v, b[i])
		}
	case Min:
		for i, v := range a {
			dst[i] = min32(v, b[i])
		}
	case ReluGrad:
		for i, v := range a {
			if !(b[i] > 0) {
				v = 0
			}
			dst[i] = v
		}
	default:
		for i, v := range a {
			dst[i] = c.binary(op, v, b[i])
		}
	}
}

// binary is the definition of one element of Zip.
func (c Class) binary(op BinaryOp, a, b float32) float32 {
	switch op {
	case Add:
		return a + b
	case Sub:
		return a - b
	case Mul:
		return a * b
	case Div:
		return a / b
	case Max:
		return max32(a, b)
	case Min:
		return min32(a, b)
	case Pow:
		return c.pow(a, b)
	case PRelu:
		if a < 0 {
			return a * b
		}
		return a
	case ReluGrad:
		if b > 0 {
			return a
		}
		return 0
	case AbsGrad:
		if b > 0 {
			return a
		} else if b < 0 {
			return -a
		}
		return 0
	case SigmoidGrad:
		return float32(a*b) * (1 - b)
	case TanhGrad:
		return a * c.madd(-b, b, 1)
	case ExpGrad:
		return a * b
	case SqrtGrad:
		return a / (b + b)
	case SoftplusGrad:
		return a * c.sigmoid(b)
	case SiluGrad:
		s := c.sigmoid(b)
		return a * c.madd(float32(b*s), 1-s, s)
	case GeluGrad:
		return a * c.geluGrad(b)
	}
	return nan32
}

// geluGrad returns Phi(x) + x*phi(x).
func (c Class) geluGrad(x float32) float32 {
	v := min32(abs32(x), 14.5)
	p, s, t := c.geluTail(v)
	tail := float32(float32(p*s)*t) / v
	if !(x < 0) {
		tail = 1 - tail
	}
	if v < 1 {
		tail = c.phiSmall(x)
	}
	h := float32(float32(v*v) * -0.5)
	density := c.exp(h) * 0.3989422804014327
	return c.madd(copysign32(v, x), density, tail)
}
