// Offline use: the service worker, registered once the page answers, so that it takes nothing from the start.
import type { App } from "./app.js";
import files from "weft:files";

export function offline(app: App): void {
  const container = navigator.serviceWorker as ServiceWorkerContainer | undefined; // absent without https
  if (!container) return;
  const register = async () => {
    const registration = await container.register("sw.js");
    // Of the runtime's variants only the one that runs here is kept.
    const { kernels, threads } = app.runtime!.report();
    const suffix = threads > 1 ? "-shared.wasm" : ".wasm";
    const names = [`weft${suffix}`, ...(kernels === "generic" ? [] : [`kernels-${kernels}.wasm`, `kernels-${kernels}${suffix}`])];
    const keep = names.flatMap((name) => files.runtime[name] ?? []);
    await container.ready;
    (registration.active ?? registration.waiting ?? registration.installing)?.postMessage({ keep });
  };
  register().catch(() => {}); // where storage is switched off the page works online
}

/** Calls f when the page has nothing else to do, soon. */
export function idle(f: () => void): void {
  if (typeof requestIdleCallback === "function") requestIdleCallback(f, { timeout: 1000 });
  else setTimeout(f, 200);
}
