// The bytes of a program file; core/compile/export.go writes them and says what they mean.
import { dtypeOf } from "./dtype.js";
import { WeftError } from "./errors.js";
import type { ProgramValue } from "./program.js";

/** A program's step table for one variant of the kernel module. */
export interface Variant {
  stepSize: number;
  kernelSize: number;
  kernelIndex: number;
  workerSize: number;
  /** The kernel set as compiled kernels see it, and the places of addresses in it, relative to its start. */
  image: Uint8Array;
  relocations: number[];
  arena: number;
  scratch: number;
  bound: Uint8Array;
  packs: number[];
  kernels: string[];
  packing: number;
  steps: Uint8Array;
}

const MAGIC = "weftprog";
const FORMAT = 1;

/** Reads a program file. Lengths are checked against what is there. */
export class Reader {
  readonly variants: { [name: string]: Variant } = {};
  readonly inputs: ProgramValue[] = [];
  readonly outputs: ProgramValue[] = [];
  /** Where the part begins that all variants share. */
  readonly tail: number = 0;
  /** Contents of variables and constants. */
  readonly regions: Uint8Array[] = [];
  readonly metadata: { [key: string]: string } = {};
  /** The variants as they stand in the file. */
  readonly bodies: Uint8Array[] = [];
  private at = MAGIC.length;

  constructor(private bytes: Uint8Array) {
    if (new TextDecoder().decode(bytes.subarray(0, MAGIC.length)) !== MAGIC) throw new WeftError("format", "weft: this is no program file; ONNX models are loaded with init() and load()");
    const format = this.u32();
    if (format !== FORMAT) throw new WeftError("version", `weft: the program file has format ${format}, this package reads ${FORMAT}; export it again`);
    const all = this.bytes;
    for (let n = this.u32(); n > 0; n--) {
      const body = this.blob();
      this.bodies.push(body);
      const after = this.at;
      this.bytes = body;
      this.at = 0;
      this.variant();
      this.bytes = all;
      this.at = after;
    }
    this.at = Math.ceil(this.at / 8) * 8;
    this.tail = this.at;
    const [ins, outs] = [this.u32(), this.u32()];
    for (let i = 0; i < ins; i++) this.inputs.push(this.value());
    for (let i = 0; i < outs; i++) this.outputs.push(this.value());
    for (let n = this.u32(); n > 0; n--) this.regions.push(this.blob());
    for (let n = this.u32(); n > 0; n--) this.metadata[this.text()] = this.text();
  }

  private variant(): void {
    const name = this.text();
    const [stepSize, kernelSize, kernelIndex, workerSize] = [this.u32(), this.u32(), this.u32(), this.u32()];
    const image = this.blob();
    const relocations = this.list(() => this.u32());
    const [arena, scratch] = [this.u32(), this.u32()];
    const bound = this.blob();
    const packs = this.list(() => this.u32());
    const kernels = this.list(() => this.text());
    const [packing, count] = [this.u32(), this.u32()];
    const steps = this.blob();
    const view = new DataView(steps.buffer, steps.byteOffset, steps.length);
    let good = steps.length === count * stepSize && packing <= count && kernelIndex + 4 <= kernelSize && workerSize >= 56 && stepSize >= 128 && relocations.every((at) => at + 8 <= image.length);
    for (let i = 0; good && i < count; i++) good = view.getUint32(i * stepSize, true) < kernels.length;
    if (!good) throw this.damaged();
    this.variants[name] = { stepSize, kernelSize, kernelIndex, workerSize, image, relocations, arena, scratch, bound, packs, kernels, packing, steps };
  }

  private list<T>(read: () => T): T[] {
    const list: T[] = [];
    for (let n = this.u32(); n > 0; n--) list.push(read());
    return list;
  }

  private value(): ProgramValue {
    const name = this.text();
    const dtype = dtypeOf(this.u32());
    return { name, dtype, shape: this.list(() => this.u32()) };
  }

  private take(n: number): Uint8Array {
    if (n > this.bytes.length - this.at) throw this.damaged();
    this.at += n;
    return this.bytes.subarray(this.at - n, this.at);
  }

  private u32(): number {
    const b = this.take(4);
    return (b[0]! | (b[1]! << 8) | (b[2]! << 16) | (b[3]! << 24)) >>> 0;
  }

  private text(): string {
    return new TextDecoder().decode(this.take(this.u32()));
  }

  private blob(): Uint8Array {
    const n = this.u32();
    this.at = Math.ceil(this.at / 8) * 8;
    return this.take(n);
  }

  private damaged(): WeftError {
    return new WeftError("format", `weft: the program file is damaged at byte ${this.at}`);
  }
}

/**
 * Joins program files of one model for different kernels, as `model.export()` gives them under different kernels, into one that runs under all of
 * these; the weights stand in it once.
 */
export function joinPrograms(...files: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const read = files.map((bytes) => new Reader(bytes));
  const tails = read.map((r, i) => files[i]!.subarray(r.tail));
  tails.forEach((tail, i) => {
    if (tail.length !== tails[0]!.length || tail.some((b, k) => b !== tails[0]![k])) throw new WeftError("argument", `weft: program file ${i + 1} has other weights, inputs or outputs than the first`);
  });
  const bodies = read.flatMap((r) => r.bodies);
  const align = (n: number) => Math.ceil(n / 8) * 8;
  let at = MAGIC.length + 8;
  const places = bodies.map((b) => {
    const from = align(at + 4);
    const length = at;
    at = from + b.length;
    return { length, from };
  });
  const out = new Uint8Array(align(at) + (tails[0]?.length ?? 0));
  const view = new DataView(out.buffer);
  out.set(new TextEncoder().encode(MAGIC));
  view.setUint32(MAGIC.length, FORMAT, true);
  view.setUint32(MAGIC.length + 4, bodies.length, true);
  bodies.forEach((b, i) => {
    view.setUint32(places[i]!.length, b.length, true);
    out.set(b, places[i]!.from);
  });
  if (tails[0]) out.set(tails[0], align(at));
  return out;
}
