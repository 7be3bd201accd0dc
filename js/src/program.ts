// Program files: a model bound to fixed shapes, as data that the kernel module runs by itself. A page that only predicts needs no Go.
import { sizeOf, arrayClass, type DType } from "./dtype.js";
import { WeftError } from "./errors.js";
import { kernelCandidates, probe, type KernelName } from "./features.js";
import { fileURLs } from "./files.js";
import { compileURL } from "./platform.js";
import { Reader, type Variant } from "./program-file.js";

export { joinPrograms } from "./program-file.js";

/** Where {@link loadProgram} finds the kernels. */
export interface ProgramOptions {
  /** Folder of the package's .wasm files; without one, they lie beside the package's code. */
  baseURL?: string | URL;
  /** Other names of single files, relative to the folder: `{"kernels-relaxed.wasm": "kernels-relaxed.1a2b3c.wasm"}`. */
  files?: { [name: string]: string };
  /** A kernel module that is compiled already, or being compiled (one without shared memory). */
  kernels?: WebAssembly.Module | Promise<WebAssembly.Module>;
  /** Which kernels to use; the fastest that run here without it. */
  variant?: "auto" | "relaxed" | "simd128";
  signal?: AbortSignal;
}

/** An input or output of a program. */
export interface ProgramValue {
  name: string;
  /** As in ONNX: "float32", "uint8", ... */
  dtype: DType;
  shape: number[];
}

const PAGE = 65536;
const SLICE = 24; // a Go slice: address, length, capacity, 8 bytes each
const STACK = 64 << 10;
const BUDGET = 1 << 30; // tiles of one call: all

interface Exports {
  variant(): number;
  fma_probe(a: number, b: number, c: number): number;
  program_data(): number;
  program_start(stack: number, data: number, shared: number, write: number): void;
  program_step(hash: bigint): number;
  program_run(steps: number, n: number, worker: number, budget: number): number;
}

/**
 * A loaded program file. `run` computes at once, in the caller's thread: it is meant for small models, whose answer takes less time than a message to a
 * worker.
 *
 * ```js
 * const lenet = await loadProgram("./lenet.weft");
 * const logits = lenet.run(pixels); // Float32Array of 784 in, of 10 out
 * ```
 */
export class Program {
  readonly inputs: readonly ProgramValue[];
  readonly outputs: readonly ProgramValue[];
  /** Metadata of the model: how it was trained. */
  readonly metadata: { readonly [key: string]: string };
  readonly kernels: KernelName;
  readonly numerics: "fma" | "muladd";

  private readonly exports: Exports;
  private readonly memory: WebAssembly.Memory;
  private readonly ins: { at: number; bytes: number }[];
  private readonly outs: { at: number; bytes: number }[];
  private readonly steps: number;
  private readonly count: number;
  private readonly worker: number;
  private digit: { step: number; worker: number; rgba: number; out: number; problem: number; width: number; height: number } | undefined;
  private top: number;
  private readonly variant: Variant;

  /** @internal */
  constructor(file: Reader, variant: Variant, module: WebAssembly.Module, name: KernelName) {
    this.inputs = file.inputs;
    this.outputs = file.outputs;
    this.metadata = file.metadata;
    this.kernels = name;
    this.numerics = name === "relaxed" ? "fma" : "muladd";
    this.variant = variant;

    // Everything gets its address first, then memory as large as that takes.
    this.top = 1024;
    const place = (bytes: number, align = 64): number => {
      this.top = Math.ceil(this.top / align) * align;
      const at = this.top;
      this.top += bytes;
      return at;
    };
    const stack = place(STACK) + STACK;
    const image = place(variant.image.length);
    const pointer = place(8, 8);
    const shared = place(8, 8);
    const random = place(16);
    const regions: { at: number; bytes: number; data?: Uint8Array }[] = [];
    const region = (bytes: number, data?: Uint8Array, at = place(bytes)) => regions[regions.push({ at, bytes, data }) - 1]!;
    region(variant.arena);
    region(16, undefined, random);
    region(variant.bound.length, variant.bound);
    this.ins = file.inputs.map((v) => region(byteSize(v)));
    this.outs = file.outputs.map((v) => region(byteSize(v)));
    for (const data of file.regions) region(data.length, data);
    for (const bytes of variant.packs) region(bytes);
    const headers = place(regions.length * SLICE, 8);
    const scratch = place(variant.scratch);
    this.worker = place(variant.workerSize, 8);
    const kernels = place(variant.kernels.length * variant.kernelSize, 8);
    const table = place(variant.steps.length, 8);
    const data = place(0, 16);

    // The module's own tables come last: their size is known when it has been instantiated, on a memory that grows then.
    this.memory = new WebAssembly.Memory({ initial: Math.ceil((this.top + PAGE) / PAGE) });
    this.exports = new WebAssembly.Instance(module, { env: { memory: this.memory } }).exports as unknown as Exports;
    if (typeof this.exports.program_run !== "function") throw new WeftError("version", "weft: the kernel module runs no programs: it is not of this version of the package");
    place(this.exports.program_data(), 1);
    this.grow();

    const bytes = new Uint8Array(this.memory.buffer);
    const view = new DataView(this.memory.buffer);
    const address = (at: number, to: number) => view.setUint32(at, to, true); // the upper half of Go's 8 bytes stays 0
    bytes.set(variant.image, image);
    for (const at of variant.relocations) address(image + at, image + view.getUint32(image + at, true));
    address(pointer, image);
    address(shared, pointer);
    this.exports.program_start(stack, data, shared, 1);
    regions.forEach((r, i) => {
      if (r.data) bytes.set(r.data, r.at);
      this.slice(view, headers + i * SLICE, r.at, r.bytes);
    });
    this.slice(view, this.worker, headers, regions.length);
    this.slice(view, this.worker + SLICE, scratch, variant.scratch);
    variant.kernels.forEach((kernel, i) => {
      const number = this.exports.program_step(hash(kernel));
      if (number <= 0) throw new WeftError("version", `weft: the kernel module has no step kernel ${kernel}: the program file is of another version of the package; export it again`);
      view.setInt32(kernels + i * variant.kernelSize + variant.kernelIndex, number, true);
    });
    bytes.set(variant.steps, table);
    const all = variant.steps.length / variant.stepSize;
    for (let i = 0; i < all; i++) {
      const at = table + i * variant.stepSize;
      address(at, kernels + view.getUint32(at, true) * variant.kernelSize);
    }
    this.execute(table, variant.packing, this.worker);
    this.steps = table + variant.packing * variant.stepSize;
    this.count = all - variant.packing;
  }

  /** Runs the program on its inputs, each as a typed array of its element type and size, and returns copies of the outputs. */
  runAll(...inputs: ArrayBufferView[]): Uint8Array[] {
    if (inputs.length !== this.ins.length) throw new WeftError("argument", `weft: the program takes ${this.ins.length} inputs, not ${inputs.length}`);
    const bytes = new Uint8Array(this.memory.buffer);
    inputs.forEach((x, i) => {
      const { at, bytes: size } = this.ins[i]!;
      const { name, dtype, shape } = this.inputs[i]!;
      if (x.byteLength !== size) throw new WeftError("shape", `weft: input ${name} is ${dtype} [${shape}], ${size} bytes, not ${x.byteLength}`);
      bytes.set(new Uint8Array(x.buffer, x.byteOffset, size), at);
    });
    this.execute(this.steps, this.count, this.worker);
    return this.outs.map(({ at, bytes: size }) => new Uint8Array(this.memory.buffer).slice(at, at + size));
  }

  /** Runs a program of one float32 input and returns its first output, which is float32 too. */
  run(x: Float32Array): Float32Array {
    if (this.inputs[0]?.dtype !== "float32" || this.outputs[0]?.dtype !== "float32") {
      throw new WeftError("dtype", "weft: run() takes and gives float32; the program's input or output is of another type: use runAll()");
    }
    return new Float32Array(this.runAll(x)[0]!.buffer);
  }

  /**
   * A picture of one digit, as a canvas gives it (RGBA, any size), as networks trained on MNIST want it: 784 values in 0..1, row by row, the ink's box
   * scaled to 20x20 and its centre of mass in the middle. null for a picture without ink. The same bits as `weft predict` computes.
   */
  digitImage(rgba: Uint8ClampedArray | Uint8Array, width: number, height: number): Float32Array | null {
    const pixels = width * height;
    if (!(pixels > 0) || rgba.length !== 4 * pixels) throw new WeftError("shape", `weft: a picture of ${width}x${height} has ${4 * pixels} bytes in RGBA, not ${rgba.length}`);
    if (this.digit?.width !== width || this.digit.height !== height) this.prepareDigit(width, height);
    const { step, worker, out, problem } = this.digit!;
    const view = new DataView(this.memory.buffer);
    new Uint8Array(this.memory.buffer).set(rgba, this.digit!.rgba);
    this.execute(step, 1, worker);
    if (view.getInt32(problem, true) !== 0) return null;
    return new Float32Array(this.memory.buffer.slice(out, out + 4 * 784));
  }

  private prepareDigit(width: number, height: number): void {
    const number = this.exports.program_step(hash("Digit"));
    if (number <= 0) throw new WeftError("version", "weft: the kernel module prepares no digits: it is not of this version of the package");
    const pixels = width * height;
    // Behind the program, in the place of the size before: pictures of changing sizes take no more than the largest.
    let top = this.top;
    const place = (bytes: number): number => {
      const at = Math.ceil(top / 64) * 64;
      top = at + bytes;
      return at;
    };
    // Brightness, the ink's box, and what scaling to 20 columns or rows needs (core/data/preprocess).
    const scratchBytes = 4 * (2 * pixels + 24 * (width + height) + 24 * Math.max(width, height) + 2048);
    const [out, rgba, problem, scratch] = [place(4 * 784), place(4 * pixels), place(4), place(scratchBytes)];
    const [headers, worker, kernel, step] = [place(3 * SLICE), place(this.variant.workerSize), place(this.variant.kernelSize), place(this.variant.stepSize)];
    this.grow(top);
    const view = new DataView(this.memory.buffer);
    new Uint8Array(this.memory.buffer).fill(0, headers, top);
    [
      [out, 4 * 784],
      [rgba, 4 * pixels],
      [problem, 4],
    ].forEach(([at, bytes], i) => {
      this.slice(view, headers + i * SLICE, at!, bytes!);
      view.setUint32(step + 16 + 8 * i + 4, i << 12, true); // an address: the region's number from bit 44 on
    });
    this.slice(view, worker, headers, 3);
    this.slice(view, worker + SLICE, scratch, scratchBytes);
    view.setInt32(kernel + this.variant.kernelIndex, number, true);
    view.setUint32(step, kernel, true);
    view.setInt32(step + 8, 1, true);
    view.setInt32(step + 12, scratchBytes, true);
    const sizes = step + 16 + 12 * 8; // N follows the kernel, tiles and scratch, and 12 addresses
    view.setInt32(sizes, width, true);
    view.setInt32(sizes + 4, height, true);
    this.digit = { step, worker, rgba, out, problem, width, height };
  }

  private slice(view: DataView, at: number, to: number, length: number): void {
    view.setUint32(at, to, true);
    view.setUint32(at + 8, length, true);
    view.setUint32(at + 16, length, true);
  }

  private execute(steps: number, n: number, worker: number): void {
    for (let done = 0; done < n; ) {
      const ran = this.exports.program_run(steps + done * this.variant.stepSize, n - done, worker, BUDGET);
      if (ran <= 0) throw new WeftError("internal", `weft: step ${done + 1} of ${n} of the program failed`);
      done += ran;
    }
  }

  private grow(top = this.top): void {
    const missing = top - this.memory.buffer.byteLength;
    if (missing <= 0) return;
    try {
      this.memory.grow(Math.ceil(missing / PAGE));
    } catch (err) {
      throw new WeftError("memory", `weft: the program needs ${Math.ceil(top / 1e6)} MB of memory, which this device does not grant`, { cause: err });
    }
  }
}

const byteSize = (v: ProgramValue): number => sizeOf(v.shape) * arrayClass(v.dtype).BYTES_PER_ELEMENT;

/** 64-bit FNV-1a, by which the module knows its step kernels. */
function hash(text: string): bigint {
  let h = 14695981039346656037n;
  for (let i = 0; i < text.length; i++) h = BigInt.asUintN(64, (h ^ BigInt(text.charCodeAt(i))) * 1099511628211n);
  return BigInt.asIntN(64, h);
}

/**
 * Loads a program file and the kernels that run it: together some 60 KB of code (compressed) and the model's weights. Program files are made by
 * {@link LayersModel.export}.
 */
export async function loadProgram(source: string | URL | ArrayBuffer | Uint8Array | Response | Promise<Response>, options: ProgramOptions = {}): Promise<Program> {
  const { signal } = options;
  const features = probe();
  if (!features.simd128) throw new WeftError("unsupported", "weft: there is no WebAssembly SIMD here, which program files need; load the model with init() and load()");
  const wanted = options.variant ?? "auto";
  const candidates = kernelCandidates(features, wanted).filter((name) => name !== "generic");
  const urls = fileURLs(options.baseURL, options.files);
  const get = (name: KernelName) => compileURL(new URL(urls[`kernels-${name}.wasm`]!), signal);
  const kernels = options.kernels
    ? Promise.resolve(options.kernels).then((module) => ({ module, name: nameOf(module) }))
    : pick(candidates, get);
  const [bytes, chosen] = await Promise.all([read(source, signal), kernels]);
  const file = new Reader(bytes);
  let { module, name } = chosen;
  if (!file.variants[name] && !options.kernels && wanted === "auto" && file.variants["simd128"]) {
    ({ module, name } = await pick(["simd128"], get));
  }
  const variant = file.variants[name];
  if (!variant) throw new WeftError("version", `weft: the program file has steps for ${Object.keys(file.variants).join(", ")}, not for the ${name} kernels`);
  return new Program(file, variant, module, name);
}

async function read(source: string | URL | ArrayBuffer | Uint8Array | Response | Promise<Response>, signal?: AbortSignal): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  const response = typeof source === "string" || source instanceof URL ? await fetch(source, { signal }) : await source;
  if (!response.ok) throw new WeftError("format", `weft: ${response.url}: the server answered ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** The first module whose kernels do what their name says: relaxed multiply-add must round once. */
async function pick(names: KernelName[], get: (name: KernelName) => Promise<WebAssembly.Module>): Promise<{ module: WebAssembly.Module; name: KernelName }> {
  for (const name of names) {
    const module = await get(name);
    if (nameOf(module) === name) return { module, name };
  }
  throw new WeftError("unsupported", `weft: none of the kernels ${names.join(", ")} runs here; load the model with init() and load()`);
}

function nameOf(module: WebAssembly.Module): KernelName {
  const { variant, fma_probe } = new WebAssembly.Instance(module, { env: { memory: new WebAssembly.Memory({ initial: 1 }) } }).exports as unknown as Exports;
  if (variant() !== 2) return "simd128";
  return fma_probe(1 + 2 ** -12, 1 + 2 ** -12, -(1 + 2 ** -11)) !== 0 ? "relaxed" : "generic";
}
