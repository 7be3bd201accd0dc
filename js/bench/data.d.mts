/** n numbers around 0, scale apart at most, from a hash of their positions and the seed. */
export function fill(n: number, seed: number, scale?: number): Float32Array;
