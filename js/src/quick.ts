// The short way to a Go that runs in the same thread: calls that are made again and again are a few words in a block of shared memory
// and one call of WebAssembly, without messages or promises. See wasm/api/quick.go for the other side.
import { arrayClass, dtypeOf, sizeOf, type TypedArray } from "./dtype.js";
import type { Program } from "./loader.js";
import { readResponse, Wire } from "./protocol.js";

// Kinds of calls and what they return.
const FREE = 0;
const RUN = 1;
const PREDICT = 2;
const TRAIN = 3;
const READ = 4;
const DECLINED = 0;
const FAILED = 2;

const WORDS = 1024;
const RUN_HEAD = 5;

/**
 * Quick calls. Each returns undefined or false when Go declines: then nothing has happened, and the message that the call stands for is to be
 * sent. What goes wrong is thrown.
 */
export class Quick {
  private block: Uint32Array = new Uint32Array(0);
  private readonly at: number;

  constructor(
    private readonly program: Program,
    /** Calls Go, and throws when it has ended or ends. */
    private readonly guarded: (call: () => number) => number,
  ) {
    this.at = program.block() >>> 0;
  }

  private words(): Uint32Array {
    const { buffer } = this.program.memory;
    if (this.block.buffer !== buffer) this.block = new Uint32Array(buffer, this.at, WORDS); // it has grown
    return this.block;
  }

  /** Makes the call; whether it is done. */
  private call(kind: number): boolean {
    const { program } = this;
    const status = this.guarded(() => program.quick(kind));
    if (status === DECLINED) return false;
    if (status === FAILED) readResponse(new Uint8Array(program.memory.buffer, program.response() >>> 0, program.length() >>> 0).slice());
    return true;
  }

  /** Frees handles. */
  free(ids: readonly number[]): void {
    for (let from = 0; from < ids.length; from += WORDS - 1) {
      const b = this.words();
      const n = Math.min(ids.length - from, WORDS - 1);
      b[0] = n;
      for (let i = 0; i < n; i++) b[1 + i] = ids[from + i]!;
      this.call(FREE);
    }
  }

  /** Runs a compiled function whose program for these shapes ran last. Handles given to be freed are, in any case. */
  run(id: number, step: number, freed: readonly number[], inputs: readonly { id: number }[], outputs: readonly number[]): boolean {
    if (RUN_HEAD + freed.length + inputs.length + outputs.length > WORDS) {
      this.free(freed);
      freed = [];
      if (RUN_HEAD + inputs.length + outputs.length > WORDS) return false;
    }
    const b = this.words();
    b[0] = id;
    b[1] = step;
    b[2] = inputs.length;
    b[3] = outputs.length;
    b[4] = freed.length;
    let at = RUN_HEAD;
    for (let i = 0; i < freed.length; i++) b[at++] = freed[i]!;
    for (let i = 0; i < inputs.length; i++) b[at++] = inputs[i]!.id;
    for (let i = 0; i < outputs.length; i++) b[at++] = outputs[i]!;
    return this.call(RUN);
  }

  /** The outputs of a model of one float32 input for samples in one batch. */
  predict(id: number, samples: number, batch: number, x: Float32Array): Wire[] | undefined {
    const { program } = this;
    const to = program.buffer(x.byteLength) >>> 0;
    new Float32Array(program.memory.buffer, to, x.length).set(x);
    const b = this.words();
    b[0] = id;
    b[1] = samples;
    b[2] = batch;
    b[3] = x.byteLength;
    if (!this.call(PREDICT)) return undefined;
    const words = this.words();
    const list: Wire[] = [];
    for (let n = words[0]!, at = 1; n > 0; n--) {
      const wire = this.array(words, at);
      list.push(wire);
      at += 4 + wire.shape.length;
    }
    return list;
  }

  /** One step of the optimizer on tensors: the loss, and what is measured, in the order of the message's answer. */
  train(id: number, x: number, y: number): number[] | undefined {
    const b = this.words();
    b[0] = id;
    b[1] = x;
    b[2] = y;
    if (!this.call(TRAIN)) return undefined;
    const view = new DataView(this.program.memory.buffer, this.at, 4 * WORDS);
    const list = [view.getFloat64(0, true)];
    for (let n = view.getUint32(8, true), at = 12; n > 0; n--, at += 8) list.push(view.getFloat64(at, true));
    return list;
  }

  /** A tensor's elements, copied. */
  read(id: number): Wire | undefined {
    const b = this.words();
    b[0] = id;
    return this.call(READ) ? this.array(this.words(), 0) : undefined;
  }

  private array(words: Uint32Array, at: number): Wire {
    const [from, bytes, dtype, rank] = [words[at]!, words[at + 1]!, dtypeOf(words[at + 2]!), words[at + 3]!];
    const shape: number[] = [];
    for (let i = 0; i < rank; i++) shape.push(words[at + 4 + i]!);
    const cls = arrayClass(dtype);
    const data = new cls(sizeOf(shape)) as TypedArray;
    (data as Float32Array).set(new cls(this.program.memory.buffer, from, bytes / cls.BYTES_PER_ELEMENT) as Float32Array);
    return new Wire(dtype, shape, data);
  }
}
