// The service worker: keeps the page for offline use and isolates it where the server does not.
import site from "weft:site";

declare const self: ServiceWorkerGlobalScope;

const name = `weft-page-${site.version}`;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(name).then((cache) => cache.addAll(site.files)));
});

self.addEventListener("activate", (event) => {
  const tidy = async () => {
    for (const key of await caches.keys()) if (key.startsWith("weft-page-") && key !== name) await caches.delete(key);
    await self.clients.claim();
  };
  event.waitUntil(tidy());
});

// A page tells which files beside this list it uses: the variants of the runtime that run here, and all of the window once it was opened.
self.addEventListener("message", (event) => {
  const keep = (event.data as { keep?: string[] } | null)?.keep;
  if (!keep) return;
  const add = async () => {
    const cache = await caches.open(name);
    // Names without a hash may have other content now.
    for (const url of keep) if (url.endsWith("/") || !(await cache.match(url))) await cache.add(url);
  };
  event.waitUntil(add().catch(() => {}));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== location.origin || request.headers.has("range")) return;
  event.respondWith(request.mode === "navigate" ? navigate(request) : file(request));
});

/** A page itself: the server's if it answers soon, else the one that is kept. */
async function navigate(request: Request): Promise<Response> {
  const url = new URL(request.url);
  const fresh = fetch(request);
  const kept = await caches.match(url.origin + url.pathname, { cacheName: name });
  if (!kept) return isolated(await fresh);
  const late = new Promise<undefined>((resolve) => setTimeout(resolve, 2500));
  const answer = await Promise.race([fresh.catch(() => undefined), late]);
  return isolated(answer?.ok || answer?.type === "opaqueredirect" ? answer : kept);
}

/** Files have their content's hash in their name: what is kept is right. */
async function file(request: Request): Promise<Response> {
  const kept = await caches.match(request, { cacheName: name, ignoreVary: true });
  return isolated(kept ?? (await fetch(request)));
}

/** The answer with the headers that isolate a page, which threads need. */
function isolated(answer: Response): Response {
  if (answer.type !== "basic" && answer.type !== "default") return answer;
  if (answer.headers.has("cross-origin-opener-policy") || answer.status === 0) return answer;
  const headers = new Headers(answer.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  headers.set("Cross-Origin-Resource-Policy", "same-origin");
  return new Response(answer.body, { status: answer.status, statusText: answer.statusText, headers });
}
