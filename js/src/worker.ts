// The worker of the package in browsers.
import { serve, type WorkerScope } from "./serve.js";

serve(globalThis as unknown as WorkerScope);
