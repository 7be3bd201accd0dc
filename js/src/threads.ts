// Threads of the kernels: workers that run the kernel module on the shared memory and wait there for pieces of work.
import { WeftError } from "./errors.js";
import type { FileURLs } from "./files.js";
import { platform, type WorkerLike } from "./platform.js";

/** What a kernel worker is sent first. */
export interface ThreadStart {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  /** Number of this thread, from 1 up: 0 is the caller. */
  index: number;
  threads: number;
}

const startTimeout = 10_000;

/** The threads beside the one that calls. */
export class Threads {
  private running = false;

  constructor(
    private readonly workers: readonly WorkerLike[],
    private readonly kernels: WebAssembly.ModuleImports,
  ) {}

  /** Threads that compute, the caller's among them. */
  get count(): number {
    return this.workers.length + 1;
  }

  /** Sends the threads to work as soon as Go has made the place where they wait for it. Until then the caller does all of it. */
  poll(): void {
    if (this.running) return;
    const control = (this.kernels["program_threads"] as (() => number) | undefined)?.() ?? 0;
    if (!control) return;
    this.running = true;
    for (const worker of this.workers) worker.postMessage({ type: "run", control });
  }

  end(): void {
    (this.kernels["program_stop"] as (() => void) | undefined)?.();
    for (const worker of this.workers) worker.terminate();
  }
}

/**
 * Starts the threads, and waits until each has answered: afterwards the caller may block while they work. Where they do
 * not start, the runtime computes alone and says why.
 */
export async function startThreads(
  threads: number,
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  urls: FileURLs,
  kernels: WebAssembly.ModuleImports,
  reasons: string[],
): Promise<Threads | undefined> {
  const workers: WorkerLike[] = [];
  try {
    await Promise.all(
      Array.from({ length: threads - 1 }, (_, i) => {
        const worker = platform.spawn!(new URL(urls["worker.js"]!));
        workers.push(worker);
        return ready(worker, { module, memory, index: i + 1, threads });
      }),
    );
    return new Threads(workers, kernels);
  } catch (err) {
    for (const worker of workers) worker.terminate();
    reasons.push(`one thread: ${(err as Error).message}`);
    return undefined;
  }
}

function ready(worker: WorkerLike, start: ThreadStart): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new WeftError("worker", "the kernels' workers did not start in time")), startTimeout);
    const settle = (act: () => void) => {
      clearTimeout(timer);
      act();
    };
    worker.onmessage = ({ data }) => settle(() => (data === "ready" ? resolve() : reject(new WeftError("worker", `a kernels' worker answered: ${String(data)}`))));
    worker.onerror = (event) => settle(() => reject(new WeftError("worker", `a kernels' worker failed${event.message ? `: ${event.message}` : ""}`)));
    worker.postMessage({ type: "thread", ...start });
  });
}
