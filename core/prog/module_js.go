//go:build !noasm

package prog

import "github.com/weft-ml/weft/simd"

// notCompiled marks a kernel that the module does not have.
const notCompiled = -1

// tilesPerCall bounds the work of one call of the module to about 10 ms.
const tilesPerCall = 256

// RunSteps executes steps from the first on, without Go, and returns how many it has executed. The next one, if any, needs Go: its kernel
// is not compiled, or it fails, and running it in Go says how; or the call has taken long enough, which is when it returns at least 1.
func RunSteps(w *Worker, steps []Step) int {
	if len(steps) == 0 || !simd.InModule() {
		return 0
	}
	n := 0
	for n < len(steps) {
		n += simd.RunProgram(&steps[n], len(steps)-n, w, tilesPerCall)
		if n == len(steps) || !steps[n].Kernel.lookUp() {
			break
		}
	}
	return n
}

// RunStep executes one step without Go; false when it needs Go.
func RunStep(w *Worker, s *Step) bool {
	return simd.InModule() && (simd.RunProgram(s, 1, w, 1) == 1 || s.Kernel.lookUp() && simd.RunProgram(s, 1, w, 1) == 1)
}

// ShareThreads prepares the kernel module for n threads, the caller's included, and returns how many of them can run steps: 1
// unless the host has given shared memory. Threads may come at any time; until then the caller does their part.
func ShareThreads(n int) int {
	if n <= 1 || !simd.InModule() {
		return 1
	}
	return simd.ShareThreads(n)
}

// Compiled reports whether the kernel module runs the kernel.
func (k *Kernel) Compiled() bool {
	if !simd.InModule() {
		return false
	}
	k.lookUp()
	return k.index > 0
}

// lookUp asks for the number of the kernel's compiled function. It reports whether there is news: the step may run now.
func (k *Kernel) lookUp() bool {
	if k.index != 0 {
		return false
	}
	if k.index = simd.ProgramStep(hash(k.Name)); k.index == 0 {
		k.index = notCompiled
	}
	return k.index > 0
}

// hash is 64-bit FNV-1a.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// InModule reports whether the kernel module runs programs: whether its kernels are the current ones.
func InModule() bool { return simd.InModule() }

// Compiled reports whether the kernel module has a compiled function for the kernel.
func Compiled(k *Kernel) bool { return simd.InModule() && simd.ProgramStep(hash(k.Name)) > 0 }

// KernelImage returns a copy of the current kernel set for a memory without Go, see [simd.CurrentImage].
func KernelImage() (image []byte, relocs []int) { return simd.CurrentImage() }
