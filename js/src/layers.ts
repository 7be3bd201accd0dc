// Layers: kinds and settings with Keras's names. The layers themselves, weights and all, are made in Go.
import { argument } from "./errors.js";
import type { Value } from "./protocol.js";
import type { Config } from "./optimizers.js";

/** Names of activations. */
export type Activation = "linear" | "relu" | "relu6" | "leakyRelu" | "elu" | "selu" | "gelu" | "sigmoid" | "hardSigmoid" | "tanh" | "softmax" | "softplus" | "softsign" | "silu" | "swish" | "hardSwish" | "mish";

/** What every layer takes. */
export interface LayerConfig {
  /** Name, unique in the model; made from the kind without one. */
  name?: string;
  /** Shape of one sample, for the first layer of `sequential`. */
  inputShape?: readonly number[];
}

/** Settings of layers with weights. */
export interface WeightsConfig extends LayerConfig {
  activation?: Activation;
  useBias?: boolean;
  kernelInitializer?: string | Config;
  biasInitializer?: string | Config;
}

/** Settings of attention. Its inputs are a query, a value (without one the query) and a key (without one the value). */
export interface AttentionConfig extends Omit<WeightsConfig, "activation"> {
  numHeads: number;
  /** Size of a head of queries and keys. */
  keyDim: number;
  /** Size of a head of values; keyDim without it. */
  valueDim?: number;
  /** Features of the result; the query's without it. */
  outputShape?: number;
  /** Rate of the probabilities while training. */
  dropout?: number;
  /** A position looks at itself and earlier ones only. */
  useCausalMask?: boolean;
}

type Size2 = number | readonly [number, number];

/** Settings of convolutions. */
export interface ConvConfig<S = Size2> extends WeightsConfig {
  filters: number;
  kernelSize: S;
  strides?: S;
  padding?: "valid" | "same";
  dilationRate?: S;
  groups?: number;
}

/** Settings of depthwise convolutions. */
export interface DepthwiseConfig extends WeightsConfig {
  kernelSize: Size2;
  depthMultiplier?: number;
  strides?: Size2;
  padding?: "valid" | "same";
  dilationRate?: Size2;
}

/** Settings of poolings. */
export interface PoolConfig<S = Size2> extends LayerConfig {
  poolSize?: S;
  strides?: S;
  padding?: "valid" | "same";
}

/** Settings of recurrent layers over sequences [steps, features]. */
export interface RecurrentConfig extends LayerConfig {
  units: number;
  /** Of the candidate and the state; tanh without one. */
  activation?: RecurrentActivation;
  useBias?: boolean;
  kernelInitializer?: string | Config;
  recurrentInitializer?: string | Config;
  biasInitializer?: string | Config;
  /** All states, one for each step, instead of the last one. */
  returnSequences?: boolean;
  /** Read the sequence from its end. */
  goBackwards?: boolean;
  /** Rate at which features of a sequence are dropped while training. */
  dropout?: number;
  /** Zeros for masked steps, instead of the state that they leave as it is. */
  zeroOutputForMask?: boolean;
}

/** Names of activations inside recurrent layers. */
export type RecurrentActivation = "tanh" | "sigmoid" | "hardSigmoid" | "relu" | "elu" | "softsign" | "softplus" | "linear";

/** Settings of recurrent layers with gates. */
export interface GatedConfig extends RecurrentConfig {
  /** Of the gates; sigmoid without one. */
  recurrentActivation?: RecurrentActivation;
}

/** A layer around another one. */
export interface WrapperConfig extends LayerConfig {
  layer: Layer;
}

let applied = 0;

/** A value in a model that is being described: what `input()` and `layer.apply()` give. */
export class SymbolicTensor {
  /** Place in the order of description, so that layers are listed after those they take from. */
  readonly order = applied++;

  /** @internal */
  constructor(
    readonly layer: Layer,
    readonly from: readonly SymbolicTensor[],
    /** How many times the layer had been applied before. @internal */
    readonly call: number,
  ) {}
}

/** A layer that is described, not made yet. */
export class Layer {
  readonly kind: string;
  readonly config: { readonly [setting: string]: Value };
  /** @internal */
  readonly givenName: string | undefined;
  private calls = 0;

  /** @internal */
  constructor(kind: string, { name, ...config }: LayerConfig & { [setting: string]: any }) {
    this.kind = kind;
    this.givenName = name;
    this.config = config;
  }

  /** Places the layer after others, in a model of `model({ inputs, outputs })`. */
  apply(from: SymbolicTensor | readonly SymbolicTensor[]): SymbolicTensor {
    const list = (Array.isArray(from) ? from : [from]) as SymbolicTensor[];
    for (const t of list) {
      if (!(t instanceof SymbolicTensor)) throw argument(`${this.kind}: apply() takes what input() and other layers' apply() return; for values use model.predict`);
    }
    return new SymbolicTensor(this, list, this.calls++);
  }
}

const layer =
  <C extends LayerConfig = LayerConfig>(kind: string) =>
  (config?: C): Layer =>
    new Layer(kind, { ...config });
const needs =
  <C extends LayerConfig>(kind: string) =>
  (config: C): Layer =>
    new Layer(kind, { ...config });

const wraps =
  <C extends WrapperConfig>(kind: string) =>
  ({ layer: inner, ...config }: C): Layer => {
    if (!(inner instanceof Layer)) throw argument(`${kind}: layer must be a layer of weft.layers`);
    const { inputShape, ...settings } = inner.config;
    return new Layer(kind, { ...(inputShape !== undefined && { inputShape }), ...config, layer: { kind: inner.kind, config: settings } });
  };

/**
 * The layers, by Keras's names.
 *
 * @example
 * ```ts
 * const conv = weft.layers.conv2d({ filters: 6, kernelSize: 5, activation: "relu", inputShape: [28, 28, 1] });
 * ```
 *
 * Sequences of different lengths are padded with id 0, and masked: recurrent layers, attention, averages over the steps, losses and metrics leave masked steps out, as in Keras.
 *
 * @example
 * ```ts
 * const { layers } = weft;
 * const tagger = weft.sequential([
 *   layers.embedding({ inputDim: 1000, outputDim: 16, inputLength: 8, maskZero: true }),
 *   layers.bidirectional({ layer: layers.lstm({ units: 8, returnSequences: true }) }),
 *   layers.dense({ units: 3, activation: "softmax" }),
 * ]);
 * await tagger.predictArray(new Int32Array([12, 7, 401, 0, 0, 0, 0, 0]));
 * ```
 */
export const layers = {
  dense: needs<WeightsConfig & { units: number }>("dense"),
  conv2d: needs<ConvConfig>("conv2d"),
  conv1d: needs<ConvConfig<number>>("conv1d"),
  depthwiseConv2d: needs<DepthwiseConfig>("depthwiseConv2d"),
  separableConv2d: needs<ConvConfig & { depthMultiplier?: number }>("separableConv2d"),
  maxPooling2d: layer<PoolConfig>("maxPooling2d"),
  averagePooling2d: layer<PoolConfig>("averagePooling2d"),
  maxPooling1d: layer<PoolConfig<number>>("maxPooling1d"),
  averagePooling1d: layer<PoolConfig<number>>("averagePooling1d"),
  globalAveragePooling2d: layer("globalAveragePooling2d"),
  globalMaxPooling2d: layer("globalMaxPooling2d"),
  globalAveragePooling1d: layer("globalAveragePooling1d"),
  flatten: layer("flatten"),
  reshape: needs<LayerConfig & { targetShape: readonly number[] }>("reshape"),
  permute: needs<LayerConfig & { dims: readonly number[] }>("permute"),
  dropout: needs<LayerConfig & { rate: number; seed?: number }>("dropout"),
  batchNormalization: layer<LayerConfig & { momentum?: number; epsilon?: number; center?: boolean; scale?: boolean }>("batchNormalization"),
  layerNormalization: layer<LayerConfig & { epsilon?: number }>("layerNormalization"),
  groupNormalization: layer<LayerConfig & { groups?: number; epsilon?: number; center?: boolean; scale?: boolean }>("groupNormalization"),
  rmsNormalization: layer<LayerConfig & { epsilon?: number }>("rmsNormalization"),
  multiHeadAttention: needs<AttentionConfig>("multiHeadAttention"),
  positionEmbedding: layer<LayerConfig & { sequenceLength?: number; initializer?: string | Config }>("positionEmbedding"),
  sinePositionEncoding: layer<LayerConfig & { maxWavelength?: number }>("sinePositionEncoding"),
  activation: needs<LayerConfig & { activation: Activation }>("activation"),
  reLU: layer<LayerConfig & { maxValue?: number }>("reLU"),
  leakyReLU: layer<LayerConfig & { alpha?: number }>("leakyReLU"),
  elu: layer<LayerConfig & { alpha?: number }>("elu"),
  softmax: layer("softmax"),
  prelu: layer("prelu"),
  embedding: needs<LayerConfig & { inputDim: number; outputDim: number; inputLength?: number; /** Id 0 is padding: its steps are masked. */ maskZero?: boolean }>("embedding"),
  /** Masks the steps all of whose features are maskValue, 0 without one. */
  masking: layer<LayerConfig & { maskValue?: number }>("masking"),
  simpleRNN: needs<RecurrentConfig>("simpleRNN"),
  gru: needs<GatedConfig & { /** The reset gate multiplies the product, not the state; true without it. */ resetAfter?: boolean }>("gru"),
  lstm: needs<GatedConfig & { /** Forget gates start with a bias of 1; true without it. */ unitForgetBias?: boolean }>("lstm"),
  bidirectional: wraps<WrapperConfig & { mergeMode?: "concat" | "sum" | "mul" | "ave" }>("bidirectional"),
  timeDistributed: wraps("timeDistributed"),
  add: layer("add"),
  multiply: layer("multiply"),
  average: layer("average"),
  maximum: layer("maximum"),
  concatenate: layer<LayerConfig & { axis?: number }>("concatenate"),
  zeroPadding2d: layer<LayerConfig & { padding?: number | readonly [number, number] | readonly [readonly [number, number], readonly [number, number]] }>("zeroPadding2d"),
  upSampling2d: layer<LayerConfig & { size?: Size2 }>("upSampling2d"),
  rescaling: needs<LayerConfig & { scale: number; offset?: number }>("rescaling"),
  inputLayer: needs<LayerConfig & { shape: readonly number[] }>("inputLayer"),
};

/** An input of a model that is being described: the shape of one sample. */
export function input({ shape, name }: { shape: readonly number[]; name?: string }): SymbolicTensor {
  return new Layer("inputLayer", { shape: [...shape], name }).apply([]);
}

/** A layer in a request. */
export interface LayerSpec {
  kind: string;
  name: string;
  config: { readonly [setting: string]: Value };
  inbound?: Value[];
}

/** Gives names as Keras does: conv2d, conv2d_1, max_pooling2d. */
class Names {
  private readonly counts = new Map<string, number>();
  private readonly names = new Map<Layer, string>();

  constructor(given: Iterable<Layer>) {
    for (const l of given) if (l.givenName !== undefined) this.counts.set(l.givenName, 1);
  }

  of(l: Layer): string {
    const known = this.names.get(l);
    if (known !== undefined) return known;
    let name = l.givenName;
    if (name === undefined) {
      const base = l.kind.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();
      for (let n = this.counts.get(base) ?? 0; ; n++) {
        name = n ? `${base}_${n}` : base;
        if (!this.counts.has(name) || (n === 0 && !this.counts.get(base))) {
          this.counts.set(base, n + 1);
          break;
        }
      }
    }
    this.names.set(l, name);
    return name;
  }
}

/** Layers of `sequential` for a request. */
export function sequentialSpec(list: readonly Layer[]): { layers: LayerSpec[] } {
  if (!list.length) throw argument("sequential: the list of layers is empty");
  list.forEach((l, i) => {
    if (!(l instanceof Layer)) throw argument(`sequential: entry ${i} is a ${typeof l}, not a layer of weft.layers`);
  });
  const names = new Names(list);
  return { layers: list.map((l) => ({ kind: l.kind, name: names.of(l), config: l.config })) };
}

/** Layers of a functional model for a request: every layer once, with what each of its calls takes. */
export function functionalSpec(inputs: readonly SymbolicTensor[], outputs: readonly SymbolicTensor[]): { layers: LayerSpec[]; inputs: Value; outputs: Value } {
  const seen = new Set<SymbolicTensor>();
  const visit = (t: SymbolicTensor) => {
    if (!(t instanceof SymbolicTensor)) throw argument("model: inputs come from input(), outputs from apply()");
    if (seen.has(t)) return;
    seen.add(t);
    t.from.forEach(visit);
  };
  outputs.forEach(visit);
  const all = [...seen].sort((a, b) => a.order - b.order);
  const names = new Names(all.map((t) => t.layer));
  for (const t of all) {
    if (t.layer.kind === "inputLayer" && !inputs.includes(t)) throw argument(`model: the outputs depend on input ${names.of(t.layer)}, which inputs does not list`);
  }
  for (const t of inputs) if (!seen.has(t)) throw argument(`model: input ${t.layer.givenName ?? inputs.indexOf(t)} leads to no output`);
  // A call's number counts the calls that this model has.
  const calls = new Map<Layer, SymbolicTensor[]>();
  for (const t of all) calls.set(t.layer, [...(calls.get(t.layer) ?? []), t]);
  const ref = (t: SymbolicTensor): Value => {
    const call = calls.get(t.layer)!.indexOf(t);
    return call ? [names.of(t.layer), call] : names.of(t.layer);
  };
  const layers = [...calls].map(([l, ts]) => ({
    kind: l.kind,
    name: names.of(l),
    config: l.config,
    ...(l.kind !== "inputLayer" && { inbound: ts.map((t) => t.from.map(ref)) }),
  }));
  return { layers, inputs: inputs.map(ref), outputs: outputs.map(ref) };
}
