// The first thing that the page does: fetch and start the runtime, fetch the weights.
import { init, type InitOptions, type Runtime } from "@weft-ml/weft";
import files from "weft:files";

export interface Starting {
  /** What answers first: where there is one, the smaller runtime that only answers. */
  runtime: Promise<Runtime>;
  weights: Promise<ArrayBuffer>;
  /** Starts the runtime that can do everything; the same one where there is no other. */
  whole(): Promise<Runtime>;
}

/** Starts both; the error says what is missing where this cannot work. */
export async function start(): Promise<Starting> {
  if (typeof WebAssembly !== "object" || typeof WebAssembly.compileStreaming !== "function") {
    throw new Error("This browser has no WebAssembly, which this page computes with. Any browser from 2021 on has it; in a private or lockdown mode it may be switched off.");
  }
  if (typeof Worker !== "function") throw new Error("This browser has no workers, in which this page computes.");
  const query = new URLSearchParams(location.search);
  const kernels = query.get("kernels"); // ?kernels=simd128 or generic: what another browser would run
  const threads = Number(query.get("threads"));
  const lite = files.runtime["weft-lite.wasm"];
  const options = {
    baseURL: new URL(".", document.baseURI),
    ...(kernels === "relaxed" || kernels === "simd128" || kernels === "generic" ? { kernels } : {}),
  } satisfies InitOptions;
  const runtime = init({ ...options, files: lite ? { ...files.runtime, "weft.wasm": lite } : files.runtime });
  const weights = fetch(files.weights).then((answer) => {
    if (!answer.ok) throw new Error(`The weights cannot be fetched: the server answered ${answer.status}.`);
    return answer.arrayBuffer();
  });
  // Whoever awaits one hears of its failure; the other must not count as unhandled meanwhile.
  runtime.catch(() => {});
  weights.catch(() => {});
  const whole = () => (lite ? init({ ...options, files: files.runtime, ...(threads > 0 ? { threads } : {}) }) : runtime);
  return { runtime, weights, whole };
}
