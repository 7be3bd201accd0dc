// Command weft is the Go half of the JavaScript package, for GOOS=js GOARCH=wasm, with the operators of op.Core: what layers, losses, optimizers and common models need.
// The linker's memory is turned into an import by weftlink, so that the kernel module shares it.
package main
