// One running Go program: its memory, the kernels on it, and Go on both. See ../doc.go for how requests reach it.
// @ts-check
import program from "./app.wasm";
import relaxed from "./kernels-relaxed.wasm";
import simd128 from "./kernels-simd128.wasm";
import { goClass } from "./go-glue.js";

/** Pages of 64 KiB that the program's memory may grow to: 96 MiB of the 128 MB that the platform gives an isolate. */
const maximum = 1536;

/** What workers makes of Promise: filled while Go runs, read when Go has returned. */
class Outcome {
  settled = false;
  /** @type {Reply | undefined} */ reply = undefined;
  /** @type {unknown} */ error = undefined;

  /** @param {(resolve: (reply: Reply) => void, reject: (error: unknown) => void) => void} run */
  constructor(run) {
    run(
      (reply) => {
        this.settled = true;
        this.reply = reply;
      },
      (error) => {
        this.settled = true;
        this.error = error;
      },
    );
  }
}

/** What workers makes of Response: plain data, since a Response belongs to the request in which it was made. */
class Reply {
  /**
   * @param {Uint8Array<ArrayBuffer> | null} body
   * @param {{ status: number, statusText: string, headers: Fields }} init
   */
  constructor(body, { status, statusText, headers }) {
    this.body = body;
    this.init = { status, statusText, headers: headers.list };
  }
}

/** What workers makes of Headers. */
class Fields {
  /** @type {[string, string][]} */ list = [];

  /** @param {string} name @param {string} value */
  append(name, value) {
    this.list.push([name, value]);
  }
}

export class App {
  /** Set when the program has ended, which only a fault makes it do. @type {Error | undefined} */
  ended = undefined;
  /** When Go wants to be woken, in milliseconds of performance.now(), by number. @type {Map<number, number>} */
  #timers = new Map();
  #binding = /** @type {{ body: Uint8Array | null, maxBody: number, handleRequest(request: unknown): Outcome }} */ ({});
  #go;

  /** Starts the program, synchronously; to be called in a request, since Go draws random numbers at its start. */
  constructor() {
    const [section] = WebAssembly.Module.customSections(program, "weft.memory");
    this.memory = new WebAssembly.Memory({ initial: new DataView(section).getUint32(0, true), maximum });
    /** The variant of the kernel module. */
    this.kernels = isFused(relaxed) ? "relaxed" : "simd128";
    const kernels = new WebAssembly.Instance(this.kernels === "relaxed" ? relaxed : simd128, { env: { memory: this.memory } }).exports;

    const host = {
      ...{ Object, Array, Uint8Array, Uint8ClampedArray, Date, Error, crypto, performance, TextEncoder, TextDecoder, console },
      ...{ Promise: Outcome, Response: Reply, Headers: Fields, context: { binding: this.#binding } },
    };
    const go = new (goClass(host))();
    this.#go = go;
    go.exit = (/** @type {number} */ code) => {
      this.ended ??= new Error(`the program has ended with code ${code}`);
    };
    let next = 1;
    go.importObject.gojs["runtime.scheduleTimeoutEvent"] = (/** @type {number} */ sp) => {
      sp >>>= 0;
      const delay = Number(go.mem.getBigInt64(sp + 8, true));
      go.mem.setInt32(sp + 16, next, true);
      this.#timers.set(next++, performance.now() + delay);
    };
    go.importObject.gojs["runtime.clearTimeoutEvent"] = (/** @type {number} */ sp) => {
      this.#timers.delete(go.mem.getInt32((sp >>> 0) + 8, true));
    };
    let ready = false;
    const workers = { ready: () => void (ready = true) };
    const instance = new WebAssembly.Instance(program, { ...go.importObject, env: { memory: this.memory }, weft: kernels, workers });
    this.#call(() => {
      // The promise of run tells the end, of which exit has told already, and errors of the first stretch, which it does not throw.
      go.run(instance).catch((/** @type {Error} */ err) => void (this.ended ??= err));
    });
    if (!ready) throw new Error("the program did not become ready");
  }

  /** The longest body that the handler takes, in bytes; of a longer one, one byte more is enough to be refused. */
  get maxBody() {
    return this.#binding.maxBody;
  }

  /**
   * Answers a request whose body has been read.
   * @param {Request} request
   * @param {Uint8Array | null} body
   * @returns {Promise<Response>}
   */
  async answer(request, body) {
    const { method, url } = request;
    const headers = { entries: () => [...request.headers] };
    this.#binding.body = body;
    const outcome = this.#call(() => this.#binding.handleRequest({ method, url, headers, body: null }));
    while (!outcome.settled) await this.#wait();
    if (!outcome.reply) throw outcome.error;
    return new Response(outcome.reply.body, outcome.reply.init);
  }

  /** Waits, with a timer of the request that is answered, until Go wants to be woken, and wakes it. */
  async #wait() {
    if (this.#timers.size === 0) throw new Error("the handler waits for something that never comes");
    const due = Math.min(...this.#timers.values());
    await new Promise((done) => setTimeout(done, Math.max(0, due - performance.now())));
    this.#call(() => this.#go._resume());
  }

  /**
   * Calls into Go, and throws where Go has ended.
   * @template T
   * @param {() => T} f
   * @returns {T}
   */
  #call(f) {
    if (this.ended) throw this.ended;
    /** @type {T | undefined} */
    let result;
    try {
      result = f();
    } catch (err) {
      this.ended ??= /** @type {Error} */ (err); // a trap, or glue code that no longer finds the program
    }
    if (this.ended) throw this.ended;
    return /** @type {T} */ (result);
  }
}

/** Whether the module's multiply-add rounds once, which relaxed SIMD leaves to the processor. @param {WebAssembly.Module} module */
function isFused(module) {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { fma_probe } = /** @type {{ fma_probe(a: number, b: number, c: number): number }} */ (
    /** @type {unknown} */ (new WebAssembly.Instance(module, { env: { memory } }).exports)
  );
  return fma_probe(1 + 2 ** -12, 1 + 2 ** -12, -(1 + 2 ** -11)) !== 0;
}

/**
 * Reads a body, or so much of it that it is too long. Returns null where there is none.
 * @param {Request} request
 * @param {number} limit bytes
 */
export async function readBody(request, limit) {
  if (!request.body) return null;
  if (Number(request.headers.get("content-length") ?? Infinity) <= limit) return new Uint8Array(await request.arrayBuffer());
  const reader = request.body.getReader();
  /** @type {Uint8Array[]} */
  const chunks = [];
  let size = 0;
  // What is too much is read too, or a client that is still sending would see a broken connection in place of the answer.
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (size > limit) continue;
    chunks.push(value);
    size += value.length;
  }
  const body = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}
