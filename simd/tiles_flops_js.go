package simd

// tileFlops is how much work is worth another thread: 8 us, where sharing a step costs one while the threads still look for work, and waking them a few.
const tileFlops = 1 << 19

// chainBetween is how many elements of images between two convolutions are worth keeping out of memory: those that a part of L2 holds are not.
const chainBetween = 1 << 17
