// The worker of the package in Node.
import { parentPort } from "node:worker_threads";
import { nodePlatform } from "./node-platform.js";
import { setPlatform } from "./platform.js";
import { serve, type WorkerScope } from "./serve.js";

setPlatform(nodePlatform);
const scope: WorkerScope = { postMessage: (message, transfer) => parentPort!.postMessage(message, transfer as never), onmessage: null };
parentPort!.on("message", (data) => scope.onmessage?.({ data }));
serve(scope);
