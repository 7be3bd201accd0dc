//go:build !js

package simd

// tileFlops is how much work is worth the wake-up of another thread.
const tileFlops = 1 << 20

// chainBetween is how many elements of images between two convolutions are worth keeping out of memory: those that L2 holds are not, since here depthwise
// convolutions read them where they lie.
const chainBetween = 1 << 18
