// Package gowasm compiles Go functions to WebAssembly, from the SSA form of golang.org/x/tools/go/ssa through wasmasm, for code that
// works on the memory of a Go program for GOARCH=wasm without being part of it: the layout of types is Go's.
//
// Compiled: integers, floats, pointers, slices, strings that are constants, structs and arrays (as values, up to 64 scalars), methods, generic functions,
// several results, function values that are known while compiling (arguments, closures, fields that one function is ever stored in), type switches on
// type parameters, package variables that hold constants, the functions of math and math/bits as instructions where Go's compiler has instructions for them.
// Not compiled: allocation on the heap, interfaces, maps, channels, goroutines, defer, append, complex numbers. [Compiler.Compile] says what a
// function would need.
//
//   - A value is taken apart into scalars, which live in locals. A pointer is an i32 there and 8 bytes in memory. Variables whose address
//     is more than a way to their fields lie on a stack in memory; their address must not leave the function.
//   - Values used once are computed where they are used, on the operand stack.
//   - Control flow, reducible in Go, becomes blocks and loops by the dominator tree.
//   - An index, slice or conversion to an array out of bounds traps, and so does a division by zero. A nil pointer does not.
//   - A panic that the code states sets [Compiler.Failed] and returns zeros, from every function up to the caller of the first.
package gowasm
