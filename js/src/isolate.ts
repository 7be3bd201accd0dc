// Cross-origin isolation where headers cannot be set: a service worker adds them.
import { WeftError } from "./errors.js";

/** Options of `isolate`. */
export interface IsolateOptions {
  /** URL of a copy of `isolate-worker.js` beside or above the page: a service worker controls what lies below it. */
  script?: string | URL;
}

const attempted = "weft:isolate";

/**
 * Isolates the page, so that Weft can compute with threads: installs a service worker that adds the headers which browsers ask for, and
 * reloads the page once. Copy `isolate-worker.js` of the package beside the page.
 *
 * @returns "isolated" when the page is isolated now, "reloading" when it is about to be, "unavailable" where it cannot be.
 *
 * @example
 * ```ts
 * import { isolate, init } from "@weft-ml/weft";
 * if ((await isolate()) !== "reloading") start(await init());
 * ```
 */
export async function isolate({ script }: IsolateOptions = {}): Promise<"isolated" | "reloading" | "unavailable"> {
  const scope = globalThis as unknown as { crossOriginIsolated?: boolean; navigator?: Navigator; isSecureContext?: boolean; location?: Location; sessionStorage?: Storage };
  if (scope.crossOriginIsolated) {
    scope.sessionStorage?.removeItem(attempted);
    return "isolated";
  }
  const workers = scope.navigator?.serviceWorker;
  if (!workers || !scope.isSecureContext || !scope.location) return "unavailable";
  if (scope.sessionStorage?.getItem(attempted)) return "unavailable"; // reloaded already, in vain: never in a circle
  const url = new URL(script ?? "isolate-worker.js", scope.location.href);
  let registration: ServiceWorkerRegistration;
  try {
    registration = await workers.register(url);
  } catch (err) {
    throw new WeftError("unsupported", `weft: isolate: ${url.href} is no service worker for this page (${(err as Error).message}); copy isolate-worker.js of the package beside the page, or pass script`, { cause: err });
  }
  const worker = registration.installing ?? registration.waiting;
  if (worker && !registration.active) {
    await new Promise<void>((resolve) => {
      worker.addEventListener("statechange", () => {
        if (worker.state === "activated" || worker.state === "redundant") resolve();
      });
    });
  }
  scope.sessionStorage?.setItem(attempted, "1");
  scope.location.reload();
  return "reloading";
}
