//go:build !noasm

package simd

import "unsafe"

// The kernel module also holds step kernels of core, compiled from their Go code (wasm/_kernelc). They work on
// this program's memory and read this package's variable current there.

// programData returns the size of the constant tables of the compiled functions.
//
//go:wasmimport weft program_data
//go:noescape
func programData() int32

// programStart gives the module its stack, which ends at the address, the place for its constant tables, which it fills,
// and the addresses of the variables that it shares with this program.
//
//go:wasmimport weft program_start
//go:noescape
func programStart(stack, data, shared unsafe.Pointer, write int32)

// programStep returns the number of the compiled function of the step kernel whose name has the hash, 0 when there is none.
//
//go:wasmimport weft program_step
//go:noescape
func programStep(hash uint64) int32

// programRun executes steps of a table (core/prog) and returns how many it has executed: it stops before a step that has no compiled
// function or that fails, and when it has done about budget tiles.
//
//go:wasmimport weft program_run
//go:noescape
func programRun(steps unsafe.Pointer, n int32, worker unsafe.Pointer, budget int32) int32

// stackBytes is the stack of compiled functions: they hold arguments of kernels there, and registers of elementwise chains.
const stackBytes = 64 << 10

// program is memory that the module keeps using.
var program struct {
	stack, data []uint64
	shared      [1]unsafe.Pointer // in the order that wasm/_kernelc/module says
}

// startProgram prepares the module for running steps.
func startProgram() {
	p := &program
	p.shared = [1]unsafe.Pointer{unsafe.Pointer(&current)}
	p.stack, p.data = make([]uint64, stackBytes/8+2), make([]uint64, programData()/8+4)
	programStart(stackTop(p.stack), dataStart(), unsafe.Pointer(&p.shared), 1)
}

// dataStart returns the place of the constant tables.
func dataStart() unsafe.Pointer {
	p := unsafe.Pointer(&program.data[0])
	return unsafe.Add(p, -uintptr(p)&15)
}

// stackTop returns where a stack in the given memory starts; it grows downwards.
func stackTop(stack []uint64) unsafe.Pointer {
	end := unsafe.Pointer(&stack[len(stack)-1])
	return unsafe.Add(end, -int(uintptr(end)&15))
}

// InModule reports whether the current set is the kernel module's, so that compiled functions stand in for Go's.
func InModule() bool { return current.inModule }

// ProgramStep returns the number of the module's function for the step kernel whose name has the hash (64-bit FNV-1a), 0 for none.
// It needs InModule.
func ProgramStep(hash uint64) int32 {
	if program.stack == nil {
		startProgram()
	}
	return programStep(hash)
}

// RunProgram executes up to n steps of a table in the module and returns how many it has executed: it stops before a step that has no
// compiled function or that fails, and when it has done about budget tiles. It needs InModule.
func RunProgram[S, W any](steps *S, n int, worker *W, budget int32) int {
	if program.stack == nil {
		startProgram()
	}
	return int(programRun(unsafe.Pointer(steps), int32(n), unsafe.Pointer(worker), budget))
}
