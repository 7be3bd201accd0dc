//go:build !noasm && (amd64 || arm64)

package simd

// vecFunc is a vector kernel: a function of assembly, nil for none.
type vecFunc = func(*vecArgs)

func missing(f vecFunc) bool { return f == nil }

func run(f vecFunc, a *vecArgs) { f(a) }
