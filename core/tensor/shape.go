package tensor

import "math"

// MaxRank is the largest number of dimensions a tensor may have.
const MaxRank = 16

// MaxElements bounds the number of elements of one tensor, so that sizes in bytes never overflow
// an int and absurd shapes in outside data are refused before anything is allocated.
const MaxElements = math.MaxInt32 / 2 * 16

// Size returns the number of elements of a shape; 1 for a scalar. It panics with *Error when a
// dimension is negative or the product exceeds MaxElements.
func Size(shape []int) int {
	n, ok := CheckedSize(shape)
	if !ok {
		panic(&Error{Msg: "shape has a negative dimension or too many elements", Shapes: [][]int{shape}})
	}
	return n
}

// CheckedSize is Size with a flag in place of the panic.
func CheckedSize(shape []int) (int, bool) {
	if len(shape) > MaxRank {
		return 0, false
	}
	n, zero := int64(1), false
	for _, d := range shape {
		if d < 0 {
			return 0, false
		}
		if d == 0 {
			zero = true
			continue
		}
		if int64(d) > int64(MaxElements)/n {
			return 0, false
		}
		n *= int64(d)
	}
	if zero {
		return 0, true
	}
	if n > math.MaxInt {
		return 0, false
	}
	return int(n), true
}

// SameShape reports whether two shapes are equal.
func SameShape(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// Strides returns the row-major strides of a shape, in elements.
func Strides(shape []int) []int {
	s := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		s[i] = n
		n *= shape[i]
	}
	return s
}

// Axis turns a possibly negative axis of a tensor of the given rank into 0..rank-1 and reports
// whether it was in range.
func Axis(axis, rank int) (int, bool) {
	if axis < 0 {
		axis += rank
	}
	return axis, axis >= 0 && axis < rank
}

// Broadcast returns the shape that a and b broadcast to by ONNX's (NumPy's) multidirectional
// rule, and whether they do.
func Broadcast(a, b []int) ([]int, bool) {
	out := make([]int, max(len(a), len(b)))
	for i := range out {
		da, db := 1, 1
		if k := i - len(out) + len(a); k >= 0 {
			da = a[k]
		}
		if k := i - len(out) + len(b); k >= 0 {
			db = b[k]
		}
		switch {
		case da == db || db == 1:
			out[i] = da
		case da == 1:
			out[i] = db
		default:
			return nil, false
		}
	}
	return out, true
}

// BroadcastStrides returns the element strides with which a row-major tensor of the given shape
// is read as if it had shape out: 0 along broadcast dimensions.
func BroadcastStrides(shape, out []int) []int {
	s := make([]int, len(out))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		if shape[i] != 1 {
			s[i+len(out)-len(shape)] = n
		}
		n *= shape[i]
	}
	return s
}
