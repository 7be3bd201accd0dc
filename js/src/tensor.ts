// Tensors: handles of values that live on Go's side.
import type { Core } from "./core.js";
import { nest, sizeOf, type DType, type NestedArray, type TypedArray } from "./dtype.js";
import { DisposedError, WeftError } from "./errors.js";
import type { TensorMethods } from "./methods.js";
import type { Scope } from "./scope.js";

// Explicit resource management where the engine does not have it yet.
(Symbol as { dispose?: symbol }).dispose ??= Symbol.for("Symbol.dispose");
(Symbol as { asyncDispose?: symbol }).asyncDispose ??= Symbol.for("Symbol.asyncDispose");

/** Facts of a value. */
export interface TensorFacts {
  shape: number[];
  dtype: DType;
}

/** What a tensor is made with. @internal */
export interface TensorInit {
  facts?: Partial<TensorFacts>;
  scope?: Scope;
  /** Settles when the value is there; a recorded operation has none yet. */
  made?: Promise<unknown>;
  /** Whether it is an input or result inside a traced function. */
  traced?: string;
  /** Whether there is no handle on Go's side to free. */
  borrowed?: boolean;
}

/**
 * A value in the runtime. Operations borrow it and return new tensors at once; reading waits.
 *
 * @example
 * ```ts
 * const x = weft.tensor([[1, 2], [3, 4]]);
 * const y = x.matMul(x).relu();
 * console.log(await y.array()); // [[7, 10], [15, 22]]
 * y.dispose();
 * ```
 */
export class Tensor {
  /** Number of the handle. */
  readonly id: number;
  /** @internal */
  readonly core: Core;
  /** @internal */
  scope: Scope | undefined;
  /** @internal */
  readonly traced: string | undefined;
  private facts: Partial<TensorFacts>;
  private made: Promise<unknown> | undefined;
  private gone = false;
  private readonly borrowed: boolean;

  /** @internal */
  constructor(core: Core, id: number, { facts = {}, scope, made, traced, borrowed = false }: TensorInit = {}) {
    this.core = core;
    this.id = id;
    this.facts = facts;
    this.traced = traced;
    this.borrowed = borrowed || !!traced;
    this.made = made;
    made?.catch(() => {});
    if (!this.borrowed) core.watch(this, id);
    this.scope = scope;
    scope?.adopt(this);
  }

  /** Whether `dispose()` was called. */
  get disposed(): boolean {
    return this.gone;
  }

  /** Lengths of the axes: known at once for tensors made from data, after `ready()` or a read for results. */
  get shape(): readonly number[] {
    if (!this.facts.shape) {
      throw new WeftError("state", this.traced ? `weft: a shape is not known while ${this.traced} records; take it from the arguments` : "weft: the shape of a result is known after await tensor.ready()");
    }
    return this.facts.shape;
  }

  /** Element type. */
  get dtype(): DType {
    if (!this.facts.dtype) throw new WeftError("state", "weft: the element type of a result is known after await tensor.ready()");
    return this.facts.dtype;
  }

  /** Facts as far as they are known. @internal */
  get known(): Partial<TensorFacts> {
    return this.facts;
  }

  /** Number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** Throws unless the tensor can be used. @internal */
  use(core: Core): this {
    if (this.gone) throw new DisposedError(`tensor ${this.id}`);
    if (core !== this.core) throw new WeftError("argument", "weft: a tensor of another runtime cannot be used here");
    if (this.traced && core.recorder === core) throw new WeftError("state", `weft: a value of ${this.traced} was used outside of it; return it from the function`);
    return this;
  }

  /** Is told that the value is being computed. @internal */
  settle(made: Promise<TensorFacts>): void {
    this.made = made.then((facts) => {
      this.facts = facts;
    });
    this.made.catch(() => {});
  }

  /** Waits until the value is computed and its shape known; rejects with what went wrong. */
  async ready(): Promise<this> {
    this.use(this.core);
    if (this.traced || this.core.holding) {
      throw new WeftError("state", `weft: a value cannot be read inside ${this.traced ?? "grad"}: the function is recorded, not run; return the value and read it outside`);
    }
    if (!this.made) this.core.flush(this.id);
    await this.made;
    return this;
  }

  /** The elements, in a typed array of the caller's own, row by row. */
  async data(): Promise<TypedArray> {
    await this.ready();
    this.use(this.core);
    this.core.flushAll(); // an assignment that is recorded changes a variable before it is read
    const wire = this.core.quick?.read(this.id) ?? (await this.core.call("tensor.read", { id: this.id }));
    const failure = this.core.takeFailure();
    if (failure) throw failure;
    this.facts = { shape: [...wire.shape], dtype: wire.dtype };
    return wire.data;
  }

  /** The elements as nested lists. */
  async array(): Promise<NestedArray> {
    const data = await this.data();
    return nest(data, this.shape, this.dtype === "bool");
  }

  /** The only element, as a number. */
  async item(): Promise<number> {
    const data = await this.data();
    if (data.length !== 1) throw new WeftError("shape", `weft: item() reads a tensor of one element, not of shape [${this.shape.join(", ")}]`, { op: "item", shapes: [[...this.shape]] });
    return Number(data[0]);
  }

  /** Gives the value back. Later use throws a DisposedError; another call does nothing. */
  dispose(): void {
    if (this.gone) return;
    this.gone = true;
    this.scope?.forget(this);
    if (!this.borrowed) this.core.free(this, this.id);
  }

  /** For `using x = ...`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

// The operations as methods are put on the prototype by methods.ts.
// eslint-disable-next-line
export interface Tensor extends TensorMethods {}

/**
 * A tensor that assignments and optimizers change.
 *
 * @example
 * ```ts
 * const w = weft.variable(weft.randomNormal([2, 1], { seed: 1 }), { name: "w" });
 * w.assign(w.mul(0.5));
 * ```
 */
export class Variable extends Tensor {
  /** Name, for messages and saved files. */
  readonly name: string;
  /** Whether optimizers change it. */
  readonly trainable: boolean;

  /** @internal */
  constructor(core: Core, id: number, init: TensorInit & { name: string; trainable: boolean }) {
    super(core, id, init);
    this.name = init.name;
    this.trainable = init.trainable;
  }

  /** Gives the variable a new value, of the same shape and type. */
  assign(value: Tensor): this {
    this.use(this.core);
    value.use(this.core);
    this.core.recorder.record({ op: "Assign", in: [this.id, value.id], out: [] }, [], [this, value]);
    return this;
  }
}
