// Which kernel module this browser can run.

// Smallest modules that use one instruction each: validate answers without compiling anything for real.
// (module (func (result v128) i32.const 0 i8x16.splat i8x16.popcnt))
const simd128 = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
]);
// (module (func (param v128 v128 v128) (result v128) local.get 0 local.get 1 local.get 2 f32x4.relaxed_madd))
const relaxed = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 8, 1, 96, 3, 123, 123, 123, 1, 123, 3, 2, 1, 0, 10, 13, 1, 11, 0, 32, 0, 32, 1, 32, 2,
  253, 133, 2, 11,
]);

/** Names of the kernel modules to try, the fastest first. */
export function kernelCandidates() {
  const names = [];
  if (WebAssembly.validate(relaxed)) names.push("relaxed");
  if (WebAssembly.validate(simd128)) names.push("simd128");
  return names;
}

/** Whether an instance of the relaxed kernels rounds a multiply-add once. Browsers may compile it to two roundings. */
export function isFused(kernels) {
  return kernels.fma_probe(1 + 2 ** -12, 1 + 2 ** -12, -(1 + 2 ** -11)) !== 0;
}

/** A memory with the largest maximum that this device grants; phones refuse large ones. */
export function createMemory(initial) {
  let refusal;
  for (const maximum of [65536, 32768, 16384, 8192, 4096]) {
    try {
      return new WebAssembly.Memory({ initial, maximum });
    } catch (err) {
      refusal = err;
    }
  }
  throw new Error(`This device grants no WebAssembly memory of 256 MB: ${refusal.message}`);
}
