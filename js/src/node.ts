// Entry for Node: files come from the disk, calls run in the caller's thread unless a worker is asked for.
import { readFile } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import { setPlatform, type WorkerLike } from "./platform.js";

setPlatform({
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
});

export * from "./index.js";
