package simd

import (
	"slices"
	"testing"
)

// deeper calls f with depth more frames on the stack.
//
//go:noinline
func deeper(depth int, f func()) (frame [64]byte) {
	if depth > 0 {
		frame = deeper(depth-1, f)
	} else {
		f()
	}
	frame[depth%64]++
	return frame
}

// A goroutine's stack moves when it grows, between any two instructions of a kernel's caller; what that keeps on its stack has to move along.
func TestStackMoves(t *testing.T) {
	want := make([]float32, 1000)
	FillUniform(want, 1, 2, 0, 0, 1)
	for depth := range 200 {
		got := make([]float32, len(want))
		done := make(chan struct{})
		go func() {
			defer close(done)
			deeper(depth, func() { FillUniform(got, 1, 2, 0, 0, 1) })
		}()
		<-done
		if !slices.Equal(got, want) {
			t.Errorf("numbers differ %d frames down", depth)
		}
	}
}
