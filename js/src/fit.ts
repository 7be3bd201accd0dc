// Training runs: what model.fit and model.train do.
import { toWire, upload, type TensorLike } from "./creation.js";
import { Dataset } from "./data.js";
import type { NestedArray, TypedArray } from "./dtype.js";
import type { JobEvent } from "./engine.js";
import { WeftError, abortReason, argument } from "./errors.js";
import { labels, type Features, type LayersModel } from "./model.js";
import type { Config } from "./optimizers.js";
import { turn } from "./platform.js";
import type { Value } from "./protocol.js";
import { checkpoints, type Lock } from "./storage.js";
import { Tensor } from "./tensor.js";
import type { JobHandle } from "./transport.js";

/** One batch of an iterable. */
export type Batch = { xs: Features; ys: TensorLike } | readonly [Features, TensorLike];

/** Batches that come one after the other, as from a file or the network. */
export type Batches = AsyncIterable<Batch>;

/** Loss and metrics by name; those of the validation data begin with `val`. */
export interface Logs {
  loss: number;
  accuracy?: number;
  valLoss?: number;
  valAccuracy?: number;
  [metric: string]: number | undefined;
}

/** What callbacks hear after a batch. */
export interface BatchLogs extends Logs {
  /** Samples of the batch. */
  size: number;
  /** Steps so far, and in all. */
  step: number;
  steps: number;
  /** Learning rate. */
  lr: number;
}

/** Functions that a training run calls. Returned promises are waited for before more events come. */
export interface Callbacks {
  onTrainBegin?(): void | Promise<void>;
  onEpochBegin?(epoch: number): void | Promise<void>;
  onBatchEnd?(batch: number, logs: BatchLogs): void | Promise<void>;
  onEpochEnd?(epoch: number, logs: Logs): void | Promise<void>;
  onTrainEnd?(): void | Promise<void>;
}

/** Options of `fit`. */
export interface FitOptions {
  /** Passes over the data; 1 by default. */
  epochs?: number;
  /** Samples of one step; 32 by default. */
  batchSize?: number;
  /** Whether each epoch has an order of its own; true by default. */
  shuffle?: boolean;
  /** Seed of the order and of augmentation. */
  seed?: number;
  /** Data to evaluate on after each epoch. */
  validationData?: Dataset | readonly [Features, TensorLike];
  /** Share of the samples, the last ones, to evaluate on in place of training on them. */
  validationSplit?: number;
  /** Changes of the pictures, as `"shift=2,rotate=10"`. */
  augment?: string;
  /** How the learning rate changes over this run. */
  schedule?: string | Config;
  initialEpoch?: number;
  signal?: AbortSignal;
  callbacks?: Callbacks | readonly Callbacks[];
  /** Milliseconds of computing between turns of the event loop; 30 by default, 12 in a page's own thread. */
  yieldEvery?: number;
  /** Keeps the state of the training under a name, in the browser's storage; with `resume` a run goes on where the last one was. */
  checkpoint?: { name: string; everySteps?: number; resume?: boolean };
}

/** What a training run was. */
export interface FitResult {
  /** Loss and metrics of each epoch. */
  history: { loss: number[]; accuracy?: number[]; valLoss?: number[]; valAccuracy?: number[]; [metric: string]: number[] | undefined };
  /** The epochs' numbers. */
  epoch: number[];
  params: { epochs: number; batchSize: number; samples: number; steps: number };
}

/** What a training run tells. */
export type TrainEvent =
  | { kind: "begin"; steps: number; stepsPerEpoch: number; samples: number; epochs: number; step: number }
  | { kind: "epochBegin"; epoch: number }
  | { kind: "batch"; epoch: number; batch: number; step: number; size: number; loss: number; lr: number; logs: { [metric: string]: number } }
  | { kind: "epoch"; epoch: number; logs: Logs }
  | { kind: "checkpoint"; name: string; step: number }
  | { kind: "end"; stopped: boolean };

interface Started {
  steps: number;
  stepsPerEpoch: number;
  samples: number;
}

const isBatches = (x: unknown): x is Batches => typeof (x as { [Symbol.asyncIterator]?: unknown })?.[Symbol.asyncIterator] === "function";

/** A training run: an async iterable of its events. Nothing happens before it is iterated, or `finish()` is called. */
export class Training implements AsyncIterable<TrainEvent> {
  private handle: JobHandle | undefined;
  private stopping = false;
  private pausing = false;
  private begun = false;
  private wake: (() => void) | undefined;

  /** @internal */
  constructor(
    private readonly model: LayersModel,
    private readonly x: Features | Dataset | Batches,
    private readonly y: TensorLike | null,
    private readonly options: FitOptions,
  ) {}

  /** Halts the run; predictions go on with the weights as they are. */
  pause(): void {
    this.pausing = true;
    this.handle?.control("pause");
  }
  /** Goes on. */
  resume(): void {
    this.pausing = false;
    this.handle?.control("resume");
    this.wake?.();
  }
  /** Ends the run after the step that is being computed. */
  stop(): void {
    this.stopping = true;
    this.handle?.control("stop");
    this.wake?.();
  }

  /** The events. Ending the loop early stops the run. */
  async *[Symbol.asyncIterator](): AsyncGenerator<TrainEvent, void, void> {
    let queue: TrainEvent[] = [];
    let failed: { err: unknown } | undefined;
    let over = false;
    let leaving = false;
    let news: (() => void) | undefined;
    let read: (() => void) | undefined;
    const settle = (act: () => void) => {
      act();
      over = true;
      news?.();
    };
    const run = this.run(async (events) => {
      if (leaving) return;
      queue.push(...events);
      news?.();
      // The next message is asked for when these events have been read.
      await new Promise<void>((resolve) => {
        read = resolve;
      });
    }).then(
      () => settle(() => {}),
      (err: unknown) => settle(() => (failed = { err })),
    );
    try {
      for (;;) {
        const events = queue;
        queue = [];
        yield* events;
        if (queue.length) continue;
        if (over) break;
        const more = new Promise<void>((resolve) => {
          news = resolve;
        });
        read?.();
        await more;
      }
    } finally {
      leaving = true;
      this.stop();
      read?.();
      await run;
    }
    if (failed) throw failed.err;
  }

  /** Runs to the end, calling the callbacks, and returns the history. */
  async finish(): Promise<FitResult> {
    const { callbacks = [], epochs = 1, batchSize = 32 } = this.options;
    const all = (Array.isArray(callbacks) ? callbacks : [callbacks]) as Callbacks[];
    const result: FitResult = { history: { loss: [] }, epoch: [], params: { epochs, batchSize, samples: 0, steps: 0 } };
    for (const c of all) await c.onTrainBegin?.();
    await this.run(async (events) => {
      for (const event of events) {
        if (event.kind === "begin") Object.assign(result.params, { samples: event.samples, steps: event.steps });
        if (event.kind === "epoch") {
          result.epoch.push(event.epoch);
          for (const [key, value] of Object.entries(event.logs)) if (typeof value === "number") (result.history[key] ??= []).push(value);
        }
        for (const c of all) {
          if (event.kind === "epochBegin") await c.onEpochBegin?.(event.epoch);
          else if (event.kind === "epoch") await c.onEpochEnd?.(event.epoch, event.logs);
          else if (event.kind === "batch" && c.onBatchEnd) {
            const { loss, size, step, lr, logs } = event;
            await c.onBatchEnd(event.batch, { ...logs, loss, size, step, steps: result.params.steps, lr });
          }
        }
      }
    });
    for (const c of all) await c.onTrainEnd?.();
    return result;
  }

  /** The run itself; events are handed on in order, one list at a time. */
  private async run(emit: (events: TrainEvent[]) => Promise<void>): Promise<void> {
    if (this.begun) throw new WeftError("state", "weft: a training run is run once; call train() again");
    this.begun = true;
    const { model, options } = this;
    const { signal, checkpoint } = options;
    if (signal?.aborted) throw abortReason(signal);
    await model.ready();
    let lock: Lock | undefined;
    const made: Tensor[] = [];
    const fit = model.core.id();
    try {
      if (checkpoint) lock = await checkpoints.lock(checkpoint.name);
      const started = await this.start(fit, made);
      let step = 0;
      if (checkpoint?.resume) step = await this.restore(fit, checkpoint.name);
      await emit([{ kind: "begin", ...started, epochs: options.epochs ?? 1, step }]);
      if (isBatches(this.x)) await this.feed(fit, this.x, emit);
      else await this.drive(fit, step, emit);
      if (signal?.aborted) throw abortReason(signal);
      await emit([{ kind: "end", stopped: this.stopping }]);
    } finally {
      for (const t of made) t.dispose();
      model.core.free({}, fit);
      lock?.release();
    }
  }

  private async start(fit: number, made: Tensor[]): Promise<Started> {
    const { model, x, y, options } = this;
    const { core } = model;
    const { epochs = 1, batchSize = 32, shuffle = true, seed = 0, validationData, validationSplit, augment, schedule, initialEpoch } = options;
    if (y === null && !(x instanceof Dataset) && !isBatches(x)) throw argument("fit: there are no labels: pass y, or a dataset as x");
    const features = async (data: Features | Dataset): Promise<Value> => {
      if (data instanceof Dataset) return data.use().id;
      if (data instanceof Tensor) {
        core.flush(data.use(core).id);
        return data.id;
      }
      if (Array.isArray(data) && data[0] instanceof Tensor) return model.operands(data as Tensor[]);
      const wire = model.shaped(data as TypedArray | NestedArray, 0);
      const id = core.id();
      const t = new Tensor(core, id, { facts: { shape: [...wire.shape], dtype: wire.dtype }, made: upload(core, id, wire) });
      made.push(t);
      await t.ready();
      return id;
    };
    const targets = async (data: TensorLike | null): Promise<Value> => {
      if (data === null || data instanceof Tensor) return labels(core, data);
      const id = core.id();
      const t = new Tensor(core, id, { made: upload(core, id, toWire(data)) });
      made.push(t);
      await t.ready();
      return id;
    };
    let validation: Value;
    if (validationData instanceof Dataset) validation = { x: validationData.use().id, y: null };
    else if (validationData) validation = { x: await features(validationData[0]), y: await targets(validationData[1]) };
    const stream = isBatches(x);
    return core.call("fit.start", {
      id: fit, model: model.id, x: stream ? null : await features(x), y: stream ? null : await targets(y), epochs, batchSize, shuffle, seed,
      validation, validationSplit, augment, schedule, initialEpoch, stream: stream || undefined,
    } as Value);
  }

  private async restore(fit: number, name: string): Promise<number> {
    const bytes = await checkpoints.load(name);
    if (!bytes) return 0;
    const { step } = await this.model.core.call("fit.restore", { id: fit, bytes });
    return step ?? 0;
  }

  /** Lets the runtime train, and takes its messages. */
  private async drive(fit: number, step: number, emit: (events: TrainEvent[]) => Promise<void>): Promise<void> {
    const ownThread = !this.model.core.transport.worker && "document" in globalThis;
    const { signal, checkpoint, yieldEvery = ownThread ? 12 : 30 } = this.options;
    // Lists of events follow one another: a callback's promise holds back the next.
    let chain: Promise<void> = Promise.resolve();
    const onEvent = (event: JobEvent): Promise<void> => {
      const next = chain.then(async () => {
        if (event.type === "events") await emit(event.events as TrainEvent[]);
        else if (event.type === "checkpoint") {
          await checkpoints.write(checkpoint!.name, event.bytes);
          await emit([{ kind: "checkpoint", name: checkpoint!.name, step: event.step }]);
        }
      });
      chain = next.catch(() => {});
      return next;
    };
    const job = { kind: "fit", fit, budget: yieldEvery, step, checkpointEvery: checkpoint ? (checkpoint.everySteps ?? 500) : 0 } as const;
    const handle = await this.model.core.job(job, { onEvent });
    this.handle = handle;
    if (this.pausing) handle.control("pause");
    if (this.stopping) handle.control("stop");
    const abort = () => handle.control("abort");
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted) abort();
    try {
      await handle.result;
      await chain;
    } finally {
      signal?.removeEventListener("abort", abort);
      this.handle = undefined;
    }
  }

  /** Trains on the batches of an iterable, epoch by epoch: each epoch iterates anew. */
  private async feed(fit: number, batches: Batches, emit: (events: TrainEvent[]) => Promise<void>): Promise<void> {
    const { model, options } = this;
    const { core } = model;
    for (let epoch = options.initialEpoch ?? 0; epoch < (options.epochs ?? 1); epoch++) {
      let n = 0;
      for await (const batch of batches) {
        if (this.stopping || options.signal?.aborted) break;
        while (this.pausing && !this.stopping) {
          await new Promise<void>((resolve) => {
            this.wake = resolve;
          });
        }
        const [xs, ys] = Array.isArray(batch) ? batch : [(batch as { xs: Features }).xs, (batch as { ys: TensorLike }).ys];
        if (xs === undefined || ys === undefined) throw argument("fit: a batch of the iterable is { xs, ys } or [xs, ys]");
        const { events } = await core.call("fit.feed", { id: fit, x: model.operands(xs), y: labels(core, ys) });
        await emit(events);
        n++;
      }
      if (this.stopping || options.signal?.aborted) return;
      if (n === 0) throw argument(epoch ? "fit: the iterable gives batches only once: pass an object whose [Symbol.asyncIterator]() begins anew, or train for one epoch" : "fit: the iterable gave no batch");
      for (let complete = false; !complete; ) {
        const end = await core.call("fit.epochEnd", { id: fit, budget: options.yieldEvery ?? 30 });
        await emit(end.events);
        complete = end.complete;
        if (!complete) await turn(); // validation goes on in slices
      }
    }
  }
}
