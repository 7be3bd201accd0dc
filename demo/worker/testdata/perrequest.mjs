// The stock way, for comparison: a program for each request.
import { App, readBody } from "../src/app.mjs";

export default {
  async fetch(request) {
    const app = new App();
    return app.answer(request, await readBody(request, app.maxBody));
  },
};
