// What tensors, models and datasets of one runtime share: its transport, its handles, and the list of recorded operations.
import type { DType } from "./dtype.js";
import { WeftError } from "./errors.js";
import type { Value } from "./protocol.js";
import type { Quick } from "./quick.js";
import { later } from "./platform.js";
import type { Tensor, TensorFacts } from "./tensor.js";
import type { FitJob, SlicedJob } from "./engine.js";
import type { JobHandle, JobHandlers, Transport } from "./transport.js";

/** A recorded operation. */
export interface OpNode {
  op: string;
  domain?: string;
  in: number[];
  out: number[];
  attrs?: { [name: string]: Value };
}

/** Where operations are recorded: the runtime's own list, or the trace of a function. */
export interface Recorder {
  record(node: OpNode, outputs: readonly Tensor[], inputs: readonly (Tensor | null)[]): void;
  /** Why a value cannot be read now; undefined when it can. */
  readonly tracing?: string;
}

/** Names of operations that change something: all that is recorded runs then, in order. */
const effects = new Set(["Assign", "Minimize"]);

/** Recorded operations that make the runtime send them off by itself. */
const autoFlush = 256;

interface Waiting {
  node: OpNode;
  outputs: WeakRef<Tensor>[];
}

/** The shared part of a runtime. */
export class Core implements Recorder {
  recorder: Recorder = this;
  /** Set while a gradient is being recorded: nothing may be sent off then. */
  holding = 0;
  private next = 1;
  private spareIds: number[] = [];
  private waiting: Waiting[] = [];
  private doomed: number[] = [];
  private scheduled = false;
  private readonly registry: FinalizationRegistry<number> | undefined;
  /** Objects that are not registered yet: most are given back before that would pay. */
  private readonly young = new Map<object, number>();

  constructor(
    readonly transport: Transport,
    readonly debug: boolean,
  ) {
    if (typeof FinalizationRegistry === "function") {
      this.registry = new FinalizationRegistry((id) => {
        if (this.debug) console.warn(`weft: handle ${id} was lost without dispose(); use a scope, "using" or dispose() to free it in time`);
        this.doom(id);
      });
    }
  }

  /** A number for a new handle; the numbers of those that are freed are used again. */
  id(): number {
    return this.spareIds.pop() ?? this.next++;
  }

  /** The short way to Go: undefined where a call has to be a message. */
  get quick(): Quick | undefined {
    return this.held || this.barrier ? undefined : this.transport.quick;
  }

  /** Throws when the runtime has ended. */
  check(): void {
    const ended = this.transport.ended();
    if (ended) throw ended;
  }

  /** Set while a large upload is on its way: calls wait for it, so that none sees half of it. */
  private barrier: Promise<unknown> | undefined;
  /** Calls that wait for it. */
  private held = 0;

  private async turn(): Promise<void> {
    this.held++;
    while (this.barrier) await this.barrier;
    this.held--;
  }

  /** One call. Calls are carried out in the order in which they are made. */
  async call(method: string, args: Value): Promise<any> {
    if (this.barrier) await this.turn();
    this.check();
    return this.transport.call(method, args);
  }

  /** Starts a job. */
  async job(job: SlicedJob | FitJob, handlers: JobHandlers): Promise<JobHandle> {
    if (this.barrier) await this.turn();
    this.check();
    return this.transport.job(job, handlers);
  }

  /** Several calls that no other comes between. */
  async exclusive<T>(work: (call: (method: string, args: Value) => Promise<any>) => Promise<T>): Promise<T> {
    if (this.barrier) await this.turn();
    this.check();
    const done = work((method, args) => this.transport.call(method, args));
    const barrier = done
      .catch(() => {})
      .then(() => {
        if (this.barrier === barrier) this.barrier = undefined;
      });
    this.barrier = barrier;
    return done;
  }

  /** Has a handle freed when its object is collected. */
  watch(object: object, id: number): void {
    if (!this.registry) return;
    if (!this.young.size) later(() => this.register());
    this.young.set(object, id);
  }

  private register(): void {
    for (const [object, id] of this.young) this.registry!.register(object, id, object);
    this.young.clear();
  }

  /** Frees a handle: together with others, after what is recorded has run. */
  free(object: object, id: number): void {
    if (!this.young.delete(object)) this.registry?.unregister(object);
    this.doom(id);
  }

  private doom(id: number): void {
    this.doomed.push(id);
    if (this.scheduled) return;
    this.scheduled = true;
    queueMicrotask(() => this.sweep());
  }

  private sweep(): void {
    if (this.transport.starting) return queueMicrotask(() => this.sweep()); // a job may still want what is freed
    this.scheduled = false;
    if (!this.doomed.length || this.transport.ended()) return;
    this.flushAll();
    this.sendDoomed();
  }

  private sendDoomed(): void {
    const ids = this.takeDoomed();
    if (!ids.length) return;
    if (this.held || this.barrier) {
      this.call("dispose", { ids }).then(
        () => this.reuse(ids),
        () => {},
      );
      return;
    }
    this.transport.free(ids);
    this.reuse(ids);
  }

  /** Handles that are to be freed, for a call that does so first. What is recorded must have run. */
  takeDoomed(): number[] {
    const ids = this.doomed;
    if (ids.length) this.doomed = [];
    return ids;
  }

  /** Gives the numbers of handles that Go has freed to new ones, in this order. */
  reuse(ids: readonly number[]): void {
    for (let i = ids.length - 1; i >= 0; i--) this.spareIds.push(ids[i]!);
  }

  /** Records an operation. */
  record(node: OpNode, outputs: readonly Tensor[]): void {
    this.waiting.push({ node, outputs: outputs.map((t) => new WeakRef(t)) });
    if (this.waiting.length >= autoFlush && !this.holding) this.flushAll();
  }

  /** Runs all that is recorded. */
  flushAll(): void {
    while (this.waiting.length) this.send(this.take(this.waiting[this.waiting.length - 1]!));
  }

  /** Runs what a recorded tensor needs, and what shares work with it. */
  flush(id: number): void {
    const target = this.waiting.find(({ node }) => node.out.includes(id));
    if (target) this.send(this.take(target));
  }

  /** Takes the operations that are connected with one; all of them when one changes something. */
  private take(target: Waiting): Waiting[] {
    const { waiting } = this;
    if (waiting.some(({ node }) => effects.has(node.op))) {
      this.waiting = [];
      return waiting;
    }
    // Operations are connected when they share a recorded value.
    const makers = new Map<number, number>();
    const group = waiting.map((_, i) => i);
    const root = (i: number): number => (group[i] === i ? i : (group[i] = root(group[i]!)));
    waiting.forEach(({ node }, i) => {
      for (const id of node.in) {
        const maker = makers.get(id);
        if (maker !== undefined) group[root(maker)] = root(i);
      }
      for (const id of node.out) makers.set(id, i);
    });
    const wanted = root(waiting.indexOf(target));
    this.waiting = waiting.filter((_, i) => root(i) !== wanted);
    return waiting.filter((_, i) => root(i) === wanted);
  }

  private send(list: Waiting[]): void {
    const outputs: Tensor[] = [];
    for (const { outputs: refs } of list) {
      for (const ref of refs) {
        const t = ref.deref();
        if (t && !t.disposed) outputs.push(t);
      }
    }
    this.run("graph.run", { nodes: list.map(({ node }) => node as unknown as Value), outputs: outputs.map((t) => t.id) }, outputs);
  }

  /** Runs a call that makes tensors, and tells them when they are there. Gives their types. */
  run(method: string, args: Value, outputs: readonly Tensor[]): Promise<TensorFacts[]> {
    const done: Promise<TensorFacts[]> = this.call(method, args).then(({ shapes, dtypes }: { shapes: number[][]; dtypes: DType[] }) => shapes.map((shape, i) => ({ shape, dtype: dtypes[i]! })));
    outputs.forEach((t, i) => t.settle(done.then((facts) => facts[i]!)));
    this.failed(done, outputs);
    return done;
  }

  /** Keeps the error of a call that gives no tensors. */
  failed(done: Promise<unknown>, outputs: readonly Tensor[]): void {
    if (!outputs.length) done.catch((err) => (this.failure ??= err));
  }

  /** The first error of an operation that gave nothing: the next read throws it. */
  private failure: WeftError | undefined;

  /** Takes the error of an earlier operation that nobody has heard of. */
  takeFailure(): WeftError | undefined {
    const { failure } = this;
    this.failure = undefined;
    return failure;
  }
}
