//go:build !noasm && (amd64 || arm64)

package simd

// StreamAll makes products of few rows stream B whatever its size, until the function that it returns is called.
func StreamAll() (restore func()) {
	was := streamSpan
	streamSpan = 0
	return func() { streamSpan = was }
}
