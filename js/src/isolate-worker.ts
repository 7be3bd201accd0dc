// Service worker that isolates the pages below it: every answer gets the headers that browsers ask for before they share memory.
// "credentialless" lets pictures and scripts of other origins in, without cookies; Safari knows "require-corp" only.

interface FetchEventLike extends Event {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

interface ServiceWorkerScope {
  skipWaiting(): Promise<void>;
  readonly clients: { claim(): Promise<void> };
  addEventListener(type: string, listener: (event: any) => void): void;
}

const scope = globalThis as unknown as ServiceWorkerScope;
const credentialless = "chrome" in globalThis || /Chrom|Firefox/.test(navigator.userAgent);

scope.addEventListener("install", () => void scope.skipWaiting());
scope.addEventListener("activate", (event: { waitUntil(p: Promise<void>): void }) => event.waitUntil(scope.clients.claim()));
scope.addEventListener("fetch", (event: FetchEventLike) => {
  const { request } = event;
  if (request.cache === "only-if-cached" && request.mode !== "same-origin") return;
  const open = credentialless && request.mode === "no-cors" ? new Request(request, { credentials: "omit" }) : request;
  event.respondWith(
    fetch(open).then((response) => {
      if (response.status === 0) return response; // opaque: there is nothing to add headers to
      const headers = new Headers(response.headers);
      headers.set("Cross-Origin-Embedder-Policy", credentialless ? "credentialless" : "require-corp");
      headers.set("Cross-Origin-Opener-Policy", "same-origin");
      headers.set("Cross-Origin-Resource-Policy", "cross-origin");
      return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
    }),
  );
});

export {};
