// The status line: what the runtime computes with, and why not better.
import type { Runtime } from "@weft-ml/weft";

const names = { relaxed: "relaxed SIMD", simd128: "128-bit SIMD", generic: "plain loops, no SIMD" } as const;
const megabytes = (n: number) => `${(n / 1e6).toFixed(0)} MB`;

export function status(root: HTMLElement) {
  let runtime: Runtime | undefined;
  let kernels: keyof typeof names | undefined;
  let after = 0;
  const draw = () => {
    const r = runtime?.report();
    kernels = r?.kernels ?? kernels;
    if (!kernels) return;
    const parts: string[] = [names[kernels]];
    if (r) parts.push(r.threads > 1 ? `${r.threads} threads` : "one thread", `${megabytes(r.memory.wasmBytes)} of memory`);
    if (after) parts.push(`first answer after ${Math.round(after)} ms`);
    const dot = document.createElement("i");
    dot.setAttribute("aria-hidden", "true");
    root.replaceChildren(dot, parts.join(" · "));
    if (r?.reasons.length) {
      const why = document.createElement("small");
      why.textContent = r.reasons.join("; ");
      root.append(why);
    }
    root.dataset["kernels"] = kernels;
    if (r) root.dataset["threads"] = String(r.threads);
  };
  return {
    /** The runtime has started. */
    runtime(r: Runtime): void {
      runtime = r;
      draw();
      setInterval(draw, 5000);
    },
    /** The first answer was there, milliseconds after navigation, by these kernels. */
    first(ms: number, by: keyof typeof names | undefined): void {
      after = ms;
      kernels ??= by;
      draw();
    },
    failed(): void {
      root.textContent = "Not running.";
    },
  };
}
