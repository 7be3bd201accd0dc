// One thread of the kernels: an instance of their module on the shared memory, which it gives itself to.
import type { ThreadStart } from "./threads.js";

/** Makes the instance and answers "ready"; the function that is returned runs the thread until the kernels let it go. */
export function prepareThread({ module, memory, index }: ThreadStart, post: (text: string) => void): (control: number) => void {
  try {
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    const run = exports["thread"] as ((control: number, index: number) => void) | undefined;
    if (!run) throw new Error("the kernel module has no threads");
    post("ready");
    return (control) => run(control, index);
  } catch (err) {
    post((err as Error).message);
    return () => {};
  }
}
