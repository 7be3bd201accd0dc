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
