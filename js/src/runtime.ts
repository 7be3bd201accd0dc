// The runtime: what init() returns.
import { Core } from "./core.js";
import { Data, readBytes } from "./data.js";
import { WeftError } from "./errors.js";
import { compile, valueAndGrad, type CompileOptions, type GradOptions, type Results, type ScalarFunction, type ValueAndGrads } from "./function.js";
import { functionalSpec, input, layers, sequentialSpec, type Layer, type SymbolicTensor } from "./layers.js";
import { installMethods } from "./methods.js";
import { LayersModel } from "./model.js";
import { Optimizers, initializers, losses, schedules, type Config } from "./optimizers.js";
import { Ops } from "./ops.js";
import { Wire, type Value } from "./protocol.js";
import { profile, type Profile, type ProfileOptions } from "./profile.js";
import { Scope } from "./scope.js";
import { checkpoints, type Checkpoints } from "./storage.js";
import { Tensor } from "./tensor.js";

/** What runs, and why nothing better. */
export interface Report {
  version: string;
  kernels: "relaxed" | "simd128" | "generic";
  /** Whether multiply-add rounds once ("fma"), as natively, or twice. */
  numerics: "fma" | "muladd";
  threads: number;
  /** Whether calls run in a worker. */
  worker: boolean;
  /** Whether memory can be shared between threads here. */
  isolated: boolean;
  memory: { wasmBytes: number; budget: number; maximum: number };
  /** Why not better: one line for each thing that holds it back. */
  reasons: string[];
}

/** What the runtime holds. */
export interface MemoryReport {
  tensors: number;
  handles: number;
  bytes: number;
  goHeap: number;
  goSys: number;
  wasmBytes: number;
  budget: number;
}

/** What Go says when it starts. @internal */
export interface GoFacts {
  version: string;
  kernels: Report["kernels"];
  numerics: Report["numerics"];
  threads: number;
  ops: string[];
  set?: "core" | "full";
}

/** Options of the built-in architectures. */
export interface ArchitectureOptions {
  name?: string;
  seed?: number;
  /** Channels, height and width of a picture. */
  shape?: readonly number[];
  classes?: number;
}

const roots = new WeakMap<Core, Ops>();
installMethods((t) => t.scope ?? roots.get(t.core)!);

/**
 * A runtime. Its operations record and return at once; reading, training and loading wait.
 *
 * @example
 * ```ts
 * const weft = await init();
 * console.log(weft.report().kernels); // "relaxed"
 * ```
 */
export class Runtime extends Ops {
  /** Layers, by Keras's names. */
  readonly layers = layers;
  /** An input of a functional model. */
  readonly input = input;
  /** Losses, by Keras's names. */
  readonly losses = losses;
  /** Learning rate schedules. */
  readonly schedules = schedules;
  /** Initializers of weights. */
  readonly initializers = initializers;
  /** Optimizers. */
  readonly optimizers: Optimizers;
  /** Data sets. */
  readonly data: Data;
  /** Checkpoints in the browser's storage. */
  readonly checkpoints: Checkpoints = checkpoints;
  /** Architectures of the command line: the same seed gives the same bits there and here. They take pictures as [n, channels, height, width]. */
  readonly models: { [name in "lenet" | "lenet5" | "mlp" | "cnn"]: (options?: ArchitectureOptions) => LayersModel };

  private closed = false;

  /** @internal */
  constructor(
    core: Core,
    private readonly facts: GoFacts,
    private readonly budget: number,
    private readonly seed: number,
    private readonly onClose: () => void,
  ) {
    super(core);
    roots.set(core, this);
    this.optimizers = new Optimizers(core);
    this.data = new Data(core);
    const builtin =
      (name: string) =>
      ({ name: given, seed = this.seed, shape, classes }: ArchitectureOptions = {}) =>
        new LayersModel(core, "model.new", { kind: "builtin", builtin: name, name: given, seed, shape, classes });
    this.models = { lenet: builtin("lenet"), lenet5: builtin("lenet5"), mlp: builtin("mlp"), cnn: builtin("cnn") };
  }

  /** What runs here, and why nothing better. */
  report(): Report {
    const { started, worker } = this.core.transport;
    const { version, kernels, numerics, threads } = this.facts;
    return {
      version,
      kernels,
      numerics,
      threads: threads || started.threads,
      worker,
      isolated: started.isolated,
      memory: { wasmBytes: started.wasmBytes, budget: this.budget, maximum: started.maximum },
      reasons: [...started.reasons],
    };
  }

  /** Names of the operators that this runtime has. */
  get operators(): readonly string[] {
    return this.facts.ops;
  }

  /** What the runtime holds; with `gc` after a collection. */
  async memory({ gc = false }: { gc?: boolean } = {}): Promise<MemoryReport> {
    this.core.flushAll();
    const report = await this.core.call("memory", { gc });
    return { ...report, wasmBytes: this.core.transport.started.wasmBytes };
  }

  /** Ends the runtime: its worker and all its memory go back to the browser. Another call does nothing. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.onClose();
    this.core.transport.close();
  }

  /** For `await using weft = await init()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Frees the tensors that were made through the scope, all but what the function returns. The scope is an argument, so the function may
   * be async.
   *
   * @example
   * ```ts
   * const mean = await weft.scope(async (s) => {
   *   const x = s.randomNormal([1000], { seed: 1 });
   *   return x.square().mean().sqrt();
   * });
   * ```
   */
  async scope<T>(fn: (s: Scope) => T | Promise<T>): Promise<T> {
    const scope = new Scope(this.core);
    try {
      const result = await fn(scope);
      scope.end(result);
      return result;
    } catch (err) {
      scope.end();
      throw err;
    }
  }

  /**
   * The gradient of a function by its arguments.
   *
   * @example
   * ```ts
   * const [dx] = weft.grad((x) => x.square().sum())(weft.tensor([1, 2, 3]));
   * console.log(await dx.array()); // [2, 4, 6]
   * ```
   */
  grad(fn: ScalarFunction, options?: Pick<GradOptions, "argnums">): (...xs: Tensor[]) => Tensor[] {
    const both = valueAndGrad(this.core, fn, options);
    return (...xs) => both(...xs).grads;
  }

  /** Value and gradients of a function, by its arguments or by variables. */
  valueAndGrad(fn: ScalarFunction, options?: GradOptions): (...xs: Tensor[]) => ValueAndGrads {
    return valueAndGrad(this.core, fn, options);
  }

  /**
   * The function as one program: recorded at the first call for each combination of shapes, then run as a whole.
   *
   * @example
   * ```ts
   * const f = weft.compile((x, y) => x.matMul(y).relu());
   * const z = f(weft.ones([2, 3]), weft.ones([3, 2]));
   * ```
   */
  compile<A extends unknown[], R extends Results>(fn: (...args: A) => R, options?: CompileOptions): (...args: A) => R {
    return compile(this.core, fn, options);
  }

  /**
   * Measures every step of every program that runs while the function does: models, training, compiled functions, single operations. A page
   * that is not isolated has a clock with steps of 0.1 ms: repeat short work some hundred times there, so that the sums are right.
   *
   * @example
   * ```ts
   * const profile = await weft.profile(async () => {
   *   for (let i = 0; i < 100; i++) await model.predictArray(pixels);
   * });
   * console.log(String(profile)); // operators, the slowest first
   * const file = new Blob([profile.toTrace()]); // for ui.perfetto.dev
   * ```
   */
  async profile(work: () => unknown, options: ProfileOptions = {}): Promise<Profile> {
    return profile(this.core, work, options);
  }

  /** A model whose layers follow one another. */
  sequential(layersOrConfig: readonly Layer[] | { layers: readonly Layer[]; name?: string; seed?: number }): LayersModel {
    const { layers: list, name, seed = this.seed } = Array.isArray(layersOrConfig) ? { layers: layersOrConfig as Layer[] } : (layersOrConfig as { layers: readonly Layer[]; name?: string; seed?: number });
    return new LayersModel(this.core, "model.new", { kind: "sequential", name, seed, ...sequentialSpec(list) } as unknown as { [key: string]: Value });
  }

  /**
   * A model of layers in any arrangement.
   *
   * @example
   * ```ts
   * const x = weft.input({ shape: [8] });
   * const h = weft.layers.dense({ units: 8, activation: "relu" }).apply(x);
   * const y = weft.layers.dense({ units: 1 }).apply(weft.layers.add().apply([x, h]));
   * const model = weft.model({ inputs: x, outputs: y });
   * ```
   */
  model({ inputs, outputs, name, seed = this.seed }: { inputs: SymbolicTensor | readonly SymbolicTensor[]; outputs: SymbolicTensor | readonly SymbolicTensor[]; name?: string; seed?: number }): LayersModel {
    const list = <T>(v: T | readonly T[]) => (Array.isArray(v) ? v : [v]) as T[];
    return new LayersModel(this.core, "model.new", { kind: "functional", name, seed, ...functionalSpec(list(inputs), list(outputs)) } as unknown as { [key: string]: Value });
  }

  /** A model from an ONNX file: its bytes, or where to fetch them. */
  async load(source: ArrayBuffer | Uint8Array | Blob | string | URL): Promise<LayersModel> {
    const bytes = await readBytes(source);
    if (!bytes.length) throw new WeftError("format", "weft: load: the file is empty");
    return new LayersModel(this.core, "model.load", { bytes }).ready();
  }

  /** Metrics of predictions, as `{ accuracy, f1 }`, for loops of one's own. */
  async metrics(names: readonly string[], yTrue: ArrayLike<number>, yPred: Float32Array | Tensor): Promise<{ [name: string]: any }> {
    const predicted = yPred instanceof Tensor ? await yPred.data() : yPred;
    const n = yTrue.length;
    if (!n || predicted.length % n) throw new WeftError("shape", `weft: metrics: ${predicted.length} predictions for ${n} labels`, { op: "metrics" });
    const shape = predicted.length === n ? [n] : [n, predicted.length / n];
    return this.core.call("metrics.compute", { names: [...names], yTrue: Float32Array.from(yTrue), yPred: new Wire("float32", shape, predicted) });
  }
}

export type { Config };
