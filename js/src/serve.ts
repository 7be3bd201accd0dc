// The worker of the package: Go runs here. The same file is a thread of the kernels when its first message says so.
import { startEngine, type Engine } from "./engine.js";
import { WeftError, toWire } from "./errors.js";
import { prepareThread } from "./thread.js";
import { Outbox, type FromWorker, type ToWorker } from "./transport.js";

/** What a worker's scope has here. */
export interface WorkerScope {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  onmessage: ((event: { data: any }) => void) | null;
}

/** Milliseconds of work after which answers leave, though there is more to do. */
const patience = 0.5;

/** Takes a lock for as long as this worker lives, which is how its owner hears of its death. */
function live(name: string): Promise<void> {
  const locks = (globalThis as { navigator?: Navigator }).navigator?.locks;
  if (!locks) return Promise.resolve();
  return new Promise((resolve) => {
    locks
      .request(name, () => {
        resolve();
        return new Promise<void>(() => {});
      })
      .catch(() => resolve());
  });
}

/** Answers the messages of a scope. */
export function serve(scope: WorkerScope): void {
  let engine: Engine | undefined;
  let thread: ((control: number) => void) | undefined;
  const outbox = new Outbox<FromWorker>(
    (message, transfers) => scope.postMessage(message, transfers),
    (messages) => ({ type: "batch", messages }),
  );
  const post = (message: FromWorker, buffer?: ArrayBuffer) => {
    if (outbox.add(message, buffer)) queueMicrotask(() => outbox.flush());
  };
  const fail = (id: number, err: unknown) => {
    const ended = engine!.ended();
    post({ type: "error", id, error: toWire(ended ?? err), ended: !!ended });
  };
  const result = (id: number, response: Uint8Array<ArrayBuffer> | undefined) =>
    post({ type: "result", id, wasmBytes: engine!.wasmBytes(), ...(response && { response }) }, response?.buffer);

  const receive = (data: ToWorker): void => {
    switch (data.type) {
      case "start":
        Promise.all([startEngine(data.options, data.progress ? (progress) => post({ type: "progress", progress }) : undefined), live(data.life)]).then(
          ([ready]) => {
            engine = ready.engine;
            post({ type: "started", started: ready.started });
          },
          (err) => post({ type: "failed", error: toWire(err) }),
        );
        return;
      case "thread":
        thread = prepareThread(data, (text) => scope.postMessage(text));
        return;
      case "run":
        thread?.(data.control);
        return;
      case "call":
        try {
          result(data.id, engine!.call(data.request));
        } catch (err) {
          fail(data.id, err);
        }
        return;
      case "job":
        engine!
          .run(data.id, data.job, (event) => post({ type: "event", id: data.id, event }, event.type === "checkpoint" ? event.bytes.buffer : undefined))
          .then(
            (response) => result(data.id, response),
            (err) => fail(data.id, err),
          );
        return;
      case "control":
        engine!.control(data.id, data.what);
        return;
      case "free":
        try {
          engine!.free(data.ids);
        } catch {
          // The runtime has ended, which the next call is told.
        }
        return;
      case "batch": {
        let since = performance.now();
        for (const message of data.messages) {
          receive(message);
          const now = performance.now();
          if (now - since < patience) continue;
          outbox.flush(); // answers do not wait for long calls behind them
          since = now;
        }
        return;
      }
      default:
        throw new WeftError("internal", `weft: the worker was sent ${JSON.stringify((data as { type: unknown }).type)}`);
    }
  };
  scope.onmessage = ({ data }: { data: ToWorker }) => receive(data);
}
