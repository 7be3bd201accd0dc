package tensor

import "unsafe"

// alignedSlab returns a slice of length and capacity n whose first byte lies on a 64-byte boundary.
func alignedSlab(n int) []byte {
	w := make([]uint64, n/8+8)
	p := uintptr(unsafe.Pointer(&w[0]))
	skip := int(-p & 63)
	b := unsafe.Slice((*byte)(unsafe.Pointer(&w[0])), len(w)*8)
	return b[skip : skip+n : skip+n]
}

// Cast returns the bytes of b as elements of type T, shared. b must be aligned to T; what is left over
// after the last whole element is dropped.
func Cast[T Elem](b []byte) []T {
	var z T
	n := len(b) / int(unsafe.Sizeof(z))
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&b[0])), n)
}

// Aligned reports whether b starts at a multiple of n bytes, as [Wrap] needs for elements of n bytes.
func Aligned(b []byte, n int) bool {
	return len(b) == 0 || n <= 1 || uintptr(unsafe.Pointer(&b[0]))%uintptr(n) == 0
}

// AsBytes returns the memory of a slice as bytes, shared: the inverse of [Cast].
func AsBytes[T Elem](s []T) []byte {
	if len(s) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&s[0])), len(s)*int(unsafe.Sizeof(s[0])))
}

// Overlap reports whether two pieces of memory share a byte.
func Overlap(a, b []byte) bool {
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	x, y := uintptr(unsafe.Pointer(&a[0])), uintptr(unsafe.Pointer(&b[0]))
	return x < y+uintptr(len(b)) && y < x+uintptr(len(a))
}
