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

// boolBlock is of how many elements the accelerated kernels take multiples.
const boolBlock = 16

// Compare computes dst[i] = a[i] op b[i] as 0 or 1 for every i of a.
func Compare(op CmpOp, dst []uint8, a, b []float32) {
	dst, b = dst[:len(a)], b[:len(a)]
	if f := current.vec.compare; f != nil && len(a) >= boolBlock {
		n := len(a) &^ (boolBlock - 1)
		f(op, dst[:n], a[:n], b[:n])
		dst, a, b = dst[n:], a[n:], b[n:]
	}
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
	if f := current.vec.compareScalar; f != nil && len(a) >= boolBlock {
		n := len(a) &^ (boolBlock - 1)
		f(op, dst[:n], a[:n], s)
		dst, a = dst[n:], a[n:]
	}
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
	if f := current.vec.selectBy; f != nil && len(cond) >= boolBlock {
		n := len(cond) &^ (boolBlock - 1)
		f(dst[:n], cond[:n], a[:n], b[:n])
		dst, cond, a, b = dst[n:], cond[n:], a[n:], b[n:]
	}
	for i, k := range cond {
		v := b[i]
		if k != 0 {
			v = a[i]
		}
		dst[i] = v
	}
}

// FromBool computes dst[i] = cond[i] != 0 ? yes : no for every i of cond.
func FromBool(dst []float32, cond []uint8, yes, no float32) {
	dst = dst[:len(cond)]
	if f := current.vec.fromBool; f != nil && len(cond) >= boolBlock {
		n := len(cond) &^ (boolBlock - 1)
		f(dst[:n], cond[:n], yes, no)
		dst, cond = dst[n:], cond[n:]
	}
	for i, k := range cond {
		dst[i] = no
		if k != 0 {
			dst[i] = yes
		}
	}
}
