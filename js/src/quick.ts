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

const WORDS = 1020;
const RUN_HEAD = 5;
// Words behind them: how a call is made again.
const STEPS = WORDS;
const COUNT = WORDS + 1;
const WORKER = WORDS + 2;
const REPEATS = WORDS + 3;
const BUDGET = 1 << 30; // tiles of one call: all

/** The last call, which can be made again without Go. */
interface Again {
  kind: number;
  /** What the call was given: function, inputs and outputs; or model, samples and batch. */
  key: readonly number[];
  steps: number;
  count: number;
  worker: number;
  /** Of a prediction: where the samples go, and the words that describe the outputs. */
  to: number;
  arrays: Uint32Array | undefined;
}

/**
 * Quick calls. Each returns undefined or false when Go declines: then nothing has happened, and the message that the call stands for is to be
 * sent. What goes wrong is thrown.
 */
export class Quick {
  private block: Uint32Array = new Uint32Array(0);
  private readonly at: number;
  private again: Again | undefined;

  constructor(
    private readonly program: Program,
    /** Calls Go, and throws when it has ended or ends. */
    private readonly guarded: (call: () => number) => number,
  ) {
    this.at = program.block() >>> 0;
  }

  private words(): Uint32Array {
    const { buffer } = this.program.memory;
    if (this.block.buffer !== buffer) this.block = new Uint32Array(buffer, this.at, REPEATS + 1); // it has grown
    return this.block;
  }

  /** Makes the call; whether it is done. */
  private call(kind: number): boolean {
    const { program } = this;
    if (kind !== READ) this.again = undefined;
    const status = this.guarded(() => program.quick(kind));
    if (status === DECLINED) return false;
    if (status === FAILED) readResponse(new Uint8Array(program.memory.buffer, program.response() >>> 0, program.length() >>> 0).slice());
    return true;
  }

  /** Told of every call that Go gets otherwise: it may change what the last quick call worked on. */
  forget(): void {
    this.again = undefined;
  }

  /** Makes the last call again; whether that is done. */
  private repeat(again: Again): boolean {
    const { steps } = this.program;
    return this.guarded(() => steps!(again.steps, again.count, again.worker, BUDGET)) === again.count;
  }

  /** Keeps the call that was just made, if it can be made again. */
  private keep(kind: number, key: readonly number[], to = 0, arrays?: Uint32Array): void {
    const b = this.words();
    if (b[COUNT] && this.program.steps) this.again = { kind, key, steps: b[STEPS]!, count: b[COUNT]!, worker: b[WORKER]!, to, arrays };
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
    // The same call whose results have just been given back has the same results, in the same place.
    const same = sameIds(freed, outputs);
    const { again } = this;
    if (same && again?.kind === RUN && isRun(again.key, id, inputs, outputs) && this.repeat(again)) {
      b[REPEATS]!++;
      return true;
    }
    b[0] = id;
    b[1] = step;
    b[2] = inputs.length;
    b[3] = outputs.length;
    b[4] = freed.length;
    let at = RUN_HEAD;
    for (let i = 0; i < freed.length; i++) b[at++] = freed[i]!;
    for (let i = 0; i < inputs.length; i++) b[at++] = inputs[i]!.id;
    for (let i = 0; i < outputs.length; i++) b[at++] = outputs[i]!;
    const done = this.call(RUN);
    if (done && same) this.keep(RUN, [id, ...inputs.map((t) => t.id), ...outputs]);
    return done;
  }

  /** The outputs of a model of one float32 input for samples in one batch. */
  predict(id: number, samples: number, batch: number, x: Float32Array): Wire[] | undefined {
    const { program, again } = this;
    if (again?.kind === PREDICT && sameIds(again.key, [id, samples, batch, x.length]) && finite(x)) {
      new Float32Array(program.memory.buffer, again.to, x.length).set(x);
      if (this.repeat(again)) return this.arrays(again.arrays!);
    }
    this.again = undefined;
    const to = program.buffer(x.byteLength) >>> 0;
    new Float32Array(program.memory.buffer, to, x.length).set(x);
    const b = this.words();
    b[0] = id;
    b[1] = samples;
    b[2] = batch;
    b[3] = x.byteLength;
    if (!this.call(PREDICT)) return undefined;
    const words = this.words();
    if (words[COUNT]) this.keep(PREDICT, [id, samples, batch, x.length], to, words.slice(0, WORDS));
    return this.arrays(words);
  }

  private arrays(words: Uint32Array): Wire[] {
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

function sameIds(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Whether a run is of this function on these tensors. */
function isRun(key: readonly number[], id: number, inputs: readonly { id: number }[], outputs: readonly number[]): boolean {
  if (key.length !== 1 + inputs.length + outputs.length || key[0] !== id) return false;
  let at = 1;
  for (let i = 0; i < inputs.length; i++) if (key[at++] !== inputs[i]!.id) return false;
  for (let i = 0; i < outputs.length; i++) if (key[at++] !== outputs[i]) return false;
  return true;
}

/** Whether all elements are numbers: others are refused, by Go, which says where they are. */
function finite(x: Float32Array): boolean {
  let [a, b, c, d] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 4 <= x.length; i += 4) {
    a += x[i]! * 0;
    b += x[i + 1]! * 0;
    c += x[i + 2]! * 0;
    d += x[i + 3]! * 0;
  }
  for (; i < x.length; i++) a += x[i]! * 0;
  return a + b + c + d === 0;
}
