package simd

import "math"

// pow returns x**y, as C's powf in the special cases. It computes exp2(y*log2(x)) in float64 with every product rounded by
// itself, so that its bits are the same on every target and in both classes.
func pow(x, y float32) float32 {
	switch {
	case y == 0 || x == 1:
		return 1
	case x != x || y != y:
		return nan32
	}
	yInt := y == float32(math.Trunc(float64(y)))
	yOdd := yInt && abs32(y) < 1<<24 && int64(y)&1 == 1 || yInt && abs32(y) < 1<<24 && int64(y)&1 == -1
	neg := math.Float32bits(x)&signBit != 0
	a := abs32(x)
	var r float32
	switch {
	case a == 0 || a == inf32:
		if (a == 0) == (y < 0) {
			r = inf32
		}
	case a == 1: // x = -1
		if !yInt {
			return nan32
		}
		r = 1
	case y == inf32 || y == -inf32:
		if (a > 1) == (y > 0) {
			return inf32
		}
		return 0
	case neg && !yInt:
		return nan32
	default:
		r = float32(exp2f64(float64(float64(y) * log2f64(float64(a)))))
	}
	if neg && yOdd {
		r = -r
	}
	return r
}

// log2f64 returns log2(a) of a positive finite float32 value with a relative error below 2**-48.
func log2f64(a float64) float64 {
	b := math.Float64bits(a)
	const rootHalf = 0x3fe6a09e00000000
	k := int64(b-rootHalf) >> 52
	m := math.Float64frombits(b - uint64(k)<<52) // [sqrt(1/2), sqrt(2))
	// log(m) = 2 atanh(s), s = (m-1)/(m+1), |s| <= 0.1716
	s := (m - 1) / (m + 1)
	z := float64(s * s)
	p := 0.0
	for i := 21; i >= 1; i -= 2 {
		p = float64(p*z) + 1/float64(i)
	}
	return float64(k) + float64(float64(2*math.Log2E*s)*p)
}

// exp2f64 returns 2**t with a relative error below 2**-45, and 0 or +Inf far outside float32's range.
func exp2f64(t float64) float64 {
	if t > 200 {
		return math.Inf(1)
	}
	if t < -200 {
		return 0
	}
	n := math.RoundToEven(t)
	r := float64((t - n) * math.Ln2)
	p := 1.0
	for i := 13; i >= 1; i-- {
		p = float64(p*r)/float64(i) + 1
	}
	return float64(p * math.Float64frombits(uint64(int64(n)+1023)<<52))
}
