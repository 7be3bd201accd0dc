// Making tensors from data, and operands from what operations are given.
import type { Core } from "./core.js";
import { arrayClass, checkShape, dtypeFor, dtypeNumber, flatten, isTypedArray, nestedShape, sizeOf, type DType, type NestedArray, type TypedArray } from "./dtype.js";
import { WeftError, argument } from "./errors.js";
import { fromPixels, type PixelOptions, type PixelSource } from "./pixels.js";
import { Wire, type Value } from "./protocol.js";
import type { Scope } from "./scope.js";
import { Tensor, Variable } from "./tensor.js";

/** What operations take: a tensor, a number, nested lists, or a typed array. */
export type TensorLike = Tensor | NestedArray | TypedArray;

/** A recorded constant, which has a number but no handle. @internal */
export class Operand {
  constructor(readonly id: number) {}
}

/** Options of `tensor`. */
export interface TensorOptions {
  shape?: readonly number[];
  dtype?: DType;
}

/** Options of random tensors. */
export interface NormalOptions {
  mean?: number;
  std?: number;
  /** The same seed gives the same numbers everywhere. */
  seed?: number;
}

/** Options of uniform random tensors. */
export interface UniformOptions {
  min?: number;
  max?: number;
  seed?: number;
}

/** Options of `variable`. */
export interface VariableOptions {
  name?: string;
  /** Whether optimizers change it; true by default. */
  trainable?: boolean;
}

/** Bytes of one message of an upload. */
const sliceBytes = 4 << 20;

/** Elements, shape and type of what a tensor is made from. */
export function toWire(data: NestedArray | TypedArray, options: TensorOptions = {}): Wire {
  const { dtype } = options;
  if (isTypedArray(data)) {
    const shape = options.shape ? checkShape(options.shape) : [data.length];
    if (sizeOf(shape) !== data.length) {
      throw new WeftError("shape", `weft: ${data.length} elements do not fill shape [${shape.join(", ")}], which has ${sizeOf(shape)}`, { op: "tensor", shapes: [shape] });
    }
    const own = dtypeFor(data);
    if (dtype === undefined || dtype === own || (dtype === "bool" && own === "uint8")) return new Wire(dtype ?? own, shape, data);
    return new Wire(dtype, shape, flatten(Array.from(data as ArrayLike<number>), [data.length], dtype));
  }
  const found = nestedShape(data);
  let first: NestedArray = data;
  while (Array.isArray(first)) first = first[0] as NestedArray;
  const type = dtype ?? (typeof first === "boolean" ? "bool" : typeof first === "bigint" ? "int64" : "float32");
  const flat = flatten(data, found, type);
  const shape = options.shape ? checkShape(options.shape) : found;
  if (sizeOf(shape) !== flat.length) {
    throw new WeftError("shape", `weft: ${flat.length} elements do not fill shape [${shape.join(", ")}], which has ${sizeOf(shape)}`, { op: "tensor", shapes: [shape] });
  }
  return new Wire(type, shape, flat);
}

/** Sends data into a handle: at once, or in slices when it is large. */
export function upload(core: Core, id: number, wire: Wire): Promise<unknown> {
  if (wire.data.byteLength <= sliceBytes) return core.call("tensor.new", { id, data: wire });
  const { dtype, shape, data } = wire;
  return core.exclusive(async (call) => {
    await call("tensor.alloc", { id, dtype, shape: shape as number[] });
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    let before: Promise<unknown> | undefined;
    for (let offset = 0; offset < bytes.length; offset += sliceBytes) {
      const sent = call("tensor.write", { id, offset, data: bytes.subarray(offset, offset + sliceBytes) });
      await before; // two slices on their way: one is written while the next is copied
      before = sent;
    }
    await before;
  });
}

/** Makes tensors. */
export abstract class Creation {
  /** @internal */
  readonly core: Core;

  /** @internal */
  constructor(core: Core) {
    this.core = core;
  }

  /** The scope that results belong to. @internal */
  protected owner(): Scope | undefined {
    return undefined;
  }

  /** Element type's number, for attributes. @internal */
  protected number(dtype: DType): number {
    return dtypeNumber(dtype);
  }

  /** Records a constant of whole numbers: axes, shapes, sizes. @internal */
  protected ints(values: readonly number[]): Operand {
    for (const v of values) {
      if (!Number.isInteger(v)) throw argument(`${v} is not a whole number: axes, shapes and sizes are`);
    }
    return this.constant([...values]);
  }

  private constant(value: Value): Operand {
    const id = this.core.id();
    this.core.recorder.record({ op: "Constant", in: [], out: [id], attrs: { value } }, [], []);
    return new Operand(id);
  }

  /** The operand for what was given; numbers take the type of their mate. @internal */
  protected operand(x: TensorLike | Operand | null, mate?: Tensor): Tensor | Operand | null {
    if (x === null || x instanceof Operand) return x;
    if (x instanceof Tensor) return x.use(this.core);
    if (typeof x === "number") {
      const dtype = mate?.known.dtype;
      if (dtype === undefined || dtype === "float32" || dtype === "bool" || !Number.isInteger(x)) return this.constant(x);
      return this.constant(new Wire(dtype, [], flatten(x, [], dtype)));
    }
    return this.tensor(x);
  }

  /**
   * A tensor from a typed array, nested lists or a number. Large arrays are sent in slices: leave them unchanged until
   * `await tensor.ready()`.
   *
   * @example
   * ```ts
   * const a = weft.tensor([[1, 2, 3], [4, 5, 6]]);
   * const b = weft.tensor(new Float32Array(6), [2, 3]);
   * const c = weft.tensor([1, 0, 1], { dtype: "int32" });
   * ```
   */
  tensor(data: NestedArray | TypedArray, options: TensorOptions | readonly number[] = {}): Tensor {
    const wire = toWire(data, Array.isArray(options) ? { shape: options as readonly number[] } : (options as TensorOptions));
    return this.fromWire(wire);
  }

  private fromWire(wire: Wire): Tensor {
    const id = this.core.id();
    const made = upload(this.core, id, wire);
    return new Tensor(this.core, id, { facts: { shape: [...wire.shape], dtype: wire.dtype }, scope: this.owner(), made });
  }

  /** A tensor full of one value. */
  full(shape: readonly number[], value: number, dtype: DType = "float32"): Tensor {
    const size = sizeOf(checkShape(shape));
    const data = new (arrayClass(dtype))(size);
    if (value !== 0) (data as Float32Array).fill((dtype === "int64" || dtype === "uint64" ? BigInt(value) : value) as number);
    return this.fromWire(new Wire(dtype, [...shape], data));
  }
  /** Zeros. */
  zeros(shape: readonly number[], dtype?: DType): Tensor {
    return this.full(shape, 0, dtype);
  }
  /** Ones. */
  ones(shape: readonly number[], dtype?: DType): Tensor {
    return this.full(shape, 1, dtype);
  }
  /** The identity matrix. */
  eye(n: number): Tensor {
    const data = new Float32Array(n * n);
    for (let i = 0; i < n; i++) data[i * n + i] = 1;
    return this.tensor(data, [n, n]);
  }
  /** Numbers from start to before stop. */
  arange(start: number, stop?: number, step = 1, dtype: DType = "float32"): Tensor {
    const [from, to] = stop === undefined ? [0, start] : [start, stop];
    if (step === 0) throw argument("arange: the step is 0");
    const n = Math.max(0, Math.ceil((to - from) / step));
    return this.tensor(
      Array.from({ length: n }, (_, i) => from + i * step),
      { dtype, shape: [n] },
    );
  }
  /** Equally spaced numbers from start to stop, both included. */
  linspace(start: number, stop: number, n: number): Tensor {
    return this.tensor(Float32Array.from({ length: n }, (_, i) => (n === 1 ? start : start + (i * (stop - start)) / (n - 1))));
  }

  private random(kind: string, shape: readonly number[], options: { [name: string]: number | undefined }): Tensor {
    const id = this.core.id();
    const seed = options["seed"] ?? Math.floor(Math.random() * 2 ** 32);
    const made = this.core.call("tensor.random", { id, kind, shape: checkShape(shape), ...options, seed });
    return new Tensor(this.core, id, { facts: { shape: [...shape], dtype: "float32" }, scope: this.owner(), made });
  }
  /** Normally distributed numbers. */
  randomNormal(shape: readonly number[], options: NormalOptions = {}): Tensor {
    return this.random("normal", shape, { ...options });
  }
  /** Normally distributed numbers, those further than two deviations drawn again. */
  truncatedNormal(shape: readonly number[], options: NormalOptions = {}): Tensor {
    return this.random("truncatedNormal", shape, { ...options });
  }
  /** Numbers distributed evenly from min to max. */
  randomUniform(shape: readonly number[], options: UniformOptions = {}): Tensor {
    return this.random("uniform", shape, { ...options });
  }

  /** A variable: what optimizers train. It belongs to no scope. */
  variable(data: TensorLike, { name, trainable = true }: VariableOptions = {}): Variable {
    const { core } = this;
    const id = core.id();
    const label = name ?? `variable_${id}`;
    let facts;
    let made: Promise<unknown>;
    if (data instanceof Tensor) {
      data.use(core);
      facts = { ...data.known };
      core.flush(data.id);
      made = core.call("variable.new", { id, name: label, tensor: data.id, trainable });
    } else {
      const wire = toWire(data);
      facts = { shape: [...wire.shape], dtype: wire.dtype };
      made = core.call("variable.new", { id, name: label, data: wire, trainable });
    }
    return new Variable(core, id, { name: label, trainable, facts, made });
  }

  /**
   * A picture as a tensor [height, width, channels]: bytes, or numbers from 0 to 1 with `normalize`.
   *
   * @example
   * ```ts
   * const x = weft.fromPixels(canvas, { channels: 1, size: [28, 28], normalize: true });
   * ```
   */
  fromPixels(source: PixelSource, options: PixelOptions = {}): Tensor {
    return this.fromWire(fromPixels(source, options));
  }
}
