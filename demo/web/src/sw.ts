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

// The page tells which files of the runtime it uses.
self.addEventListener("message", (event) => {
  const keep = (event.data as { keep?: string[] } | null)?.keep;
  if (!keep) return;
  const add = async () => {
    const cache = await caches.open(name);
    for (const url of keep) if (!(await cache.match(url))) await cache.add(url);
  };
  event.waitUntil(add().catch(() => {}));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== location.origin || request.headers.has("range")) return;
  event.respondWith(request.mode === "navigate" ? navigate(request) : file(request));
});

/** The page itself: the server's if it answers soon, else the one that is kept. */
async function navigate(request: Request): Promise<Response> {
  const kept = await caches.match("./", { cacheName: name });
  const url = new URL(request.url);
  const fresh = fetch(request);
  if (!kept || url.pathname !== new URL("./", location.href).pathname) return isolated(await fresh);
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
