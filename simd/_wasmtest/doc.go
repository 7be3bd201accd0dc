// Package wasmtest runs what wasmasm and wasmkernels write in wazero, a WebAssembly runtime in Go, as part of go test: no
// browser, milliseconds. It is a module of its own so that the runtime stays out of Weft's. wazero has fixed-width SIMD only;
// relaxed SIMD is tested under Node and in Chromium.
package wasmtest
