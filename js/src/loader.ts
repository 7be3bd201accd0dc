// Starts the Go program: memory, then the kernels on it, then Go on both. Runs in the worker, or in the caller's thread.
import { WeftError } from "./errors.js";
import type { FileURLs } from "./files.js";
import { kernelCandidates, probe, type Features, type KernelName } from "./features.js";
import { goClass, type Go } from "./go-glue.js";
import { compileURL, platform, type LoadProgress } from "./platform.js";
import { startThreads, type Threads } from "./threads.js";

/** What the loader is told; it crosses to the worker as a message. */
export interface LoadOptions {
  urls: FileURLs;
  kernels: "auto" | KernelName;
  /** Threads to compute with; more than one needs shared memory. */
  threads: number;
  set: "core" | "full";
  /** Compiled modules in place of files. */
  modules: { core?: WebAssembly.Module; kernels?: WebAssembly.Module };
  /** Whether this thread may wait for the kernels' threads: not a page's own, which looks until they are done. */
  mayBlock: boolean;
  debug: boolean;
}

/** A running Go program. */
export interface Program {
  memory: WebAssembly.Memory;
  /** Sends a request that lies in Go's memory; see wasm/weft. */
  buffer(length: number): number;
  call(length: number): number;
  length(): number;
  /** The short way; see wasm/api/quick.go. */
  block(): number;
  quick(kind: number): number;
  response(): number;
  /** Runs steps of a program without Go and returns how many; undefined without kernels. */
  steps: ((steps: number, n: number, worker: number, budget: number) => number) | undefined;
  kernels: KernelName;
  threads: Threads | undefined;
  features: Features;
  /** Why nothing better runs. */
  reasons: string[];
  /** Bytes that memory may grow to. */
  maximum: number;
  /** Set when the program has ended, which only a fault makes it do. */
  ended(): WeftError | undefined;
}

type Progress = (progress: LoadProgress) => void;

/** Where a Go program is going to run: its module, a memory, and the kernels on it. */
export interface Ground {
  go: WebAssembly.Module;
  memory: WebAssembly.Memory;
  maximum: number;
  shared: boolean;
  kernels: Kernels;
  /** What the program imports beside Go's own glue. */
  imports: WebAssembly.Imports;
  features: Features;
  reasons: string[];
}

/** Fetches and compiles a program and its kernels, and puts the kernels on a memory for both. */
export async function prepare(options: LoadOptions, progress?: Progress, signal?: AbortSignal): Promise<Ground> {
  const features = probe();
  if (!features.webAssembly) {
    throw new WeftError("unsupported", "weft: there is no WebAssembly here, which Weft computes with; any browser from 2021 on has it, unless a lockdown mode switches it off");
  }
  const reasons: string[] = [];
  const shared = wantsThreads(options, features, reasons);
  const { go, kernels: candidates } = await compileAll(options, features, shared, reasons, progress, signal);
  progress?.({ phase: "start" });
  const { memory, maximum } = createMemory(initialPages(go), shared);
  const kernels = instantiateKernels(candidates, memory, options.kernels, reasons);
  return { go, memory, maximum, shared, kernels, imports: { env: { memory }, weft: kernels.exports ?? stubs(go) }, features, reasons };
}

/** Loads and starts the program. */
export async function load(options: LoadOptions, progress?: Progress, signal?: AbortSignal): Promise<Program> {
  const { go: module, memory, maximum, shared, kernels, imports: ground, features, reasons } = await prepare(options, progress, signal);
  let threads: Threads | undefined;
  if (!options.mayBlock) (kernels.exports?.["program_spins"] as (() => void) | undefined)?.();
  if (shared && kernels.module && kernels.exports) threads = await startThreads(options.threads, kernels.module, memory, options.urls, kernels.exports, reasons);

  const output = new Output(options.debug);
  const go: Go = new (goClass(host(output)))();
  let ended: WeftError | undefined;
  go.exit = (code) => {
    ended = output.error(code);
  };
  let instance: WebAssembly.Instance;
  try {
    instance = await WebAssembly.instantiate(module, { ...go.importObject, ...ground });
  } catch (err) {
    const hint = err instanceof WebAssembly.LinkError ? "; the .wasm files are not of one version: serve those of one package" : "";
    throw new WeftError(hint ? "version" : "unsupported", `weft: the runtime does not start: ${(err as Error).message}${hint}`, { cause: err });
  }
  go.run(instance).catch((err: unknown) => {
    ended ??= new WeftError("internal", `weft: the runtime ended: ${String(err)}`, { cause: err });
  });
  if (ended) throw ended;
  threads?.poll();
  const exports = instance.exports as { [name: string]: any };
  for (const name of ["weft_buffer", "weft_call", "weft_length", "weft_block", "weft_quick", "weft_response"]) {
    if (typeof exports[name] !== "function") throw new WeftError("version", `weft: the runtime's .wasm file has no ${name}: it is no weft.wasm of this package`);
  }
  return {
    memory,
    buffer: exports["weft_buffer"],
    call: exports["weft_call"],
    length: exports["weft_length"],
    block: exports["weft_block"],
    quick: exports["weft_quick"],
    response: exports["weft_response"],
    steps: kernels.exports?.["program_run"] as Program["steps"],
    kernels: kernels.name,
    threads,
    features,
    reasons,
    maximum,
    ended: () => ended,
  };
}

/** Whether memory will be shared, and if threads were asked for in vain, why. */
function wantsThreads(options: LoadOptions, features: Features, reasons: string[]): boolean {
  if (options.threads <= 1) return false;
  const why = !features.atomics
    ? "this WebAssembly has no threads"
    : !features.isolated
      ? "the page is not cross-origin isolated: send COOP and COEP headers, or call isolate()"
      : options.modules.core || options.modules.kernels
        ? "compiled modules were passed in, which are those for one thread"
        : !platform.spawn
          ? "there are no workers here"
          : "";
  if (why) reasons.push(`one thread: ${why}`);
  return !why;
}

interface Compiled {
  go: WebAssembly.Module;
  kernels: { name: KernelName; module: WebAssembly.Module }[];
}

/** Fetches and compiles Go's program and the kernels side by side. */
async function compileAll(options: LoadOptions, features: Features, shared: boolean, reasons: string[], progress?: Progress, signal?: AbortSignal): Promise<Compiled> {
  const { modules } = options;
  const suffix = shared ? "-shared.wasm" : ".wasm";
  const seen = new Map<string, [number, number | undefined]>();
  const fetchModule = (name: string) => {
    const onBytes =
      progress &&
      ((n: number, total?: number) => {
        seen.set(name, [n, total]);
        const all = [...seen.values()];
        progress({ phase: "fetch", loaded: all.reduce((sum, [m]) => sum + m, 0), total: all.every(([, t]) => t) ? all.reduce((sum, [, t]) => sum + t!, 0) : undefined });
      });
    return compileURL(new URL(options.urls[name]!), signal, onBytes);
  };
  const compileKernels = async (): Promise<Compiled["kernels"]> => {
    if (modules.kernels) {
      const wide = options.kernels === "auto" ? (features.relaxed ? "relaxed" : "simd128") : options.kernels;
      return wide === "generic" ? [] : [{ name: wide, module: modules.kernels }];
    }
    const list: Compiled["kernels"] = [];
    for (const name of kernelCandidates(features, options.kernels)) {
      if (name === "generic") break;
      list.push({ name, module: await fetchModule(`kernels-${name}${suffix}`) });
      // A relaxed multiply-add that rounds twice is found out quickly, on a small memory of its own.
      if (name === "simd128" || isFused(list[list.length - 1]!.module, shared)) break;
      list.pop();
      reasons.push("simd128: relaxed SIMD's multiply-add is not fused on this processor");
    }
    return list;
  };
  const core = options.set === "full" ? "weft-full" : "weft";
  const [go, kernels] = await Promise.all([modules.core ?? fetchModule(core + suffix), compileKernels()]);
  progress?.({ phase: "compile" });
  if (!features.relaxed && options.kernels === "auto") {
    reasons.push(features.simd128 ? "simd128: this WebAssembly has no relaxed SIMD" : "generic: this WebAssembly has no SIMD");
  }
  return { go, kernels };
}

/** Whether the kernels' multiply-add rounds once. Browsers may compile it to two roundings. */
function isFused(module: WebAssembly.Module, shared: boolean): boolean {
  const memory = new WebAssembly.Memory(shared ? { initial: 1, maximum: 65536, shared } : { initial: 1 });
  try {
    const { fma_probe } = new WebAssembly.Instance(module, { env: { memory } }).exports as { fma_probe(a: number, b: number, c: number): number };
    return fma_probe(1 + 2 ** -12, 1 + 2 ** -12, -(1 + 2 ** -11)) !== 0;
  } catch {
    return false;
  }
}

/** The kernels that run, "generic" without exports. */
export interface Kernels {
  name: KernelName;
  module?: WebAssembly.Module;
  exports?: WebAssembly.ModuleImports;
}

function instantiateKernels(list: Compiled["kernels"], memory: WebAssembly.Memory, wanted: "auto" | KernelName, reasons: string[]): Kernels {
  for (const { name, module } of list) {
    try {
      const exports = new WebAssembly.Instance(module, { env: { memory } }).exports as WebAssembly.ModuleImports;
      const variant = (exports["variant"] as (() => number) | undefined)?.();
      return { name: variant === 1 ? "simd128" : variant === 2 ? "relaxed" : name, module, exports };
    } catch (err) {
      reasons.push(`the ${name} kernels do not start: ${(err as Error).message}`);
    }
  }
  if (wanted !== "auto" && wanted !== "generic") {
    throw new WeftError("unsupported", `weft: the ${wanted} kernels do not run here${reasons.length ? ` (${reasons.join("; ")})` : ""}; leave out kernels, or ask for "generic"`);
  }
  return { name: "generic" };
}

/** Functions for a Go program without kernels: it is told so and must not call the others. */
function stubs(module: WebAssembly.Module): WebAssembly.ModuleImports {
  const functions: WebAssembly.ModuleImports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    if (from !== "weft") continue;
    functions[name] =
      name === "variant"
        ? () => 0
        : () => {
            throw new Error(`kernel ${name} was called without WebAssembly SIMD`);
          };
  }
  return functions;
}

/** Pages that Go's program starts with, which weftlink has written into it. */
function initialPages(module: WebAssembly.Module): number {
  const [section] = WebAssembly.Module.customSections(module, "weft.memory");
  if (!section || section.byteLength !== 4) {
    throw new WeftError("version", "weft: the runtime's .wasm file does not tell the size of its memory: it is no weft.wasm of this package");
  }
  return new DataView(section).getUint32(0, true);
}

/** A memory with the largest maximum that this device grants; phones refuse large ones. */
function createMemory(initial: number, shared: boolean): { memory: WebAssembly.Memory; maximum: number } {
  let refusal: unknown;
  for (const maximum of [65536, 32768, 16384, 8192, 4096]) {
    try {
      return { memory: new WebAssembly.Memory({ initial, maximum, shared }), maximum: maximum * 65536 };
    } catch (err) {
      refusal = err;
    }
  }
  throw new WeftError("memory", `weft: this device grants no WebAssembly memory of 256 MB: ${(refusal as Error).message}; close other tabs`, { cause: refusal });
}

/** What Go writes to its standard streams: kept for the error's message, shown on the console when it debugs. */
class Output {
  private text = "";
  private readonly decoder = new TextDecoder();

  constructor(private readonly debug: boolean) {}

  write(bytes: Uint8Array): void {
    const text = this.decoder.decode(bytes);
    this.text = (this.text + text).slice(-4096);
    if (this.debug) console.log(text.trimEnd());
  }

  error(code: number): WeftError {
    const first = this.text.split("\n").find((line) => /^(fatal error|panic|runtime)/.test(line)) ?? `it exited with code ${code}`;
    if (/out of memory|cannot allocate/.test(this.text)) {
      return new WeftError("memory", `weft: the runtime ran out of memory (${first}); it has ended: call init() again, with smaller batches or a memoryBudget`);
    }
    return new WeftError("internal", `weft: the runtime ended: ${first}; call init() again`, { cause: this.text });
  }
}

/** The global object that Go sees: what its standard library looks up, and nothing of the page. */
function host(output: Output) {
  const enosys = () => Object.assign(new Error("not implemented"), { code: "ENOSYS" });
  const fs = new Proxy(
    {
      constants: { O_WRONLY: -1, O_RDWR: -1, O_CREAT: -1, O_TRUNC: -1, O_APPEND: -1, O_EXCL: -1, O_DIRECTORY: -1 },
      writeSync(_fd: number, bytes: Uint8Array) {
        output.write(bytes.slice());
        return bytes.length;
      },
      write(_fd: number, bytes: Uint8Array, _offset: number, _length: number, _position: null, done: (err: Error | null, n: number) => void) {
        output.write(bytes.slice());
        done(null, bytes.length);
      },
    } as { [name: string]: unknown },
    { get: (target, name: string) => target[name] ?? ((...args: unknown[]) => (args[args.length - 1] as (err: Error) => void)(enosys())) },
  );
  const denied = () => {
    throw enosys();
  };
  const process = { getuid: () => -1, getgid: () => -1, geteuid: () => -1, getegid: () => -1, getgroups: denied, pid: -1, ppid: -1, umask: denied, cwd: denied, chdir: denied };
  return { fs, process, path: { resolve: (...parts: string[]) => parts.join("/") }, Object, Array, Uint8Array, Date, Error, crypto, performance, TextEncoder, TextDecoder };
}
