// Deterministic data, made in the same way for every runtime of the comparison.

/** @param {number} n @param {number} seed @param {number} [scale] */
export function fill(n, seed, scale = 1) {
  const o = new Float32Array(n);
  const b = Math.imul(seed, 0x9e3779b9);
  for (let i = 0; i < n; i++) {
    let x = (i + b) | 0;
    x ^= x >>> 16;
    x = Math.imul(x, 0x7feb352d);
    x ^= x >>> 15;
    x = Math.imul(x, 0x846ca68b);
    x ^= x >>> 16;
    o[i] = ((x >>> 8) / 16777216 - 0.5) * scale;
  }
  return o;
}
