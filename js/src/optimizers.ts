// Optimizers, schedules, losses, metrics and initializers: names of Keras, settings for Go.
import type { Core } from "./core.js";
import { argument } from "./errors.js";
import type { Value } from "./protocol.js";
import { Tensor, Variable } from "./tensor.js";

/** Settings by name. */
export interface Config {
  readonly name: string;
  readonly [setting: string]: Value;
}

/** Options of a step of an optimizer. */
export interface MinimizeOptions {
  /** Largest norm of the gradient of each variable. */
  clipNorm?: number;
  /** Largest norm of all gradients together; not with `clipNorm`. */
  globalClipNorm?: number;
  /** Largest size of one element of a gradient. */
  clipValue?: number;
  /** How the learning rate changes, as `"cosine"`, `"warmup=100,cosine"`. */
  schedule?: string | Config;
  /** Steps that the schedule spans. */
  steps?: number;
}

/**
 * An optimizer: settings for `model.compile`, or `minimize` in a loop of one's own.
 *
 * @example
 * ```ts
 * const adam = weft.optimizers.adam({ learningRate: 1e-3 });
 * const step = weft.compile((x, y) => {
 *   const loss = x.matMul(w).sub(y).square().mean();
 *   adam.minimize(loss, [w]);
 *   return loss;
 * });
 * for (let i = 0; i < 100; i++) step(x, y).dispose();
 * ```
 */
export class Optimizer {
  /** Name and settings. */
  readonly config: Config;
  private readonly id: number;
  private freed = false;

  /** @internal */
  constructor(
    private readonly core: Core,
    config: Config,
  ) {
    this.config = config;
    this.id = core.id();
    core.watch(this, this.id);
  }

  /** One step down the gradient of the loss, for these variables. */
  minimize(loss: Tensor, variables: readonly Variable[], options: MinimizeOptions = {}): void {
    if (!variables.length) throw argument("minimize: there are no variables to train");
    for (const v of variables) {
      if (!(v instanceof Variable)) throw argument("minimize: variables are made by weft.variable()");
    }
    const { core } = this;
    const trainable = variables.filter((v) => v.trainable);
    const inputs = [loss.use(core), ...trainable.map((v) => v.use(core))];
    const attrs = { optimizer: { ...this.config, id: this.id }, ...options } as { [name: string]: Value };
    core.recorder.record({ op: "Minimize", in: inputs.map((t) => t.id), out: [], attrs }, [], inputs);
  }

  /** Gives back its state. */
  dispose(): void {
    if (this.freed) return;
    this.freed = true;
    this.core.free(this, this.id);
  }
}

/** Settings that optimizers share. */
export interface OptimizerConfig {
  learningRate?: number;
  weightDecay?: number;
  /** Largest norm of the gradient of each variable. */
  clipNorm?: number;
  /** Largest norm of all gradients together; not with `clipNorm`. */
  globalClipNorm?: number;
  /** Largest size of one element of a gradient. */
  clipValue?: number;
}

/** Factories of optimizers. */
export class Optimizers {
  /** @internal */
  constructor(private readonly core: Core) {}

  private make(name: string, config: object): Optimizer {
    return new Optimizer(this.core, { name, ...config });
  }
  /** Stochastic gradient descent, with momentum if wanted. */
  sgd(config: OptimizerConfig & { momentum?: number; nesterov?: boolean } = {}): Optimizer {
    return this.make("sgd", config);
  }
  /** Gradient descent with momentum 0.9. */
  momentum(config: OptimizerConfig & { momentum?: number; nesterov?: boolean } = {}): Optimizer {
    return this.make("momentum", config);
  }
  /** Adam (Kingma and Ba 2015). */
  adam(config: OptimizerConfig & { beta1?: number; beta2?: number; epsilon?: number } = {}): Optimizer {
    return this.make("adam", config);
  }
  /** Adam with decoupled weight decay (Loshchilov and Hutter 2019). */
  adamw(config: OptimizerConfig & { beta1?: number; beta2?: number; epsilon?: number } = {}): Optimizer {
    return this.make("adamw", config);
  }
  /** RMSprop. */
  rmsprop(config: OptimizerConfig & { rho?: number; momentum?: number; epsilon?: number } = {}): Optimizer {
    return this.make("rmsprop", config);
  }
  /** Adagrad. */
  adagrad(config: OptimizerConfig & { epsilon?: number } = {}): Optimizer {
    return this.make("adagrad", config);
  }
  /** Lion (Chen et al. 2023). */
  lion(config: OptimizerConfig & { beta1?: number; beta2?: number } = {}): Optimizer {
    return this.make("lion", config);
  }
}

const named =
  <T extends object = {}>(name: string) =>
  (config?: T): Config => ({ ...config, name });

/** Losses that take logits or probabilities. */
export interface CrossentropyConfig {
  /** Whether the model gives logits; false, as in Keras, says that it ends in a softmax or sigmoid. */
  fromLogits?: boolean;
  labelSmoothing?: number;
}

/** Losses by Keras's names. */
export const losses = {
  sparseCategoricalCrossentropy: named<CrossentropyConfig>("sparseCategoricalCrossentropy"),
  categoricalCrossentropy: named<CrossentropyConfig>("categoricalCrossentropy"),
  binaryCrossentropy: named<CrossentropyConfig>("binaryCrossentropy"),
  meanSquaredError: named("meanSquaredError"),
  meanAbsoluteError: named("meanAbsoluteError"),
  huber: named<{ delta?: number }>("huber"),
  hinge: named("hinge"),
  kullbackLeiblerDivergence: named("kullbackLeiblerDivergence"),
};

/** Schedules of the learning rate, over the steps of a fit. */
export const schedules = {
  constant: named<{ warmup?: number }>("constant"),
  cosine: named<{ warmup?: number; final?: number }>("cosine"),
  linear: named<{ warmup?: number; final?: number }>("linear"),
  exponential: named<{ rate: number; every?: number }>("exponential"),
  step: named<{ rate: number; every: number }>("step"),
};

/** Initializers of weights. */
export const initializers = {
  zeros: named("zeros"),
  ones: named("ones"),
  constant: named<{ value: number }>("constant"),
  glorotUniform: named<{ seed?: number }>("glorotUniform"),
  glorotNormal: named<{ seed?: number }>("glorotNormal"),
  heUniform: named<{ seed?: number }>("heUniform"),
  heNormal: named<{ seed?: number }>("heNormal"),
  lecunUniform: named<{ seed?: number }>("lecunUniform"),
  lecunNormal: named<{ seed?: number }>("lecunNormal"),
  randomNormal: named<{ mean?: number; stddev?: number; seed?: number }>("randomNormal"),
  randomUniform: named<{ minval?: number; maxval?: number; seed?: number }>("randomUniform"),
};

/** Names of metrics. */
export type MetricName = "accuracy" | "precision" | "recall" | "f1" | "auc" | "topKCategoricalAccuracy" | "mse" | "mae" | "confusionMatrix";
