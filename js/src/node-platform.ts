// Node's files and workers.
import { readFile } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import type { Platform, WorkerLike } from "./platform.js";

/** The platform that Node is: calls run in the caller's thread unless a worker is asked for. */
export const nodePlatform: Platform = {
  workerByDefault: false,
  read: async (url) => new Uint8Array(await readFile(url)),
  spawn(url): WorkerLike {
    const file = new URL(url);
    file.pathname = file.pathname.replace(/worker\.js$/, "node-worker.js");
    const worker = new Worker(file);
    const like: WorkerLike = {
      postMessage: (message, transfer) => worker.postMessage(message, transfer as never),
      terminate: () => void worker.terminate(),
      onmessage: null,
      onerror: null,
    };
    let over = false;
    const end = (message: string) => {
      if (!over) like.onerror?.({ message });
      over = true;
    };
    worker.on("message", (data) => like.onmessage?.({ data }));
    worker.on("error", (err) => end(err.message));
    worker.on("exit", (code) => end(`it exited with code ${code}`));
    return like;
  },
};
