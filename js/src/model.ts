// Models: layers with weights, made and trained on Go's side.
import type { Core } from "./core.js";
import { toWire, upload, type TensorLike } from "./creation.js";
import { Dataset } from "./data.js";
import { isTypedArray, nestedShape, sizeOf, type NestedArray, type TypedArray } from "./dtype.js";
import { DisposedError, WeftError, abortReason, argument } from "./errors.js";
import { Training, type Batches, type FitOptions, type FitResult } from "./fit.js";
import { Optimizer, type Config, type MetricName } from "./optimizers.js";
import { profile, type Profile, type ProfileOptions } from "./profile.js";
import { Message, Wire, type Value } from "./protocol.js";
import { Tensor } from "./tensor.js";

/** An input or output of a model; -1 stands for any number of samples. */
export interface Port {
  name: string;
  shape: number[];
}

/** Facts of a layer. */
export interface LayerInfo {
  name: string;
  kind: string;
  outputShape: number[];
  params: number;
}

/** Facts of a model. @internal */
export interface ModelFacts {
  name: string;
  inputs: Port[];
  outputs: Port[];
  layers: LayerInfo[];
  params: number;
  metadata?: { [key: string]: string };
  trainable?: boolean;
}

/** Settings of training. */
export interface CompileConfig {
  optimizer: string | Config | Optimizer;
  loss: string | Config | readonly (string | Config)[];
  metrics?: readonly (MetricName | (string & {}))[];
  /** Largest norm of the gradient of each variable. */
  clipNorm?: number;
  /** Largest norm of all gradients together; not with `clipNorm`. */
  globalClipNorm?: number;
  /** Largest size of one element of a gradient. */
  clipValue?: number;
  /** Decay of the running mean of the weights that evaluation uses. */
  ema?: number;
  /** How the learning rate changes: `"cosine"`, `"warmup=100,cosine"`, or one of `schedules`. */
  schedule?: string | Config;
}

/** Options of calls that take long. */
export interface CallOptions {
  batchSize?: number;
  signal?: AbortSignal;
  /** Told how far the call is, from 0 to 1. */
  onProgress?: (done: number) => void;
}

/** What `evaluate` returns: the loss and the metrics that the model was compiled with. */
export interface Evaluation {
  loss: number;
  accuracy?: number;
  /** How often class [row] was taken for class [column]. */
  confusion?: { matrix: number[][] };
  /** The first samples that were misread. */
  wrong?: { index: number; label: number; predicted: number }[];
  [metric: string]: any;
}

/** What features are given as. */
export type Features = TypedArray | NestedArray | Tensor | readonly Tensor[];

/** A value of a layer. */
export interface Activations {
  name: string;
  kind: string;
  shape: number[];
  data: Float32Array;
}

/** A weight with its value. */
export interface Weight {
  name: string;
  shape: number[];
  data: Float32Array;
  trainable: boolean;
}

/** How {@link LayersModel.generate} writes. */
export interface GenerateOptions {
  /** Below 1 likely characters become likelier, above 1 less likely; 0 always takes the likeliest. 1 unless given. */
  temperature?: number;
  /** Choose among so many of the likeliest characters. */
  topK?: number;
  /** Choose among the likeliest characters that together have this probability. */
  topP?: number;
  /** Of the choices: the same seed, the same text. */
  seed?: number;
  /** Characters to write; 500 unless given. */
  maxTokens?: number;
  signal?: AbortSignal;
}

const budget = 30;
/** Milliseconds of writing between two pieces of a text: a frame. */
const frame = 15;

/** Bytes of features that go to Go the short way: what its buffer keeps from call to call. */
const maxDirect = 4 << 20;

/**
 * A model: `sequential`, `model`, `models.*` and `load` make them.
 *
 * @example
 * ```ts
 * const model = weft.sequential([
 *   weft.layers.dense({ units: 16, activation: "relu", inputShape: [4] }),
 *   weft.layers.dense({ units: 3 }),
 * ]);
 * model.compile({ optimizer: "adam", loss: weft.losses.sparseCategoricalCrossentropy({ fromLogits: true }), metrics: ["accuracy"] });
 * const { history } = await model.fit(x, y, { epochs: 5 });
 * ```
 */
export class LayersModel {
  /** @internal */
  readonly id: number;
  /** @internal */
  readonly core: Core;
  private facts: ModelFacts | undefined;
  private made: Promise<void>;
  private gone = false;
  /** What a step measures, once one was made. */
  private logNames: string[] | undefined;

  /** @internal */
  constructor(core: Core, method: string, args: { [key: string]: Value }) {
    this.core = core;
    this.id = core.id();
    this.made = core.call(method, { id: this.id, ...args }).then((facts: ModelFacts) => {
      this.facts = facts;
    });
    this.made.catch(() => {});
    core.watch(this, this.id);
  }

  /** Waits until the model is made; rejects with what is wrong with its description. */
  async ready(): Promise<this> {
    this.use();
    await this.made;
    return this;
  }

  private use(): void {
    if (this.gone) throw new DisposedError(`model ${this.facts?.name ?? this.id}`);
    this.core.check();
  }

  private known(): ModelFacts {
    if (!this.facts) throw new WeftError("state", "weft: the facts of a model are known after await model.ready()");
    return this.facts;
  }

  /** Name of the model. */
  get name(): string {
    return this.known().name;
  }
  /** Its inputs. */
  get inputs(): readonly Port[] {
    return this.known().inputs;
  }
  /** Its outputs. */
  get outputs(): readonly Port[] {
    return this.known().outputs;
  }
  /** Its layers. */
  get layers(): readonly LayerInfo[] {
    return this.known().layers;
  }
  /** Number of weights' elements. */
  get params(): number {
    return this.known().params;
  }
  /** What the file said of the model. */
  get metadata(): { readonly [key: string]: string } {
    return this.known().metadata ?? {};
  }
  /** Whether `fit` can change it. */
  get trainable(): boolean {
    return this.known().trainable ?? true;
  }

  /** Chooses optimizer, loss and metrics. What is wrong with them is told by the first `fit` or `evaluate`. */
  compile({ optimizer, ...rest }: CompileConfig): void {
    this.use();
    const before = this.made;
    this.logNames = undefined;
    const config = optimizer instanceof Optimizer ? optimizer.config : optimizer;
    const compiled = this.core.call("model.compile", { id: this.id, optimizer: config, ...rest } as Value);
    this.made = before.then(() => compiled).then(() => {});
    this.made.catch(() => {});
  }

  /**
   * Trains the model.
   *
   * @param x - Features: a typed array or nested lists (the model knows the shape of a sample), a tensor, a dataset (then without y), or
   * an async iterable of batches `{ xs, ys }`.
   * @param y - Labels, one for each sample.
   */
  async fit(x: Features | Dataset | Batches, y?: TensorLike | null, options: FitOptions = {}): Promise<FitResult> {
    return this.train(x, y, options).finish();
  }

  /**
   * Trains the model and tells of every step, as an async iterable that can be paused and stopped.
   *
   * @example
   * ```ts
   * const run = model.train(digits, null, { epochs: 2 });
   * for await (const event of run) {
   *   if (event.kind === "batch" && event.step === 100) run.stop();
   * }
   * ```
   */
  train(x: Features | Dataset | Batches, y?: TensorLike | null, options: FitOptions = {}): Training {
    this.use();
    return new Training(this, x, y ?? null, options);
  }

  /** One step of the optimizer on one batch. */
  async trainOnBatch(x: Features, y: TensorLike): Promise<{ loss: number; [metric: string]: number }> {
    if (!this.facts) await this.ready();
    this.use();
    if (this.logNames && x instanceof Tensor && y instanceof Tensor) {
      const [features, targets] = [use(this.core, x), use(this.core, y)];
      const values = this.core.quick?.train(this.id, features, targets);
      if (values) return Object.fromEntries([["loss", values[0]!], ...this.logNames.map((name, i) => [name, values[i + 1]!])]);
    }
    const { loss, logs } = await this.core.call("model.trainOnBatch", { id: this.id, x: this.operand(x, 0), y: labels(this.core, y) });
    this.logNames = Object.keys(logs);
    return { loss, ...logs };
  }

  /** Loss and metrics on data that training has not seen. */
  async evaluate(x: Features | Dataset, y?: TensorLike | null, { batchSize, signal, onProgress }: CallOptions = {}): Promise<Evaluation> {
    await this.ready();
    const args = x instanceof Dataset ? { in: x.use().id, labels: null } : { in: this.operands(x), labels: labels(this.core, y ?? null) };
    const { loss, metrics, confusion, wrong } = await this.sliced("model.evaluate", { ...args, batchSize }, signal, onProgress);
    const result: Evaluation = { loss, ...metrics };
    if (confusion) result.confusion = { matrix: rows(confusion as Wire) };
    if (wrong) result.wrong = wrong;
    return result;
  }

  /** The model's output. */
  async predict(x: Features, options: CallOptions = {}): Promise<Tensor> {
    const [wire] = await this.outputsFor(x, options);
    const id = this.core.id();
    return new Tensor(this.core, id, { facts: { shape: [...wire!.shape], dtype: wire!.dtype }, made: upload(this.core, id, wire!) });
  }

  /** The model's output as numbers: one message there, one back. */
  async predictArray(x: Features, options: CallOptions = {}): Promise<Float32Array> {
    const [wire] = await this.outputsFor(x, options);
    return wire!.data as Float32Array;
  }

  /** All outputs of the model, as numbers with their shapes. */
  async predictAll(x: Features, options: CallOptions = {}): Promise<{ shape: number[]; data: Float32Array }[]> {
    return (await this.outputsFor(x, options)).map((wire) => ({ shape: [...wire.shape], data: wire.data as Float32Array }));
  }

  private async outputsFor(x: Features, { batchSize, signal, onProgress }: CallOptions): Promise<Wire[]> {
    if (!this.facts) await this.ready();
    this.use();
    const direct = signal || onProgress ? undefined : this.direct(x, batchSize === undefined ? 0 : batchSize >= 1 && Number.isInteger(batchSize) ? batchSize : NaN);
    if (direct) return direct;
    const { outputs } = await this.sliced("model.predict", { in: this.operands(x), batchSize }, signal, onProgress);
    return outputs;
  }

  /** The outputs the short way, for one batch of one float32 input; undefined for others. */
  private direct(x: Features, batchSize: number): Wire[] | undefined {
    const { quick } = this.core;
    const { inputs } = this.known();
    if (!quick || inputs.length !== 1 || !(x instanceof Float32Array) || x.byteLength > maxDirect || !(batchSize >= 0)) return undefined;
    const { shape } = inputs[0]!;
    let size = 1;
    for (let i = 1; i < shape.length; i++) size *= shape[i]! < 0 ? NaN : shape[i]!;
    const samples = x.length / size;
    return size > 0 && Number.isInteger(samples) && samples > 0 ? quick.predict(this.id, samples, batchSize, x) : undefined;
  }

  /** Profiles predictions: what each operator takes. See `profile` of the runtime for other work. */
  async profile(x: Features, { runs = 100, ...options }: ProfileOptions & { runs?: number } = {}): Promise<Profile> {
    await this.predictAll(x); // what runs once only is not measured
    return profile(
      this.core,
      async () => {
        for (let i = 0; i < runs; i++) await this.predictAll(x);
      },
      options,
    );
  }

  /**
   * Continues a text with a language model that "weft train char-gpt" or "weft train char-lstm" has made. Pieces of text come as they are written,
   * one to some dozens of characters; the prompt is not among them. What else is asked of the runtime gets in between.
   *
   * @example
   * ```ts
   * for await (const piece of model.generate("ROMEO:", { temperature: 0.8, seed: 1 })) output.textContent += piece;
   * ```
   */
  async *generate(prompt: string, { signal, ...options }: GenerateOptions = {}): AsyncGenerator<string, void, undefined> {
    if (typeof prompt !== "string") throw argument(`generate continues a text, not ${prompt === null ? "null" : typeof prompt}`);
    if (signal?.aborted) throw abortReason(signal);
    await this.ready();
    this.use();
    const { core } = this;
    const id = core.id();
    try {
      await core.call("generator.new", { id, model: this.id, prompt, ...options } as Value);
      for (let done = false; !done; ) {
        if (signal?.aborted) throw abortReason(signal);
        const piece = await core.call("generator.run", { id, budget: frame });
        if (signal?.aborted) throw abortReason(signal);
        done = piece.done;
        if (piece.text) yield piece.text;
      }
    } finally {
      if (!this.gone) void core.call("dispose", { ids: [id] }).catch(() => {});
    }
  }

  /** What every layer gives for one input, channels in front of rows and columns. */
  async activations(x: Features, { layers }: { layers?: readonly string[] } = {}): Promise<Activations[]> {
    await this.ready();
    const list = await this.core.call("model.activations", { id: this.id, in: this.operands(x), layers } as Value);
    return list.map(({ name, kind, output }: { name: string; kind: string; output: Wire }) => ({ name, kind, shape: [...output.shape], data: output.data as Float32Array }));
  }

  /** How much each element of one input matters for a class: the gradient's size. */
  async saliency(x: Features, classIndex: number): Promise<Float32Array> {
    await this.ready();
    const { map } = await this.core.call("model.saliency", { id: this.id, in: this.operands(x), class: classIndex });
    return map.data;
  }

  /** A table of the layers. */
  async summary(): Promise<string> {
    await this.ready();
    return (await this.core.call("model.summary", { id: this.id })).text;
  }

  /** The weights, with Keras's names and layouts for models of layers. */
  async getWeights(): Promise<Weight[]> {
    await this.ready();
    const list = await this.core.call("model.weights", { id: this.id });
    return list.map(({ name, data, trainable }: { name: string; data: Wire; trainable: boolean }) => ({ name, shape: [...data.shape], data: data.data as Float32Array, trainable }));
  }

  /** Sets weights by name, or all of them in the order of {@link getWeights} (which is TensorFlow.js's for models of layers). */
  async setWeights(weights: readonly ({ name: string; data: TypedArray | NestedArray; shape?: readonly number[] } | TypedArray | readonly NestedArray[])[]): Promise<void> {
    await this.ready();
    const named = (w: (typeof weights)[number]): w is { name: string; data: TypedArray | NestedArray; shape?: readonly number[] } => "name" in w;
    let list = weights.filter(named);
    if (list.length !== weights.length) {
      const own = await this.getWeights();
      if (own.length !== weights.length) throw argument(`setWeights: the model has ${own.length} weights (${own.map((w) => w.name).join(", ")}), got ${weights.length}`);
      list = own.map(({ name, shape }, i) => {
        const w = weights[i]!;
        return named(w) ? w : { name, data: w, shape: isTypedArray(w) ? shape : undefined };
      });
    }
    await this.core.call("model.setWeights", { id: this.id, weights: list.map(({ name, data, shape }) => ({ name, data: toWire(data, { shape }) })) });
  }

  /** The model as a file: ONNX, or its weights as safetensors. */
  async save({ format = "onnx", metadata }: { format?: "onnx" | "safetensors"; metadata?: { [key: string]: string } } = {}): Promise<Uint8Array<ArrayBuffer>> {
    await this.ready();
    return (await this.core.call("model.save", { id: this.id, format, metadata })).bytes.data;
  }

  /**
   * The model bound to batches of one size as a program file, which {@link loadProgram} of "@weft-ml/weft/program" runs without the runtime: some
   * 115 KB of code (compressed) and the weights. The file is for the kernels that run here, see `report().kernels`; files for
   * others are joined with `joinPrograms`.
   */
  async export({ batch = 1 }: { batch?: number } = {}): Promise<Uint8Array<ArrayBuffer>> {
    await this.ready();
    return (await this.core.call("model.export", { id: this.id, batch })).bytes.data;
  }

  /** Takes weights from a safetensors file. */
  async loadWeights(bytes: Uint8Array | ArrayBuffer): Promise<void> {
    await this.ready();
    await this.core.call("model.loadWeights", { id: this.id, bytes: bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes });
  }

  /** Gives the model back. */
  dispose(): void {
    if (this.gone) return;
    this.gone = true;
    this.core.free(this, this.id);
  }

  /** For `using model = ...`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Runs a call in slices. @internal */
  async sliced(method: string, args: { [key: string]: Value }, signal?: AbortSignal, onProgress?: (done: number) => void): Promise<any> {
    if (signal?.aborted) throw abortReason(signal);
    const { core } = this;
    const job = core.id();
    const request = new Message(method, { id: this.id, ...args, budget, job }).bytes();
    const handle = await core.job({ kind: "sliced", method, request, again: { id: this.id, job, budget }, progress: !!onProgress }, {
      onEvent: (event) => {
        if (event.type === "progress") onProgress?.(event.done);
      },
    });
    const abort = () => handle.control("abort");
    signal?.addEventListener("abort", abort, { once: true });
    try {
      const result = await handle.result;
      if (signal?.aborted) throw abortReason(signal);
      return result;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Features as operands of a request. @internal */
  operands(x: Features): Value {
    if (Array.isArray(x) && x.length && x.every((t) => t instanceof Tensor)) return (x as Tensor[]).map((t, i) => this.operand(t, i));
    return [this.operand(x as Exclude<Features, readonly Tensor[]>, 0)];
  }

  private operand(x: Features, port: number): Value {
    if (x instanceof Tensor) return use(this.core, x);
    return this.shaped(x as TypedArray | NestedArray, port);
  }

  /** Features with the shape that the model's input has. @internal */
  shaped(x: TypedArray | NestedArray, port: number): Wire {
    const input = this.known().inputs[port];
    if (!input) throw argument(`the model has ${this.known().inputs.length} inputs, not ${port + 1}`);
    const sample = input.shape.slice(1);
    if (!isTypedArray(x)) {
      if (!Array.isArray(x)) throw argument(`features come as typed array, nested lists, tensor or dataset, not as ${x === null ? "null" : typeof x}`);
      const shape = nestedShape(x);
      return toWire(x, shape.length === sample.length ? { shape: [1, ...shape] } : {});
    }
    const size = sizeOf(sample.map((d) => (d < 0 ? 1 : d)));
    if (x.length === 0 || x.length % size) {
      throw new WeftError("shape", `weft: ${x.length} numbers are no samples of shape [${sample.join(", ")}], which have ${size} each`, { op: input.name, shapes: [[...sample]] });
    }
    if (sample.some((d) => d < 0)) throw argument(`input ${input.name} has free axes [${sample.join(", ")}]: pass a tensor, which has a shape`);
    return toWire(x, { shape: [x.length / size, ...sample] });
  }
}

/** A tensor as an operand of a request; what is recorded runs before it. */
function use(core: Core, t: Tensor): number {
  core.flush(t.use(core).id);
  return t.id;
}

/** Labels as an operand of a request. */
export function labels(core: Core, y: TensorLike | null): Value {
  if (y === null) return null;
  return y instanceof Tensor ? use(core, y) : toWire(y as TypedArray | NestedArray);
}

/** A matrix as lists of rows. */
function rows(wire: Wire): number[][] {
  const [n = 0, m = 0] = wire.shape;
  const data = Array.from(wire.data as ArrayLike<number>, Number);
  return Array.from({ length: n }, (_, i) => data.slice(i * m, (i + 1) * m));
}
