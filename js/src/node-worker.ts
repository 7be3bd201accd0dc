// The worker of the package in Node.
import { readFile } from "node:fs/promises";
import { parentPort } from "node:worker_threads";
import { setPlatform } from "./platform.js";
import { serve, type WorkerScope } from "./serve.js";

setPlatform({ workerByDefault: false, read: async (url) => new Uint8Array(await readFile(url)) });
const scope: WorkerScope = { postMessage: (message, transfer) => parentPort!.postMessage(message, transfer as never), onmessage: null };
parentPort!.on("message", (data) => scope.onmessage?.({ data }));
serve(scope);
