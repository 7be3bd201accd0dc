// The first thing that the page does: fetch the kernels and LeNet's program file, which answer in this thread within microseconds.
// Go's runtime, which trains, follows when the page has answered. This module is a script of its own, so that it runs before the
// page is there.
import type { Runtime } from "@weft-ml/weft";
import { loadProgram, type Program } from "@weft-ml/weft/program";
import files from "weft:files";

const query = new URLSearchParams(location.search);
const kernels = query.get("kernels"); // ?kernels=simd128 or generic: what another browser would run
const threads = query.get("threads"); // ?threads=4

const base = new URL(".", document.baseURI);

/** LeNet's program; undefined where kernels do not run and the runtime has to answer. The error says what is missing. */
async function quick(): Promise<Program | undefined> {
  if (typeof WebAssembly !== "object" || typeof WebAssembly.compileStreaming !== "function") {
    throw new Error("This browser has no WebAssembly, which this page computes with. Any browser from 2021 on has it; in a private or lockdown mode it may be switched off.");
  }
  if (kernels === "generic") return undefined;
  try {
    return await loadProgram(fetch(files.program), { baseURL: base, files: files.runtime, variant: kernels === "simd128" || kernels === "relaxed" ? kernels : "auto" });
  } catch (err) {
    if ((err as { code?: string }).code === "unsupported") return undefined; // no SIMD: the runtime has loops of its own
    throw err;
  }
}

/** The start of LeNet's program. */
export const starting = quick();
starting.catch(() => {}); // whoever awaits it tells of it

/** Starts the runtime, in a worker. */
export async function runtime(): Promise<Runtime> {
  if (typeof Worker !== "function") throw new Error("This browser has no workers, in which this page trains.");
  const { init } = await import("@weft-ml/weft");
  return init({
    baseURL: base,
    files: files.runtime,
    // One processor is left to the page, which must stay smooth.
    threads: Math.floor(Number(threads)) || Math.max(1, Math.min(8, (navigator.hardwareConcurrency || 1) - 1)),
    ...(kernels === "relaxed" || kernels === "simd128" || kernels === "generic" ? { kernels } : {}),
  });
}

/** The model file of LeNet, which the runtime loads. */
export async function weights(): Promise<Uint8Array> {
  const answer = await fetch(files.weights);
  if (!answer.ok) throw new Error(`The weights cannot be fetched: the server answered ${answer.status}.`);
  return new Uint8Array(await answer.arrayBuffer());
}
