// Package wasmasm assembles WebAssembly modules. Weft's browser kernels are written with it.
//
// A [Module] collects types, imports, functions, memories, tables, globals and data; a [Func]
// emits a body instruction by instruction. Each instruction is checked against the types on the operand stack as it
// is emitted, by the algorithm of the specification's appendix, so a mis-typed kernel fails when it
// is generated, with the name of the function and the instruction, and not when a browser loads it:
//
//	m := wasmasm.NewModule("example")
//	f := m.Func("axpy1", wasmasm.Sig(wasmasm.F32, wasmasm.F32, wasmasm.F32)(wasmasm.F32))
//	a, x, y := f.Param(0), f.Param(1), f.Param(2)
//	f.Get(a).Get(x).Op(wasmasm.F32Mul).Get(y).Op(wasmasm.F32Add)
//	m.ExportFunc("axpy1", f)
//	wasm, err := m.Bytes()
//
// Errors are sticky: the first one is kept, later calls do nothing, and [Module.Bytes] returns it.
//
// Covered: the whole of WebAssembly 1.0, sign extension, saturating conversions, bulk memory,
// multiple values, fixed-width SIMD, relaxed SIMD, threads; one memory, function tables. The instructions whose
// operands are only types are the constants of type [Op], generated from testdata/instructions.txt.
package wasmasm
