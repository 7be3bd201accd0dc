package simd

import (
	"math"
	"unsafe"
)

// fma32 returns x*y + z rounded once to float32. The product of two float32 is exact in float64; the sum is rounded to
// odd (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd", 2008),
// so that the second rounding, to float32, cannot see a false tie. float32(math.FMA(...)) would round twice.
func fma32(x, y, z float32) float32 {
	p, c := float64(x)*float64(y), float64(z)
	s := p + c
	t := s - p
	e := (p - (s - t)) + (c - t) // the rounding error of s (Knuth's TwoSum); NaN when s is not finite
	if e > 0 || e < 0 {
		b := math.Float64bits(s)
		if b&1 == 0 { // even: move by one place towards the exact sum, which lies off s on the side of e
			if (e > 0) == (s > 0) {
				b++
			} else {
				b--
			}
			s = math.Float64frombits(b)
		}
	}
	return float32(s)
}

// mulAdd32 returns x*y + z with two roundings. The conversion forbids the compiler to fuse.
func mulAdd32(x, y, z float32) float32 { return float32(x*y) + z }

// axpyGeneric computes acc[i] = a*x[i] + acc[i], rounded as the class says.
func axpyGeneric(c Class, acc, x []float32, a float32) {
	acc = acc[:len(x)]
	if c == FMA {
		for i, v := range x {
			acc[i] = fma32(a, v, acc[i])
		}
		return
	}
	for i, v := range x {
		acc[i] = float32(a*v) + acc[i]
	}
}

// noescape hides a pointer from escape analysis, so that arguments passed through the kernel table stay on the
// caller's stack. No kernel keeps a pointer. The result is a pointer for the compiler too, by a conversion (a load of a
// pointer from where a uintptr was stored is forwarded as the uintptr it was): the runtime finds it when it moves the stack.
func noescape[T any](p *T) *T {
	return (*T)(pointerAt[unsafe.Pointer](uintptr(unsafe.Pointer(p))))
}

// pointerAt converts an address.
func pointerAt[P ~unsafe.Pointer](x uintptr) P { return P(x) }
