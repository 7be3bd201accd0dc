package simd

// A CmpOp is a comparison of two float32 values. NaN compares unequal to everything.
type CmpOp uint8

// The comparisons.
const (
	Equal          CmpOp = iota // a == b
	NotEqual                    // a != b
	Less                        // a < b
	LessOrEqual                 // a <= b
	Greater                     // a > b
	GreaterOrEqual              // a >= b
)

// Compare computes dst[i] = a[i] op b[i] as 0 or 1 for every i of a.
func Compare(op CmpOp, dst []uint8, a, b []float32) {
	dst, b = dst[:len(a)], b[:len(a)]
	switch op {
	case Equal:
		for i, v := range a {
			dst[i] = bit(v == b[i])
		}
	case NotEqual:
		for i, v := range a {
			dst[i] = bit(v != b[i])
		}
	case Less:
		for i, v := range a {
			dst[i] = bit(v < b[i])
		}
	case LessOrEqual:
		for i, v := range a {
			dst[i] = bit(v <= b[i])
		}
	case Greater:
		for i, v := range a {
			dst[i] = bit(v > b[i])
		}
	case GreaterOrEqual:
		for i, v := range a {
			dst[i] = bit(v >= b[i])
		}
	}
}

// CompareScalar computes dst[i] = a[i] op s as 0 or 1 for every i of a.
func CompareScalar(op CmpOp, dst []uint8, a []float32, s float32) {
	dst = dst[:len(a)]
	switch op {
	case Equal:
		for i, v := range a {
			dst[i] = bit(v == s)
		}
	case NotEqual:
		for i, v := range a {
			dst[i] = bit(v != s)
		}
	case Less:
		for i, v := range a {
			dst[i] = bit(v < s)
		}
	case LessOrEqual:
		for i, v := range a {
			dst[i] = bit(v <= s)
		}
	case Greater:
		for i, v := range a {
			dst[i] = bit(v > s)
		}
	case GreaterOrEqual:
		for i, v := range a {
			dst[i] = bit(v >= s)
		}
	}
}

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// Select computes dst[i] = cond[i] != 0 ? a[i] : b[i] for every i of cond. dst may be a or b.
func Select(dst []float32, cond []uint8, a, b []float32) {
	dst, a, b = dst[:len(cond)], a[:len(cond)], b[:len(cond)]
	for i, k := range cond {
		v := b[i]
		if k != 0 {
			v = a[i]
		}
		dst[i] = v
	}
}
