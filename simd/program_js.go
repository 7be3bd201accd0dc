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

// StackBytes is the stack of compiled functions: they hold arguments of kernels there, and registers of elementwise chains.
const StackBytes = 64 << 10

// program is memory that the module keeps using.
var program struct {
	stack, data []uint64
	shared      [1]unsafe.Pointer // in the order that wasm/_kernelc/module says
}

// StartProgram prepares the module for running steps, once. It returns the place of the constant tables and the table of shared variables, which
// threads need too; nil where the host has given no module.
func StartProgram() (data, shared unsafe.Pointer) {
	if moduleVariant() == variantNone {
		return nil, nil
	}
	p := &program
	if p.stack == nil {
		p.shared = [1]unsafe.Pointer{unsafe.Pointer(&current)}
		p.stack, p.data = make([]uint64, StackBytes/8), make([]uint64, programData()/8+4)
		programStart(unsafe.Pointer(StackTop(p.stack)), dataStart(), unsafe.Pointer(&p.shared), 1)
	}
	return dataStart(), unsafe.Pointer(&p.shared)
}

// StackTop returns where a stack in the given memory starts; it grows downwards.
func StackTop(stack []uint64) *uint64 {
	i := len(stack) - 1
	i -= int(uintptr(unsafe.Pointer(&stack[i])) / 8 & 1) // 16 bytes
	return &stack[i]
}

func dataStart() unsafe.Pointer {
	p := unsafe.Pointer(&program.data[0])
	return unsafe.Add(p, -uintptr(p)&15)
}

// InModule reports whether the current set is the kernel module's, so that compiled functions may stand in for Go's.
func InModule() bool {
	return current.Available() && (current.Name == "relaxed" || current.Name == "simd128")
}
