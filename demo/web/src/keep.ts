// Offline use: the service worker, and what it keeps beside the page itself.

/** Registers the service worker and has it keep more files, named as they lie beside sw.js. */
export async function keep(files: string[]): Promise<void> {
  const container = navigator.serviceWorker as ServiceWorkerContainer | undefined; // absent without https
  if (!container) return;
  try {
    const registration = await container.register(new URL("sw.js", import.meta.url));
    await new Promise<void>((ok) => {
      // ready is of the page's own worker, which it may not be under yet.
      const at = () => (registration.active ? ok() : setTimeout(at, 100));
      at();
    });
    registration.active!.postMessage({ keep: files });
  } catch {
    // where storage is switched off pages work online
  }
}

/** The runtime's files that run here: one of the variants of its program and of its kernels. */
export function variants(names: { [plain: string]: string }, { kernels, threads }: { kernels: string; threads: number }): string[] {
  const suffix = threads > 1 ? "-shared.wasm" : ".wasm";
  const plain = [`weft${suffix}`, ...(kernels === "generic" ? [] : [`kernels-${kernels}.wasm`, `kernels-${kernels}${suffix}`])];
  return plain.flatMap((name) => names[name] ?? []);
}

/** Calls f when the page has nothing else to do, soon. */
export function idle(f: () => void): void {
  if (typeof requestIdleCallback === "function") requestIdleCallback(f, { timeout: 1000 });
  else setTimeout(f, 200);
}
