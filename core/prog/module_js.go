//go:build !noasm

package prog

import (
	"unsafe"

	"github.com/weft-ml/weft/simd"
)

// stepKernel returns the number of the compiled function of the kernel whose name has the hash, 0 when there is none.
//
//go:wasmimport weft program_step
//go:noescape
func stepKernel(hash uint64) int32

// programRun executes steps of a table and returns how many it has executed: it stops before a step that has no compiled function or
// that fails, and when it has done about budget tiles.
//
//go:wasmimport weft program_run
//go:noescape
func programRun(steps unsafe.Pointer, n int32, w unsafe.Pointer, budget int32) int32

// notCompiled marks a kernel that the module does not have.
const notCompiled = -1

// tilesPerCall bounds the work of one call of the module to about 10 ms.
const tilesPerCall = 256

var started, usable bool

// RunSteps executes steps from the first on, without Go, and returns how many it has executed. The next one, if any, needs Go: its kernel
// is not compiled, or it fails, and running it in Go says how; or the call has taken long enough, which is when it returns at least 1.
func RunSteps(w *Worker, steps []Step) int {
	if !started {
		started = true
		data, _ := simd.StartProgram()
		usable = data != nil
	}
	if !usable || len(steps) == 0 || !simd.InModule() {
		return 0
	}
	n := 0
	for n < len(steps) {
		done := int(programRun(unsafe.Pointer(&steps[n]), int32(len(steps)-n), unsafe.Pointer(w), tilesPerCall))
		n += done
		if n == len(steps) {
			break
		}
		k := steps[n].Kernel
		if k.index != 0 { // needs Go, or the budget is spent
			break
		}
		if k.index = stepKernel(hash(k.Name)); k.index == 0 {
			k.index = notCompiled
		}
	}
	return n
}

// hash is 64-bit FNV-1a.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}
