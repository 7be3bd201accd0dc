package simd

import "math"

// A UnaryOp is an elementwise function of one operand and up to two parameters.
type UnaryOp uint8

// The functions of [Map]. Errors are bounds over all of float32, against the exact value.
const (
	Neg         UnaryOp = iota // -x
	Abs                        // |x|
	Sqrt                       // square root, correctly rounded
	Rsqrt                      // 1/sqrt(x), each of the two operations correctly rounded
	Reciprocal                 // 1/x, correctly rounded
	Square                     // x*x
	Floor                      // largest integer <= x
	Ceil                       // smallest integer >= x
	Round                      // nearest integer, ties to even (ONNX Round)
	Sign                       // -1, 0 or 1; NaN and zeros as they are
	Exp                        // e**x, 2 ulp
	Expm1                      // e**x - 1, 4 ulp
	Log                        // natural logarithm, 2 ulp
	Log1p                      // log(1+x), 4 ulp
	Sin                        // sine of radians, 4 ulp of all arguments but next to multiples of pi, where the error is below 2**-40
	Cos                        // cosine, likewise
	Tan                        // tangent, 4 ulp but next to the zeros of sine and cosine
	Tanh                       // hyperbolic tangent, 4 ulp
	Sigmoid                    // 1/(1+e**-x), 4 ulp
	Erf                        // error function, 4 ulp
	Relu                       // max(x, 0); NaN stays NaN
	LeakyRelu                  // x < 0 ? p0*x : x
	Elu                        // x < 0 ? p0*(e**x-1) : x
	Selu                       // p1 * (x < 0 ? p0*(e**x-1) : x); ONNX Selu with alpha = p0, gamma = p1
	Celu                       // x < 0 ? p0*(e**(x/p0)-1) : x
	Gelu                       // x*Phi(x) (exact form), 4 ulp
	GeluTanh                   // x/2*(1+tanh(sqrt(2/pi)*(x+0.044715*x**3)))
	Softplus                   // log(1+e**x), 4 ulp
	Softsign                   // x/(1+|x|)
	HardSigmoid                // max(0, min(1, p0*x+p1))
	HardSwish                  // x*max(0, min(1, x/6+1/2))
	Mish                       // x*tanh(softplus(x))
	Silu                       // x/(1+e**-x) (Swish), 4 ulp
	Clip                       // min(max(x, p0), p1)
	AddC                       // x + p0
	MulC                       // x * p0
	Affine                     // p0*x + p1, a madd
	Root                       // x**0.5 as pow has it: +0 of -0, +Inf of -Inf, else the square root
	Sinh                       // hyperbolic sine, 4 ulp
	Cosh                       // hyperbolic cosine, 4 ulp
	Asin                       // arc sine, 4 ulp
	Acos                       // arc cosine, 4 ulp
	Atan                       // arc tangent, 4 ulp
	Asinh                      // inverse hyperbolic sine, 4 ulp
	Acosh                      // inverse hyperbolic cosine, 4 ulp
	Atanh                      // inverse hyperbolic tangent, 4 ulp
	NumUnary                   // how many there are
)

// Map computes dst[i] = op(x[i]) for every i of x. dst may be x; otherwise they must not overlap. p0 and p1 are the
// function's parameters; functions without them ignore them.
func Map(op UnaryOp, dst, x []float32, p0, p1 float32) {
	dst = dst[:len(x)]
	if f := current.vec.mapOp; f != nil && f(op, dst, x, p0, p1) {
		return
	}
	mapGeneric(current.Class, op, dst, x, p0, p1)
}

// mapGeneric is the definition of Map.
func mapGeneric(c Class, op UnaryOp, dst, x []float32, p0, p1 float32) {
	dst = dst[:len(x)]
	switch op {
	case Relu:
		for i, v := range x {
			dst[i] = max32(v, 0)
		}
		return
	case AddC:
		for i, v := range x {
			dst[i] = v + p0
		}
		return
	case MulC:
		for i, v := range x {
			dst[i] = v * p0
		}
		return
	case Affine:
		for i, v := range x {
			dst[i] = c.madd(v, p0, p1)
		}
		return
	}
	for i, v := range x {
		dst[i] = c.unary(op, v, p0, p1)
	}
}

// unary is the definition of one element of Map.
func (c Class) unary(op UnaryOp, x, p0, p1 float32) float32 {
	switch op {
	case Neg:
		return -x
	case Abs:
		return abs32(x)
	case Sqrt:
		return sqrt32(x)
	case Rsqrt:
		return 1 / sqrt32(x)
	case Reciprocal:
		return 1 / x
	case Square:
		return x * x
	case Floor:
		return float32(math.Floor(float64(x)))
	case Ceil:
		return float32(math.Ceil(float64(x)))
	case Round:
		return float32(math.RoundToEven(float64(x)))
	case Sign:
		if x > 0 {
			return 1
		} else if x < 0 {
			return -1
		}
		return x
	case Exp:
		return c.exp(x)
	case Expm1:
		return c.expm1(x)
	case Log:
		return c.log(x)
	case Log1p:
		return c.log1p(x)
	case Sin:
		s, _ := c.sinCos(x)
		return s
	case Cos:
		_, k := c.sinCos(x)
		return k
	case Tan:
		return c.tan(x)
	case Tanh:
		return c.tanh(x)
	case Sigmoid:
		return c.sigmoid(x)
	case Erf:
		return c.erf(x)
	case Relu:
		return max32(x, 0)
	case LeakyRelu:
		if x < 0 {
			return x * p0
		}
		return x
	case Elu:
		if x < 0 {
			return c.expm1(x) * p0
		}
		return x
	case Selu:
		if x < 0 {
			return float32(c.expm1(x)*p0) * p1
		}
		return x * p1
	case Celu:
		if x < 0 {
			return c.expm1(x/p0) * p0
		}
		return x
	case Gelu:
		return c.gelu(x)
	case GeluTanh:
		return c.geluTanh(x)
	case Softplus:
		return c.softplus(x)
	case Softsign:
		return x / (1 + abs32(x))
	case HardSigmoid:
		return min32(max32(c.madd(x, p0, p1), 0), 1)
	case HardSwish:
		return x * min32(max32(c.madd(x, 1.0/6, 0.5), 0), 1)
	case Mish:
		return c.mish(x)
	case Silu:
		return c.silu(x)
	case Clip:
		return min32(max32(x, p0), p1)
	case AddC:
		return x + p0
	case MulC:
		return x * p0
	case Affine:
		return c.madd(x, p0, p1)
	case Root:
		return c.root(x)
	case Sinh:
		return c.sinh(x)
	case Cosh:
		return c.cosh(x)
	case Asin:
		return c.asin(x)
	case Acos:
		return c.acos(x)
	case Atan:
		return c.atan(x)
	case Asinh:
		return c.asinh(x)
	case Acosh:
		return c.acosh(x)
	case Atanh:
		return c.atanh(x)
	}
	return nan32
}

// sqrt32 is correctly rounded: the double rounding of a square root through float64 is harmless.
func sqrt32(x float32) float32 { return float32(math.Sqrt(float64(x))) }
