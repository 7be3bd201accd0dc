package simd

import "unsafe"

// BytesOf returns the memory of a variable, as another program on the same memory reads it.
func BytesOf[T any](v *T) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v)) }

// OffsetOf returns how many bytes into a variable one of its fields lies.
func OffsetOf[T, F any](v *T, field *F) int {
	return int(uintptr(unsafe.Pointer(field)) - uintptr(unsafe.Pointer(v)))
}

// FromBytes returns the variable that BytesOf returned the memory of, which may be cut.
func FromBytes[T any](b []byte) *T { return (*T)(unsafe.Pointer(unsafe.SliceData(b))) }

// SliceBytes returns the memory of a slice's elements.
func SliceBytes(x []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}
