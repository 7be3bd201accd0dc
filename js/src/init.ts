// init(): starts a runtime.
import { Core } from "./core.js";
import { WeftError } from "./errors.js";
import { probe, type KernelName } from "./features.js";
import { fileURLs } from "./files.js";
import type { LoadOptions } from "./loader.js";
import { platform, type LoadProgress } from "./platform.js";
import { Runtime, type GoFacts } from "./runtime.js";
import { startLocal, startWorker, type Transport } from "./transport.js";
import { VERSION } from "./version.js";

/** Options of `init`. */
export interface InitOptions {
  /** Whether calls run in a worker: true where there are workers, false in Node and on Cloudflare. */
  worker?: boolean;
  /**
   * Threads to compute with; more than one needs a page that is cross-origin isolated. "auto" takes one for each processor, up to 8, and is the default in
   * pages' workers; elsewhere it is 1. The results are the same.
   */
  threads?: number | "auto";
  /** Kernels to use; the fastest that run by default. */
  kernels?: "auto" | KernelName;
  /** Bytes that tensors and models may take; a call that needs more rejects with code "memory". */
  memoryBudget?: number;
  /** Seed of random numbers and of models that have none. */
  seed?: number;
  /** Folder of worker.js and the .wasm files; where the package's code lies by default. */
  baseURL?: string | URL;
  /** Other names of single files, relative to that folder. */
  files?: { [name: string]: string };
  /** Compiled modules in place of files, as Cloudflare needs them. */
  wasm?: { core?: WebAssembly.Module | Promise<WebAssembly.Module>; kernels?: WebAssembly.Module | Promise<WebAssembly.Module> };
  /** Operators: those of common models, or all of ONNX that Weft has. */
  set?: "core" | "full";
  signal?: AbortSignal;
  /** Hears how far the start is. */
  onProgress?: (progress: LoadProgress) => void;
  /** Warns of handles that were lost without dispose(), and shows what Go prints. */
  debug?: boolean;
}

const runtimes = new Map<string, Promise<Runtime>>();

/**
 * Starts a runtime, in a worker where there are workers. A second call with the same options returns the same runtime; after a failure or
 * after `close()` a new one is started.
 *
 * @example
 * ```ts
 * import { init } from "@weft-ml/weft";
 * const weft = await init();
 * ```
 */
export function init(options: InitOptions = {}): Promise<Runtime> {
  const { signal, onProgress, wasm, ...plain } = options;
  if (signal?.aborted) return Promise.reject(signal.reason);
  const key = wasm ? undefined : JSON.stringify({ ...plain, baseURL: plain.baseURL && String(plain.baseURL) });
  const known = key === undefined ? undefined : runtimes.get(key);
  const restart = () => {
    if (key !== undefined && runtimes.get(key) === known) runtimes.delete(key);
    return init(options);
  };
  if (known) return known.then((runtime) => (runtime.core.transport.ended() ? restart() : runtime));
  const forget = () => {
    if (key !== undefined && runtimes.get(key) === starting) runtimes.delete(key);
  };
  const starting = start(options, () => forget());
  if (key !== undefined) {
    runtimes.set(key, starting);
    starting.catch(forget);
  }
  return starting;
}

async function start(options: InitOptions, onClose: () => void): Promise<Runtime> {
  const { worker = platform.workerByDefault, kernels = "auto", threads = worker && platform.workerByDefault ? "auto" : 1, memoryBudget, seed = 0, set = "core", signal, onProgress, debug = false } = options;
  check(options);
  const features = probe();
  const [core, kernelModule] = await Promise.all([options.wasm?.core, options.wasm?.kernels]);
  const load: LoadOptions = {
    urls: fileURLs(options.baseURL, options.files),
    kernels,
    threads: threads === "auto" ? Math.max(1, Math.min(8, features.cores)) : threads,
    set,
    modules: { ...(core && { core }), ...(kernelModule && { kernels: kernelModule }) },
    mayBlock: worker || !("document" in globalThis),
    debug,
  };
  if (worker && !platform.spawn) throw new WeftError("unsupported", "weft: there are no workers here; leave worker out");
  const transport = await (worker ? startWorker(load, onProgress, signal) : startLocal(load, onProgress, signal));
  let facts: GoFacts;
  try {
    if (signal?.aborted) throw signal.reason;
    facts = await transport.call("init", { seed, memoryBudget, threads: transport.started.threads });
    if (facts.kernels.startsWith("generic")) facts.kernels = "generic"; // Go names the class of its loops too
    handshake(facts, transport);
  } catch (err) {
    transport.close();
    throw err;
  }
  return new Runtime(new Core(transport, debug), facts, memoryBudget ?? 0, seed, onClose);
}

/** JavaScript and Go must be of one package, and Go must use the kernels that it was given. */
function handshake(facts: GoFacts, transport: Transport): void {
  if (facts.version !== VERSION) {
    throw new WeftError("version", `weft: the JavaScript is version ${VERSION}, the .wasm file ${facts.version}: serve the files of one package, and check what the browser or a service worker keeps`);
  }
  if (facts.kernels !== transport.started.kernels) {
    throw new WeftError("version", `weft: the runtime uses the ${facts.kernels} kernels but was given ${transport.started.kernels}: the .wasm files are not of one package`);
  }
}

function check({ kernels, threads, memoryBudget, set }: InitOptions): void {
  const bad = (what: string) => {
    throw new WeftError("argument", `weft: init: ${what}`);
  };
  if (kernels !== undefined && !["auto", "relaxed", "simd128", "generic"].includes(kernels)) bad(`kernels is "auto", "relaxed", "simd128" or "generic", not ${JSON.stringify(kernels)}`);
  if (threads !== undefined && threads !== "auto" && !(Number.isInteger(threads) && threads >= 1)) bad(`threads is a whole number from 1 up or "auto", not ${JSON.stringify(threads)}`);
  if (memoryBudget !== undefined && !(memoryBudget > 0)) bad(`memoryBudget is a number of bytes, not ${JSON.stringify(memoryBudget)}`);
  if (set !== undefined && set !== "core" && set !== "full") bad(`set is "core" or "full", not ${JSON.stringify(set)}`);
}
