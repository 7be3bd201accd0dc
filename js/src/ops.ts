// Operations: each records a node and returns its result's handle at once.
import type { Core, OpNode } from "./core.js";
import { Creation, type Operand, type TensorLike } from "./creation.js";
import type { DType } from "./dtype.js";
import { argument } from "./errors.js";
import type { Value } from "./protocol.js";
import { broadcast, matMulShape, reduced, reshaped, type MaybeShape } from "./shapes.js";
import { Tensor } from "./tensor.js";
import { onnxOps, type OnnxOps } from "./ops.gen.js";

/** Attributes of an ONNX operator. */
export interface Attributes {
  [name: string]: Value;
}

/** Options of `op`. */
export interface OpOptions {
  /** ONNX attributes by their names. */
  attrs?: Attributes;
  /** Number of results; a list is returned when it is not 1. */
  outputs?: number;
  /** Domain of the operator; ONNX's own by default. */
  domain?: string;
}

/** Settings of attention. */
export interface AttentionOptions {
  /** Heads of tensors [batch, sequence, heads * size]. */
  numHeads?: number;
  /** Heads of keys and values, each shared by numHeads / numKeyValueHeads of the queries. */
  numKeyValueHeads?: number;
  /** A query looks at keys up to its own position. */
  causal?: boolean;
  /** Factor of the scores; 1 / √size without it. */
  scale?: number;
  /** Scores become softcap * tanh(score / softcap). */
  softcap?: number;
  /** Booleans, true where a key may be looked at, or numbers added to the scores; broadcasts to [batch, heads, queries, keys]. */
  mask?: TensorLike | null;
  /** How many keys of each sample are no padding. */
  lengths?: TensorLike | null;
}

function attentionAttrs({ numHeads, numKeyValueHeads = numHeads, causal, scale, softcap }: AttentionOptions): Attributes {
  const attrs: Attributes = {};
  if (numHeads !== undefined) Object.assign(attrs, { q_num_heads: numHeads, kv_num_heads: numKeyValueHeads });
  if (causal) attrs["is_causal"] = 1;
  if (scale !== undefined) attrs["scale"] = scale;
  if (softcap !== undefined) attrs["softcap"] = softcap;
  return attrs;
}

/** Inputs without those omitted at the end. */
function trimmed<T>(inputs: readonly (T | null)[]): (T | null)[] {
  return inputs.slice(0, inputs.findLastIndex((x) => x !== null) + 1);
}

/** How a window moves over its input. */
export interface WindowOptions {
  strides?: number | [number, number];
  /** "valid" (no border), "same" (as many positions as input / stride), or [top, left, bottom, right]. */
  padding?: "valid" | "same" | [number, number, number, number];
}

/** Options of a convolution. */
export interface ConvOptions extends WindowOptions {
  dilations?: number | [number, number];
  groups?: number;
  bias?: Tensor;
}

interface Facts {
  shape?: MaybeShape;
  dtype?: DType;
}

const pair = (v: number | readonly number[] | undefined, fallback: number | readonly number[] = 1): readonly number[] => {
  const w = v ?? fallback;
  return typeof w === "number" ? [w, w] : w;
};

const known = (x: unknown): Facts => (x instanceof Tensor ? x.known : typeof x === "number" ? { shape: [] } : {});

/** The operations; the runtime and scopes have them. */
export class Ops extends Creation {
  /** Every operator of ONNX by its own name and with its own attributes, as `weft.onnx.gemm(a, b, c, { transB: 1 })`. */
  readonly onnx: OnnxOps;

  /** @internal */
  constructor(core: Core) {
    super(core);
    this.onnx = onnxOps((name, inputs, attrs, outputs) => (outputs === 1 ? this.op(name, inputs, { attrs }) : this.op(name, inputs, { attrs, outputs })));
  }

  /**
   * Any ONNX operator by its name.
   *
   * @example
   * ```ts
   * const y = weft.op("Erf", [x]);
   * const [values, indices] = weft.op("TopK", [x, weft.tensor([3], { dtype: "int64" })], { attrs: { axis: -1 }, outputs: 2 });
   * ```
   */
  op(name: string, inputs: readonly (TensorLike | null)[], options?: OpOptions & { outputs?: 1 }): Tensor;
  op(name: string, inputs: readonly (TensorLike | null)[], options: OpOptions & { outputs: number }): Tensor[];
  op(name: string, inputs: readonly (TensorLike | null)[], options: OpOptions = {}): Tensor | Tensor[] {
    return this.node(name, inputs, options, {});
  }

  private node(name: string, inputs: readonly (TensorLike | Operand | null)[], { attrs, outputs = 1, domain }: OpOptions, facts: Facts): Tensor & Tensor[] {
    const { core } = this;
    const mate = inputs.find((x): x is Tensor => x instanceof Tensor);
    const operands = inputs.map((x) => this.operand(x, mate));
    const scope = this.owner() ?? mate?.scope;
    const traced = core.recorder.tracing;
    const init = { facts: { ...(facts.shape && { shape: [...facts.shape] }), ...(facts.dtype && { dtype: facts.dtype }) }, scope, traced };
    const results = Array.from({ length: outputs }, () => new Tensor(core, core.id(), init));
    const node: OpNode = { op: name, in: operands.map((t) => t?.id ?? 0), out: results.map((t) => t.id) };
    if (attrs) node.attrs = attrs;
    if (domain) node.domain = domain;
    core.recorder.record(node, results, operands.filter((t): t is Tensor => t instanceof Tensor));
    return (outputs === 1 ? results[0]! : results) as Tensor & Tensor[];
  }

  private unary(name: string, x: TensorLike, attrs?: Attributes): Tensor {
    return this.node(name, [x], { attrs }, known(x));
  }

  private binary(name: string, a: TensorLike, b: TensorLike, dtype?: DType): Tensor {
    const [fa, fb] = [known(a), known(b)];
    return this.node(name, [a, b], {}, { shape: broadcast(name, fa.shape, fb.shape), dtype: dtype ?? fa.dtype ?? fb.dtype });
  }

  private reduce(name: string, x: TensorLike, axis: number | readonly number[] | undefined, keepDims: boolean): Tensor {
    const axes = axis === undefined ? undefined : typeof axis === "number" ? [axis] : axis;
    const f = known(x);
    return this.node(name, [x, axes ? this.ints(axes) : null], { attrs: { keepdims: keepDims ? 1 : 0 } }, { shape: reduced(f.shape, axes, keepDims), dtype: f.dtype });
  }

  /** a + b, shapes broadcast. */
  add(a: TensorLike, b: TensorLike): Tensor {
    return this.binary("Add", a, b);
  }
  /** a - b. */
  sub(a: TensorLike, b: TensorLike): Tensor {
    return this.binary("Sub", a, b);
  }
  /** a * b, element by element. */
  mul(a: TensorLike, b: TensorLike): Tensor {
    return this.binary("Mul", a, b);
  }
  /** a / b. */
  div(a: TensorLike, b: TensorLike): Tensor {
    return this.binary("Div", a, b);
  }
  /** a to the power b. */
  pow(a: TensorLike, b: TensorLike): Tensor {
    return this.binary("Pow", a, b);
  }
  /** The larger of a and b. */
  maximum(a: TensorLike, b: TensorLike): Tensor {
    return this.binary("Max", a, b);
  }
  /** The smaller of a and b. */
  minimum(a: TensorLike, b: TensorLike): Tensor {
    return this.binary("Min", a, b);
  }
  /** a = b, as booleans. */
  equal(a: TensorLike, b: TensorLike): Tensor {
    return this.binary("Equal", a, b, "bool");
  }
  /** a > b. */
  greater(a: TensorLike, b: TensorLike): Tensor {
    return this.binary("Greater", a, b, "bool");
  }
  /** a >= b. */
  greaterEqual(a: TensorLike, b: TensorLike): Tensor {
    return this.binary("GreaterOrEqual", a, b, "bool");
  }
  /** a < b. */
  less(a: TensorLike, b: TensorLike): Tensor {
    return this.binary("Less", a, b, "bool");
  }
  /** a <= b. */
  lessEqual(a: TensorLike, b: TensorLike): Tensor {
    return this.binary("LessOrEqual", a, b, "bool");
  }
  /** Both a and b, for booleans. */
  logicalAnd(a: TensorLike, b: TensorLike): Tensor {
    return this.binary("And", a, b, "bool");
  }
  /** a or b, for booleans. */
  logicalOr(a: TensorLike, b: TensorLike): Tensor {
    return this.binary("Or", a, b, "bool");
  }
  /** Not x, for booleans. */
  logicalNot(x: TensorLike): Tensor {
    return this.unary("Not", x);
  }
  /** a where the condition holds, b elsewhere. */
  where(condition: TensorLike, a: TensorLike, b: TensorLike): Tensor {
    const [fa, fb] = [known(a), known(b)];
    const shape = broadcast("Where", known(condition).shape, broadcast("Where", fa.shape, fb.shape));
    const mate = a instanceof Tensor ? a : b instanceof Tensor ? b : undefined;
    const literal = (v: TensorLike) => this.operand(v, mate);
    return this.node("Where", [condition, literal(a), literal(b)], {}, { shape, dtype: fa.dtype ?? fb.dtype });
  }

  /** -x. */
  neg(x: TensorLike): Tensor {
    return this.unary("Neg", x);
  }
  /** |x|. */
  abs(x: TensorLike): Tensor {
    return this.unary("Abs", x);
  }
  /** e to the power x. */
  exp(x: TensorLike): Tensor {
    return this.unary("Exp", x);
  }
  /** Natural logarithm. */
  log(x: TensorLike): Tensor {
    return this.unary("Log", x);
  }
  /** Square root. */
  sqrt(x: TensorLike): Tensor {
    return this.unary("Sqrt", x);
  }
  /** x * x. */
  square(x: TensorLike): Tensor {
    return this.binary("Mul", x, x);
  }
  /** 1 / x. */
  reciprocal(x: TensorLike): Tensor {
    return this.unary("Reciprocal", x);
  }
  /** The next whole number below. */
  floor(x: TensorLike): Tensor {
    return this.unary("Floor", x);
  }
  /** The next whole number above. */
  ceil(x: TensorLike): Tensor {
    return this.unary("Ceil", x);
  }
  /** The nearest whole number, halves to the even one. */
  round(x: TensorLike): Tensor {
    return this.unary("Round", x);
  }
  /** -1, 0 or 1. */
  sign(x: TensorLike): Tensor {
    return this.unary("Sign", x);
  }
  /** Sine. */
  sin(x: TensorLike): Tensor {
    return this.unary("Sin", x);
  }
  /** Cosine. */
  cos(x: TensorLike): Tensor {
    return this.unary("Cos", x);
  }
  /** Error function. */
  erf(x: TensorLike): Tensor {
    return this.unary("Erf", x);
  }
  /** max(x, 0). */
  relu(x: TensorLike): Tensor {
    return this.unary("Relu", x);
  }
  /** x where it is positive, alpha * x elsewhere. */
  leakyRelu(x: TensorLike, alpha = 0.01): Tensor {
    return this.unary("LeakyRelu", x, { alpha });
  }
  /** x where it is positive, alpha * (e^x - 1) elsewhere. */
  elu(x: TensorLike, alpha = 1): Tensor {
    return this.unary("Elu", x, { alpha });
  }
  /** Gaussian error linear unit. */
  gelu(x: TensorLike): Tensor {
    return this.unary("Gelu", x);
  }
  /** 1 / (1 + e^-x). */
  sigmoid(x: TensorLike): Tensor {
    return this.unary("Sigmoid", x);
  }
  /** Hyperbolic tangent. */
  tanh(x: TensorLike): Tensor {
    return this.unary("Tanh", x);
  }
  /** log(1 + e^x). */
  softplus(x: TensorLike): Tensor {
    return this.unary("Softplus", x);
  }
  /** x * sigmoid(x). */
  silu(x: TensorLike): Tensor {
    return this.mul(x, this.sigmoid(x));
  }
  /** Probabilities along an axis. */
  softmax(x: TensorLike, axis = -1): Tensor {
    return this.unary("Softmax", x, { axis });
  }
  /** Logarithms of the probabilities along an axis. */
  logSoftmax(x: TensorLike, axis = -1): Tensor {
    return this.unary("LogSoftmax", x, { axis });
  }

  /**
   * Scaled dot-product attention, softmax(q kᵀ / √size) v, of tensors [batch, heads, sequence, size], or [batch, sequence, heads * size] with
   * `numHeads`. The scores are never in memory as a whole. A query that may look at nothing gets zeros.
   *
   * @example
   * ```ts
   * const q = weft.ones([2, 4, 16, 8]);
   * const y = weft.attention(q, q, q, { causal: true });
   * ```
   */
  attention(q: TensorLike, k: TensorLike, v: TensorLike, options: AttentionOptions = {}): Tensor {
    const { mask = null, lengths = null } = options;
    const inputs = [q, k, v, mask, null, null, lengths && this.indices(lengths)];
    const [sq, sv] = [known(q).shape, known(v).shape];
    const { numHeads: heads = 1, numKeyValueHeads: kv = heads } = options;
    const shape = sq && sv && [...sq.slice(0, -1), (sv[sv.length - 1]! / (sq.length === 3 ? kv : 1)) * (sq.length === 3 ? heads : 1)];
    return this.node("Attention", trimmed(inputs), { attrs: attentionAttrs(options) }, { shape, dtype: known(q).dtype });
  }

  /**
   * Attention of queries, keys and values that lie side by side in one tensor [batch, sequence, 3 * heads * size], as one product with the
   * three weights gives them: nothing is split or moved.
   */
  selfAttention(qkv: TensorLike, options: AttentionOptions & { numHeads: number }): Tensor {
    const { numHeads, numKeyValueHeads = numHeads, mask = null, lengths = null } = options;
    const s = known(qkv).shape;
    const shape = s && [...s.slice(0, -1), (s[s.length - 1]! / (numHeads + 2 * numKeyValueHeads)) * numHeads];
    const inputs = [qkv, mask, lengths && this.indices(lengths)];
    return this.node("SelfAttention", trimmed(inputs), { attrs: attentionAttrs(options), domain: "weft" }, { shape, dtype: known(qkv).dtype });
  }
  /** x kept between two numbers. */
  clipByValue(x: TensorLike, min: number, max: number): Tensor {
    return this.node("Clip", [x, min, max], {}, known(x));
  }

  /** Sum over axes, over all without them. */
  sum(x: TensorLike, axis?: number | readonly number[], keepDims = false): Tensor {
    return this.reduce("ReduceSum", x, axis, keepDims);
  }
  /** Mean over axes. */
  mean(x: TensorLike, axis?: number | readonly number[], keepDims = false): Tensor {
    return this.reduce("ReduceMean", x, axis, keepDims);
  }
  /** Largest element over axes. */
  max(x: TensorLike, axis?: number | readonly number[], keepDims = false): Tensor {
    return this.reduce("ReduceMax", x, axis, keepDims);
  }
  /** Smallest element over axes. */
  min(x: TensorLike, axis?: number | readonly number[], keepDims = false): Tensor {
    return this.reduce("ReduceMin", x, axis, keepDims);
  }
  /** Product over axes. */
  prod(x: TensorLike, axis?: number | readonly number[], keepDims = false): Tensor {
    return this.reduce("ReduceProd", x, axis, keepDims);
  }
  /** log(sum(e^x)) over axes, without overflow. */
  logSumExp(x: TensorLike, axis?: number | readonly number[], keepDims = false): Tensor {
    return this.reduce("ReduceLogSumExp", x, axis, keepDims);
  }
  /** Position of the largest element along an axis, as int64. */
  argMax(x: TensorLike, axis = 0, keepDims = false): Tensor {
    return this.node("ArgMax", [x], { attrs: { axis, keepdims: keepDims ? 1 : 0 } }, { shape: reduced(known(x).shape, [axis], keepDims), dtype: "int64" });
  }
  /** Position of the smallest element along an axis. */
  argMin(x: TensorLike, axis = 0, keepDims = false): Tensor {
    return this.node("ArgMin", [x], { attrs: { axis, keepdims: keepDims ? 1 : 0 } }, { shape: reduced(known(x).shape, [axis], keepDims), dtype: "int64" });
  }

  /** Matrix product; axes in front are batches. */
  matMul(a: TensorLike, b: TensorLike, { transposeA = false, transposeB = false }: { transposeA?: boolean; transposeB?: boolean } = {}): Tensor {
    const x = transposeA ? this.swapLast(a) : a;
    const y = transposeB ? this.swapLast(b) : b;
    const [fx, fy] = [known(x), known(y)];
    return this.node("MatMul", [x, y], {}, { shape: matMulShape(fx.shape, fy.shape), dtype: fx.dtype });
  }

  private swapLast(x: TensorLike): Tensor {
    const t = x instanceof Tensor ? x : this.tensor(x);
    const axes = Array.from({ length: t.rank }, (_, i) => i);
    const last = axes.length - 1;
    if (last < 1) throw argument(`matMul: a tensor of rank ${t.rank} has no two axes to transpose`);
    [axes[last], axes[last - 1]] = [axes[last - 1]!, axes[last]!];
    return this.transpose(t, axes);
  }

  /** The same elements in another shape; one length may be -1. */
  reshape(x: TensorLike, shape: readonly number[]): Tensor {
    const f = known(x);
    return this.node("Reshape", [x, this.ints(shape)], {}, { shape: reshaped(f.shape, shape), dtype: f.dtype });
  }
  /** Axes in another order; reversed without one. */
  transpose(x: TensorLike, perm?: readonly number[]): Tensor {
    const f = known(x);
    const shape = f.shape && (perm ? perm.map((a) => f.shape![a]!) : [...f.shape].reverse());
    return this.node("Transpose", [x], perm ? { attrs: { perm: [...perm] } } : {}, { shape, dtype: f.dtype });
  }
  /** An axis of length 1 more. */
  expandDims(x: TensorLike, axis = 0): Tensor {
    const f = known(x);
    const shape = f.shape && [...f.shape];
    shape?.splice(axis < 0 ? shape.length + 1 + axis : axis, 0, 1);
    return this.node("Unsqueeze", [x, this.ints([axis])], {}, { shape, dtype: f.dtype });
  }
  /** Without axes of length 1. */
  squeeze(x: TensorLike, axes?: readonly number[]): Tensor {
    return this.node("Squeeze", [x, axes ? this.ints(axes) : null], {}, { dtype: known(x).dtype });
  }
  /** Tensors one after the other along an axis. */
  concat(tensors: readonly TensorLike[], axis = 0): Tensor {
    return this.node("Concat", tensors, { attrs: { axis } }, { dtype: known(tensors[0]).dtype });
  }
  /** Tensors of one shape along a new axis. */
  stack(tensors: readonly TensorLike[], axis = 0): Tensor {
    return this.concat(
      tensors.map((t) => this.expandDims(t, axis)),
      axis,
    );
  }
  /** Equal parts along an axis, or parts of the given lengths. */
  split(x: TensorLike, parts: number | readonly number[], axis = 0): Tensor[] {
    if (typeof parts === "number") return this.node("Split", [x], { attrs: { axis, num_outputs: parts }, outputs: parts }, { dtype: known(x).dtype });
    return this.node("Split", [x, this.ints(parts)], { attrs: { axis }, outputs: parts.length }, { dtype: known(x).dtype });
  }
  /** A block: where it begins on each axis, and its lengths (-1: to the end). */
  slice(x: TensorLike, begin: readonly number[], size?: readonly number[]): Tensor {
    const ends = begin.map((b, i) => (size === undefined || size[i] === undefined || size[i] === -1 ? 2 ** 31 - 1 : b + size[i]!));
    const axes = begin.map((_, i) => i);
    return this.node("Slice", [x, this.ints(begin), this.ints(ends), this.ints(axes)], {}, { dtype: known(x).dtype });
  }
  /** Entries by index along an axis. */
  gather(x: TensorLike, indices: TensorLike, axis = 0): Tensor {
    return this.node("Gather", [x, this.indices(indices)], { attrs: { axis } }, { dtype: known(x).dtype });
  }

  private indices(v: TensorLike): TensorLike {
    return v instanceof Tensor || typeof v === "number" ? v : this.tensor(v, { dtype: "int64" });
  }
  /** Copies along each axis. */
  tile(x: TensorLike, repeats: readonly number[]): Tensor {
    return this.node("Tile", [x, this.ints(repeats)], {}, { shape: known(x).shape?.map((d, i) => d * (repeats[i] ?? 1)), dtype: known(x).dtype });
  }
  /** A border of one value: [before, after] for each axis. */
  pad(x: TensorLike, paddings: readonly (readonly [number, number])[], value = 0): Tensor {
    const pads = [...paddings.map(([before]) => before), ...paddings.map(([, after]) => after)];
    return this.node("Pad", [x, this.ints(pads), value], {}, { shape: known(x).shape?.map((d, i) => d + (paddings[i]?.[0] ?? 0) + (paddings[i]?.[1] ?? 0)), dtype: known(x).dtype });
  }
  /** Another element type. */
  cast(x: TensorLike, dtype: DType): Tensor {
    return this.node("Cast", [x], { attrs: { to: this.number(dtype) } }, { shape: known(x).shape, dtype });
  }
  /** Rows of zeros with a one at the index. */
  oneHot(indices: TensorLike, depth: number, onValue = 1, offValue = 0): Tensor {
    const values = this.tensor(new Float32Array([offValue, onValue]));
    return this.node("OneHot", [this.indices(indices), this.ints([depth]), values], { attrs: { axis: -1 } }, { dtype: "float32" });
  }

  private toChannelsFirst = (x: TensorLike) => this.transpose(x, [0, 3, 1, 2]);
  private toChannelsLast = (x: Tensor) => this.transpose(x, [0, 2, 3, 1]);

  private window({ strides, padding = "valid" }: WindowOptions, stride: number | readonly number[] = 1): Attributes {
    const attrs: Attributes = { strides: pair(strides, stride) as number[] };
    if (padding === "same") return { ...attrs, auto_pad: "SAME_UPPER" };
    return padding === "valid" ? attrs : { ...attrs, pads: padding };
  }

  /** Convolution of images [n, h, w, in] with filters [h, w, in / groups, out]. */
  conv2d(x: TensorLike, filters: TensorLike, options: ConvOptions = {}): Tensor {
    const w = this.transpose(filters, [3, 2, 0, 1]);
    const attrs = { ...this.window(options), dilations: pair(options.dilations) as number[], group: options.groups ?? 1 };
    const inputs = [this.toChannelsFirst(x), w, ...(options.bias ? [options.bias] : [])];
    return this.toChannelsLast(this.op("Conv", inputs, { attrs }));
  }
  /** Largest element of each window of images [n, h, w, c]. */
  maxPool2d(x: TensorLike, size: number | [number, number], options: WindowOptions = {}): Tensor {
    const attrs = { ...this.window(options, size), kernel_shape: pair(size) as number[] };
    return this.toChannelsLast(this.op("MaxPool", [this.toChannelsFirst(x)], { attrs }));
  }
  /** Mean of each window of images [n, h, w, c]. */
  avgPool2d(x: TensorLike, size: number | [number, number], options: WindowOptions = {}): Tensor {
    const attrs = { ...this.window(options, size), kernel_shape: pair(size) as number[] };
    return this.toChannelsLast(this.op("AveragePool", [this.toChannelsFirst(x)], { attrs }));
  }
}
