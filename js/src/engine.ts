// The side on which Go runs, in the worker or in the caller's thread: it passes single calls through and drives the long
// ones, slice by slice, giving the event loop a turn between slices so that other calls get in.
import { WeftError } from "./errors.js";
import { load, type LoadOptions, type Program } from "./loader.js";
import { turn, type LoadProgress } from "./platform.js";
import { Message, readResponse, type Value } from "./protocol.js";
import { Quick } from "./quick.js";

/** Calls Go: the seam that tests put their own Go behind. */
export interface Caller {
  /** Sends an encoded request, or one to encode, and returns a copy of the response. */
  call(request: Message | Uint8Array): Uint8Array<ArrayBuffer>;
  /** Bytes of its memory. */
  wasmBytes(): number;
  /** Why it has ended; undefined while it lives. */
  ended(): WeftError | undefined;
  end(): void;
  /** The short way for repeated calls, where there is one. */
  readonly quick?: Quick;
}

/** A call in slices: model.predict and model.evaluate. */
export interface SlicedJob {
  kind: "sliced";
  method: string;
  /** The first request; later ones have `again` as arguments. */
  request: Uint8Array<ArrayBuffer>;
  again: { [key: string]: Value };
  /** Whether the caller wants to hear of progress. */
  progress: boolean;
}

/** A training run. */
export interface FitJob {
  kind: "fit";
  /** Handle of the fit. */
  fit: number;
  /** Milliseconds of one slice. */
  budget: number;
  /** Steps between checkpoints; 0 for none but those asked for. */
  checkpointEvery: number;
  /** Step that the fit stands at, after a resume. */
  step: number;
}

/** One message of a job to its owner. */
export type JobEvent =
  | { type: "events"; events: { [key: string]: any }[] }
  | { type: "checkpoint"; bytes: Uint8Array<ArrayBuffer>; step: number }
  | { type: "progress"; done: number };

/** What the owner of a job asks of it. */
export type Control = "abort" | "pause" | "resume" | "stop" | "ack";

/** Milliseconds between the messages of a training run: at most twenty a second. */
const messageEvery = 50;
/** Messages that may be on their way before a run waits for its owner. */
const maxUnread = 4;

/** A job while it runs. */
class Running {
  aborted = false;
  stopped = false;
  paused = false;
  unread = 0;
  private wake: (() => void) | undefined;

  control(what: Control): void {
    if (what === "abort") this.aborted = true;
    else if (what === "stop") this.stopped = true;
    else if (what === "ack") this.unread--;
    else this.paused = what === "pause";
    this.wake?.();
    this.wake = undefined;
  }

  get ends(): boolean {
    return this.aborted || this.stopped;
  }

  /** Waits while the job is paused or its owner is behind. */
  async held(): Promise<void> {
    while (!this.ends && (this.paused || this.unread >= maxUnread)) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
}

/** Runs calls and jobs. */
export class Engine {
  private readonly jobs = new Map<number, Running>();

  constructor(private readonly go: Caller) {}

  /** One call. */
  call(request: Message | Uint8Array): Uint8Array<ArrayBuffer> {
    return this.go.call(request);
  }

  /** Frees handles. */
  free(ids: readonly number[]): void {
    if (this.go.quick) this.go.quick.free(ids);
    else this.go.call(new Message("dispose", { ids }));
  }

  get quick(): Quick | undefined {
    return this.go.quick;
  }

  wasmBytes(): number {
    return this.go.wasmBytes();
  }

  ended(): WeftError | undefined {
    return this.go.ended();
  }

  /** Runs a job to its end and returns the last response's bytes; undefined when it was aborted. */
  async run(id: number, job: SlicedJob | FitJob, emit: (event: JobEvent) => void): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const running = new Running();
    this.jobs.set(id, running);
    try {
      return await (job.kind === "fit" ? this.fit(job, running, emit) : this.sliced(job, running, emit));
    } finally {
      this.jobs.delete(id);
    }
  }

  /** Passes a wish on to a job; one that has ended hears nothing. */
  control(id: number, what: Control): void {
    this.jobs.get(id)?.control(what);
  }

  end(): void {
    for (const job of this.jobs.values()) job.control("abort");
    this.go.end();
  }

  private async sliced(job: SlicedJob, running: Running, emit: (event: JobEvent) => void): Promise<Uint8Array<ArrayBuffer> | undefined> {
    let request: Message | Uint8Array = job.request;
    for (;;) {
      const response = this.go.call(request);
      const result = readResponse(response);
      if (result?.done !== false) return response;
      if (job.progress) emit({ type: "progress", done: result.progress ?? 0 });
      await turn();
      if (running.aborted) {
        this.go.call(new Message("dispose", { ids: [job.again["job"]!] }));
        return undefined;
      }
      request = new Message(job.method, job.again);
    }
  }

  private async fit(job: FitJob, running: Running, emit: (event: JobEvent) => void): Promise<Uint8Array<ArrayBuffer> | undefined> {
    let events: { [key: string]: any }[] = [];
    let posted = -Infinity;
    let next = job.checkpointEvery ? job.step + job.checkpointEvery : 0;
    let step = job.step;
    const post = () => {
      if (!events.length) return;
      running.unread++;
      emit({ type: "events", events });
      events = [];
      posted = performance.now();
    };
    for (;;) {
      if (running.paused || running.unread >= maxUnread) {
        post();
        await running.held();
      }
      if (running.ends) break;
      const response = this.go.call(new Message("fit.run", { id: job.fit, budget: job.budget, ...(next && { maxSteps: next - step }) }));
      const result = readResponse(response);
      events.push(...result.events);
      step = result.step ?? step;
      if (next && step >= next) {
        const { bytes } = readResponse(this.go.call(new Message("fit.checkpoint", { id: job.fit })));
        next = step + job.checkpointEvery;
        post();
        running.unread++;
        emit({ type: "checkpoint", bytes: bytes.data, step });
      }
      if (result.done) {
        post();
        return response;
      }
      if (performance.now() - posted >= messageEvery) post();
      await turn();
    }
    post();
    const response = this.go.call(new Message("fit.stop", { id: job.fit }));
    return running.aborted ? undefined : response;
  }
}

/** What a started runtime is. */
export interface Started {
  kernels: string;
  /** Threads that compute. */
  threads: number;
  isolated: boolean;
  maximum: number;
  wasmBytes: number;
  reasons: string[];
}

/** Loads Go and returns its engine. */
export async function startEngine(options: LoadOptions, progress?: (p: LoadProgress) => void, signal?: AbortSignal): Promise<{ engine: Engine; started: Started }> {
  const program = await load(options, progress, signal);
  return {
    engine: new Engine(new GoCaller(program)),
    started: {
      kernels: program.kernels,
      threads: program.threads?.count ?? 1,
      isolated: program.features.isolated,
      maximum: program.maximum,
      wasmBytes: program.memory.buffer.byteLength,
      reasons: program.reasons,
    },
  };
}

/** The Go program as a Caller. */
class GoCaller implements Caller {
  readonly quick: Quick;
  private closed = false;

  constructor(private readonly program: Program) {
    this.quick = new Quick(program, (call) => this.guarded(call));
  }

  call(request: Message | Uint8Array): Uint8Array<ArrayBuffer> {
    const { program } = this;
    this.quick.forget();
    return this.guarded(() => {
      const at = program.buffer(request.length) >>> 0;
      const target = new Uint8Array(program.memory.buffer, at, request.length);
      if (request instanceof Message) request.write(target);
      else target.set(request);
      const from = program.call(request.length) >>> 0;
      const response = new Uint8Array(program.length() >>> 0);
      response.set(new Uint8Array(program.memory.buffer, from, response.length));
      return response;
    });
  }

  /** Calls Go; throws when it has ended, or ends in the call. */
  private guarded<T>(call: () => T): T {
    const { program } = this;
    const ended = this.ended();
    if (ended) throw ended;
    try {
      const result = call();
      program.threads?.poll();
      if (!program.ended()) return result;
    } catch (err) {
      if (err instanceof WeftError) throw err;
      const trap = new WeftError("internal", `weft: the runtime failed: ${(err as Error).message}; call init() again`, { cause: err });
      throw program.ended() ?? trap;
    }
    throw program.ended();
  }

  wasmBytes(): number {
    return this.program.memory.buffer.byteLength;
  }

  ended(): WeftError | undefined {
    if (this.closed) return new WeftError("closed", "weft: the runtime was closed; call init() again");
    return this.program.ended();
  }

  end(): void {
    this.closed = true;
    this.program.threads?.end();
  }
}
