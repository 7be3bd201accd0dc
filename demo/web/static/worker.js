// The worker in which Go runs: it creates the memory, instantiates the kernels on it and then the Go program on both.
import "./wasm_exec.js";
import site from "./site.js";
import { createMemory, isFused, kernelCandidates } from "./features.js";

const url = (file) => new URL(file, import.meta.url);

async function compile(file) {
  const response = await fetch(url(file));
  if (!response.ok) throw new Error(`${file}: the server answered ${response.status}`);
  return WebAssembly.compileStreaming(response);
}

/** The exports of the best kernel module, and its name: "relaxed", "simd128", or "none" with functions that trap. */
async function loadKernels(memory) {
  const wanted = new URLSearchParams(location.search).get("kernels");
  for (const name of kernelCandidates()) {
    if (wanted && wanted !== name) continue;
    const { exports } = await WebAssembly.instantiate(await compile(site.kernels[name]), { env: { memory } });
    if (name === "relaxed" && !isFused(exports)) continue;
    return { name, exports };
  }
  return { name: "none", exports: null };
}

async function main() {
  const go = new globalThis.Go();
  const memory = createMemory(site.pages);
  const [kernels, app] = await Promise.all([loadKernels(memory), compile(site.app)]);
  const missing = () => {
    throw new Error("a kernel was called without WebAssembly SIMD");
  };
  const none = () => Object.fromEntries(WebAssembly.Module.imports(app).filter((i) => i.module === "weft").map((i) => [i.name, missing]));
  const exports = kernels.exports ?? { ...none(), variant: () => 0 };
  globalThis.weftKernels = kernels.name;
  globalThis.onmessage = () => globalThis.weftMeasure();
  const instance = await WebAssembly.instantiate(app, { ...go.importObject, env: { memory }, weft: exports });
  await go.run(instance);
  throw new Error("the Go program ended");
}

main().catch((err) => postMessage({ type: "error", message: String(err.message ?? err) }));
