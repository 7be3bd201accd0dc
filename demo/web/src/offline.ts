// Offline use: the service worker, registered once the page answers, so that it takes nothing from the start.
import type { App } from "./app.js";
import files from "weft:files";
import { keep, variants } from "./keep.js";

export function offline(app: App): void {
  void keep(variants(files.runtime, app.runtime!.report()));
}
