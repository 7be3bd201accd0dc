// The Worker: one program for all requests of the isolate, another one after it has ended.
// @ts-check
import { App, readBody } from "./app.mjs";

/** @type {App | undefined} */
let app;

/**
 * The running program, started where there is none, and how many milliseconds that took: on the platform 0, where clocks stand still between a request's
 * reads and writes, in workerd by itself the truth.
 */
function running() {
  if (app && !app.ended) return { app, took: undefined };
  const start = performance.now();
  app = new App();
  return { app, took: performance.now() - start };
}

export default {
  /** @param {Request} request */
  async fetch(request) {
    try {
      const first = running();
      const body = await readBody(request, first.app.maxBody);
      const response = await running().app.answer(request, body);
      if (first.took !== undefined) response.headers.set("server-timing", `start;desc=${first.app.kernels};dur=${first.took.toFixed(1)}`);
      return response;
    } catch (err) {
      console.error(`weft: ${request.method} ${request.url}: ${err}`);
      return Response.json({ error: "internal error" }, { status: 500 });
    }
  },
};
