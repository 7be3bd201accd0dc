// How calls reach Go: through a worker, or in the caller's own thread. Both look the same from above.
import { Engine, startEngine, type Control, type FitJob, type JobEvent, type SlicedJob, type Started } from "./engine.js";
import { WeftError, fromWire, type WireError } from "./errors.js";
import type { LoadOptions } from "./loader.js";
import { platform, type LoadProgress, type WorkerLike } from "./platform.js";
import { Message, readResponse, type Value } from "./protocol.js";
import type { Quick } from "./quick.js";

/** Callbacks of a job. */
export interface JobHandlers {
  onEvent?: (event: JobEvent) => void | Promise<void>;
}

/** A job that runs. */
export interface JobHandle {
  /** The last result; undefined when the job was aborted. */
  result: Promise<any>;
  control(what: Control): void;
}

/** The way to one runtime. */
export interface Transport {
  readonly worker: boolean;
  readonly started: Started;
  /** The short way for repeated calls; undefined where there is none, or where calls wait that were made before. */
  readonly quick?: Quick | undefined;
  /** Whether a job is on its way to Go. */
  readonly starting?: boolean;
  /** One call; its answer is decoded. */
  call(method: string, args: Value): Promise<any>;
  /** Frees handles after the calls made before; their numbers may be used again by those made after. */
  free(ids: readonly number[]): void;
  job(job: SlicedJob | FitJob, handlers: JobHandlers): JobHandle;
  /** Why the runtime has ended; undefined while it lives. */
  ended(): WeftError | undefined;
  close(): void;
}

const closed = () => new WeftError("closed", "weft: the runtime was closed; call init() again");

/** Messages to the worker. */
export type ToWorker =
  | { type: "start"; options: LoadOptions; progress: boolean; life: string }
  | { type: "thread"; module: WebAssembly.Module; memory: WebAssembly.Memory; index: number; threads: number }
  | { type: "run"; control: number }
  | { type: "call"; id: number; request: Uint8Array<ArrayBuffer> }
  | { type: "job"; id: number; job: SlicedJob | FitJob }
  | { type: "control"; id: number; what: Control }
  | { type: "free"; ids: readonly number[] }
  | { type: "batch"; messages: ToWorker[] };

/** Messages from the worker. */
export type FromWorker =
  | { type: "progress"; progress: LoadProgress }
  | { type: "started"; started: Started }
  | { type: "failed"; error: WireError }
  | { type: "result"; id: number; response?: Uint8Array<ArrayBuffer>; wasmBytes: number }
  | { type: "error"; id: number; error: WireError; ended: boolean }
  | { type: "event"; id: number; event: JobEvent }
  | { type: "batch"; messages: FromWorker[] };

/** Messages that leave together: what is said in one turn goes in one message, since each costs tens of microseconds. */
export class Outbox<M extends { type: string }> {
  private messages: M[] = [];
  private transfers: Transferable[] = [];

  constructor(
    private readonly post: (message: M, transfers: Transferable[]) => void,
    private readonly batch: (messages: M[]) => M,
  ) {}

  /** Adds a message; whether it is the first. */
  add(message: M, buffer?: ArrayBuffer): boolean {
    if (buffer && buffer.byteLength > smallBuffer) this.transfers.push(buffer);
    return this.messages.push(message) === 1;
  }

  /** Sends what is there. */
  flush(): void {
    const { messages, transfers } = this;
    if (!messages.length) return;
    this.messages = [];
    if (transfers.length) this.transfers = [];
    this.post(messages.length === 1 ? messages[0]! : this.batch(messages), transfers);
  }
}

/** Buffers up to this many bytes are copied, which is cheaper than to hand them over. */
const smallBuffer = 16 << 10;

/** Starts a runtime in a worker. */
export function startWorker(options: LoadOptions, progress?: (p: LoadProgress) => void, signal?: AbortSignal): Promise<Transport> {
  const url = new URL(options.urls["worker.js"]!);
  const life = `weft:worker:${Math.random().toString(36).slice(2)}`;
  let worker: WorkerLike;
  try {
    worker = platform.spawn!(url);
  } catch (err) {
    throw new WeftError("worker", `weft: the worker ${url.href} cannot be started: ${(err as Error).message}; it must come from the page's own origin (baseURL), or pass worker: false`, { cause: err });
  }
  return new Promise((resolve, reject) => {
    const fail = (err: unknown) => {
      worker.terminate();
      reject(err);
    };
    const abort = () => fail(signal!.reason);
    signal?.addEventListener("abort", abort, { once: true });
    worker.onerror = (event) => {
      signal?.removeEventListener("abort", abort);
      fail(new WeftError("worker", `weft: the worker ${url.href} did not start${event.message ? `: ${event.message}` : "; check that worker.js is served there as JavaScript, and that the page's Content-Security-Policy lets 'self' be a worker"}`));
    };
    worker.onmessage = ({ data }: { data: FromWorker }) => {
      if (data.type === "progress") return progress?.(data.progress);
      signal?.removeEventListener("abort", abort);
      if (data.type === "started") resolve(new WorkerTransport(worker, data.started, life));
      else if (data.type === "failed") fail(fromWire(data.error));
    };
    worker.postMessage({ type: "start", options, progress: !!progress, life } satisfies ToWorker);
  });
}

interface Pending {
  resolve(value: any): void;
  reject(err: unknown): void;
  handlers?: JobHandlers;
}

class WorkerTransport implements Transport {
  readonly worker = true;
  private readonly pending = new Map<number, Pending>();
  private next = 1;
  private end: WeftError | undefined;
  private readonly watching = new AbortController();
  private readonly outbox = new Outbox<ToWorker>(
    (message, transfers) => this.thread.postMessage(message, transfers),
    (messages) => ({ type: "batch", messages }),
  );

  constructor(
    private readonly thread: WorkerLike,
    readonly started: Started,
    life: string,
  ) {
    this.watch(life);
    thread.onmessage = ({ data }) => this.receive(data as FromWorker);
    thread.onerror = (event) => this.die(new WeftError("worker", `weft: the worker failed${event.message ? `: ${event.message}` : ""}; what it held is lost: call init() again and load the last checkpoint`));
    thread.onmessageerror = () => this.die(new WeftError("worker", "weft: a message from the worker could not be read; call init() again"));
  }

  /** Waits for the lock that the worker holds while it lives: no event tells of a worker's death. */
  private watch(life: string): void {
    const locks = (globalThis as { navigator?: Navigator }).navigator?.locks;
    locks
      ?.request(life, { signal: this.watching.signal }, () => this.die(new WeftError("worker", "weft: the worker has ended, by a lack of memory or by force; what it held is lost: call init() again and load the last checkpoint")))
      .catch(() => {}); // closed
  }

  call(method: string, args: Value): Promise<any> {
    return new Promise((resolve, reject) => {
      const request = new Message(method, args).bytes();
      const id = this.send({ resolve, reject }, request.buffer, (id) => ({ type: "call", id, request }));
      if (id === 0) reject(this.end);
    });
  }

  job(job: SlicedJob | FitJob, handlers: JobHandlers): JobHandle {
    let id = 0;
    const result = new Promise<any>((resolve, reject) => {
      id = this.send({ resolve, reject, handlers }, job.kind === "sliced" ? job.request.buffer : undefined, (id) => ({ type: "job", id, job }));
      if (id === 0) reject(this.end);
    });
    return { result, control: (what) => this.control(id, what) };
  }

  free(ids: readonly number[]): void {
    this.post({ type: "free", ids });
  }

  private control(id: number, what: Control): void {
    if (this.pending.has(id)) this.post({ type: "control", id, what });
  }

  private post(message: ToWorker, buffer?: ArrayBuffer): void {
    if (!this.end && this.outbox.add(message, buffer)) queueMicrotask(() => this.end || this.outbox.flush());
  }

  private send(pending: Pending, buffer: ArrayBuffer | undefined, message: (id: number) => ToWorker): number {
    if (this.end) return 0;
    const id = this.next++;
    this.pending.set(id, pending);
    this.post(message(id), buffer);
    return id;
  }

  private receive(message: FromWorker): void {
    if (message.type === "batch") {
      for (const one of message.messages) this.receive(one);
      return;
    }
    if (message.type !== "result" && message.type !== "error" && message.type !== "event") return;
    const pending = this.pending.get(message.id);
    if (message.type === "event") {
      const ack = () => this.control(message.id, "ack");
      Promise.resolve(pending?.handlers?.onEvent?.(message.event)).then(ack, (err) => {
        this.post({ type: "control", id: message.id, what: "abort" });
        pending?.reject(err);
      });
      return;
    }
    this.pending.delete(message.id);
    if (message.type === "error") {
      const err = fromWire(message.error);
      pending?.reject(err);
      if (message.ended) this.die(err);
      return;
    }
    this.started.wasmBytes = message.wasmBytes;
    try {
      pending?.resolve(message.response && readResponse(message.response));
    } catch (err) {
      pending?.reject(err);
    }
  }

  private die(err: WeftError): void {
    if (this.end) return;
    this.end = err;
    this.watching.abort();
    this.thread.terminate();
    const all = [...this.pending.values()];
    this.pending.clear();
    for (const pending of all) pending.reject(err);
  }

  ended(): WeftError | undefined {
    return this.end;
  }

  close(): void {
    this.die(closed());
  }
}

/** Starts a runtime in this thread. */
export async function startLocal(options: LoadOptions, progress?: (p: LoadProgress) => void, signal?: AbortSignal): Promise<Transport> {
  const { engine, started } = await startEngine(options, progress, signal);
  return new LocalTransport(engine, started);
}

/** Calls in the caller's own thread. */
export class LocalTransport implements Transport {
  readonly worker = false;
  private next = 1;
  private end: WeftError | undefined;
  private rejects = new Set<(err: unknown) => void>();
  /** Jobs that have not reached Go yet. */
  private waiting = 0;

  constructor(
    private readonly engine: Engine,
    readonly started: Started,
  ) {}

  get starting(): boolean {
    return this.waiting > 0;
  }

  get quick(): Quick | undefined {
    return this.waiting || this.ended() ? undefined : this.engine.quick;
  }

  free(ids: readonly number[]): void {
    if (this.ended()) return;
    try {
      this.engine.free(ids);
    } catch {
      // The runtime has ended, which whoever calls it next is told.
    }
  }

  async call(method: string, args: Value): Promise<any> {
    const ended = this.ended();
    if (ended) throw ended;
    const response = this.engine.call(new Message(method, args));
    this.started.wasmBytes = this.engine.wasmBytes();
    return readResponse(response);
  }

  job(job: SlicedJob | FitJob, { onEvent }: JobHandlers): JobHandle {
    const id = this.next++;
    const result = new Promise<any>((resolve, reject) => {
      const ended = this.ended();
      if (ended) return reject(ended);
      this.rejects.add(reject);
      // The order of events is kept, and the result comes after the last of them.
      let events: Promise<void> = Promise.resolve();
      const emit = (event: JobEvent) => {
        events = events
          .then(() => onEvent?.(event))
          .then(
            () => this.engine.control(id, "ack"),
            (err) => {
              this.engine.control(id, "abort");
              reject(err);
            },
          );
      };
      // A turn first: the caller gets its handle before the first slice.
      this.waiting++;
      Promise.resolve()
        .then(() => {
          this.waiting--;
          return this.engine.run(id, job, emit);
        })
        .then(async (response) => {
          await events;
          this.started.wasmBytes = this.engine.wasmBytes();
          resolve(response && readResponse(response));
        })
        .catch(reject)
        .finally(() => this.rejects.delete(reject));
    });
    return { result, control: (what) => this.engine.control(id, what) };
  }

  ended(): WeftError | undefined {
    return this.end ?? this.engine.ended();
  }

  close(): void {
    if (this.end) return;
    this.end = closed();
    this.engine.end();
    for (const reject of this.rejects) reject(this.end);
  }
}
