// Command weft-full is the Go half of the JavaScript package, for GOOS=js GOARCH=wasm, with all operators.
// The linker's memory is turned into an import by weftlink, so that the kernel module shares it.
package main
