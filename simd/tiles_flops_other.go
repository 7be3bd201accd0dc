//go:build !js

package simd

// tileFlops is how much work is worth the wake-up of another thread.
const tileFlops = 1 << 20
