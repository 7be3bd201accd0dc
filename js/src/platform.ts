// The few things that differ between a browser, Node and Cloudflare. The entry of each place fills them in.
import { WeftError } from "./errors.js";

/** What workers of every kind have. */
export interface WorkerLike {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  terminate(): void;
  onmessage: ((event: { data: any }) => void) | null;
  onerror: ((event: { message?: string; error?: unknown }) => void) | null;
  onmessageerror?: ((event: unknown) => void) | null;
}

/** What the loader asks of the place it runs in. */
export interface Platform {
  /** A file that the place reads without fetch; undefined where fetch has to do. */
  read?(url: URL): Promise<Uint8Array<ArrayBuffer>>;
  /** A worker from a file of the package; undefined where there are none. */
  spawn?(url: URL): WorkerLike;
  /** Whether calls run in a worker unless the options say otherwise. */
  workerByDefault: boolean;
}

/** The platform that this copy of the package runs on: a browser unless an entry says otherwise. */
export const platform: Platform = {
  get spawn() {
    return typeof Worker === "function" ? (url: URL) => new Worker(url, { type: "module", name: "weft" }) as unknown as WorkerLike : undefined;
  },
  get workerByDefault() {
    return typeof Worker === "function";
  },
};

/** Replaces parts of the platform. */
export function setPlatform(parts: Platform): void {
  Object.defineProperties(platform, Object.getOwnPropertyDescriptors(parts));
}

/** How far a load is. */
export interface LoadProgress {
  phase: "fetch" | "compile" | "start";
  /** Bytes so far. */
  loaded?: number;
  /** Bytes in all, where the server tells. */
  total?: number;
}

/** Fetches and compiles a module, streaming where the server sends it as application/wasm. */
export async function compileURL(url: URL, signal?: AbortSignal, onBytes?: (n: number, total?: number) => void): Promise<WebAssembly.Module> {
  if (platform.read && url.protocol === "file:") {
    const bytes = await platform.read(url);
    onBytes?.(bytes.length, bytes.length);
    return WebAssembly.compile(bytes);
  }
  let response: Response;
  try {
    response = await fetch(url, { signal, credentials: "same-origin" });
  } catch (err) {
    if (signal?.aborted) throw err;
    throw new WeftError("unsupported", `weft: ${url.href} cannot be fetched (${(err as Error).message}); check that the .wasm files of the package are served there, or pass baseURL`, { cause: err });
  }
  if (!response.ok) {
    throw new WeftError("unsupported", `weft: ${url.href}: the server answered ${response.status}; serve the .wasm files of the package there, or pass baseURL`);
  }
  const streams = response.headers.get("Content-Type")?.split(";")[0]!.trim() === "application/wasm";
  if (onBytes && response.body) response = counted(response, onBytes);
  try {
    if (streams && WebAssembly.compileStreaming) return await WebAssembly.compileStreaming(response);
    return await WebAssembly.compile(await response.arrayBuffer());
  } catch (err) {
    if (signal?.aborted) throw err;
    throw new WeftError("unsupported", `weft: ${url.href} does not compile: ${(err as Error).message}`, { cause: err });
  }
}

/** The response with its bytes counted. V8 keeps compiled code of untouched responses only, so this is for those who ask. */
function counted(response: Response, onBytes: (n: number, total?: number) => void): Response {
  const length = Number(response.headers.get("Content-Length"));
  const total = length > 0 && !response.headers.get("Content-Encoding") ? length : undefined;
  let n = 0;
  const count = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, out) {
      onBytes((n += chunk.length), total);
      out.enqueue(chunk);
    },
  });
  return new Response(response.body!.pipeThrough(count), { headers: response.headers });
}

/** Calls a function in a later turn of the event loop; that alone keeps no process alive. */
export function later(f: () => void): void {
  const timer = setTimeout(f, 0) as unknown as { unref?: () => void };
  timer.unref?.();
}

/** Waits one turn of the event loop, so that messages and frames get in. */
export const turn: () => Promise<void> = (() => {
  let waiting: (() => void)[] = [];
  let channel: MessageChannel | undefined;
  const immediate = (globalThis as { setImmediate?: (f: () => void) => void }).setImmediate;
  return () =>
    new Promise<void>((resolve) => {
      if (immediate) {
        immediate(resolve);
        return;
      }
      if (!channel) {
        channel = new MessageChannel();
        channel.port1.onmessage = () => {
          const list = waiting;
          waiting = [];
          for (const f of list) f();
        };
      }
      waiting.push(resolve);
      if (waiting.length === 1) channel.port2.postMessage(null);
    });
})();
