package prog

import "github.com/weft-ml/weft/simd"

// Layout returns the sizes in bytes of a step and a kernel, where in a kernel its number in the kernel module lies, and the size of a worker: what
// who lays a program out in memory without Go has to know.
func Layout() [4]int {
	var s Step
	var k Kernel
	var w Worker
	return [4]int{len(simd.BytesOf(&s)), len(simd.BytesOf(&k)), simd.OffsetOf(&k, &k.index), len(simd.BytesOf(&w))}
}

// Bytes returns the step's memory.
func (s *Step) Bytes() []byte { return simd.BytesOf(s) }
