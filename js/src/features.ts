// What this browser, worker or Node can run. Nothing here touches window or document.

/** Kernel modules; "generic" stands for Go's own loops. */
export type KernelName = "relaxed" | "simd128" | "generic";

// Smallest modules that use one instruction each: validate answers without compiling anything for real.
// (module (func (result v128) i32.const 0 i8x16.splat i8x16.popcnt))
const simd128 = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];
// (module (func (param v128 v128 v128) (result v128) local.get 0 local.get 1 local.get 2 f32x4.relaxed_madd))
const relaxed = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 8, 1, 96, 3, 123, 123, 123, 1, 123, 3, 2, 1, 0, 10, 13, 1, 11, 0, 32, 0, 32, 1, 32, 2, 253, 133, 2, 11,
];
// (module (memory 1 1 shared) (func (drop (memory.atomic.notify (i32.const 0) (i32.const 0)))))
const threads = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 5, 4, 1, 3, 1, 1, 10, 13, 1, 11, 0, 65, 0, 65, 0, 254, 0, 2, 0, 26, 11,
];

const valid = (module: number[]) => WebAssembly.validate(new Uint8Array(module));

/** What the WebAssembly of this place has. */
export interface Features {
  webAssembly: boolean;
  simd128: boolean;
  relaxed: boolean;
  /** Instructions for threads; without isolation there is no memory to use them on. */
  atomics: boolean;
  /** Whether memory may be shared here: in a browser, whether the page is cross-origin isolated. */
  isolated: boolean;
  /** Processors that the system tells of. */
  cores: number;
}

/** Probes the features. */
export function probe(): Features {
  const webAssembly = typeof WebAssembly === "object" && typeof WebAssembly.validate === "function";
  const scope = globalThis as { crossOriginIsolated?: boolean; navigator?: { hardwareConcurrency?: number } };
  return {
    webAssembly,
    simd128: webAssembly && valid(simd128),
    relaxed: webAssembly && valid(relaxed),
    atomics: webAssembly && valid(threads),
    isolated: typeof SharedArrayBuffer === "function" && scope.crossOriginIsolated !== false,
    cores: scope.navigator?.hardwareConcurrency ?? 1,
  };
}

/** Names of the kernel modules to try, the fastest first. */
export function kernelCandidates(features: Features, wanted: "auto" | KernelName): KernelName[] {
  const names: KernelName[] = [];
  if (features.relaxed) names.push("relaxed");
  if (features.simd128) names.push("simd128");
  names.push("generic");
  return wanted === "auto" ? names : names.filter((name) => name === wanted);
}
