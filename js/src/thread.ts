// One thread of the kernels: instantiates the module on the shared memory and gives itself to it.
import type { ThreadStart } from "./threads.js";

/** Runs a thread; it returns only when the kernels let it go. */
export function runThread({ module, memory, index }: ThreadStart, post: (text: string) => void): void {
  let main: ((index: number) => void) | undefined;
  try {
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    main = exports["thread_main"] as ((index: number) => void) | undefined;
    if (!main) throw new Error("the kernel module has no threads");
  } catch (err) {
    post((err as Error).message);
    return;
  }
  post("ready");
  main(index);
}
