// MNIST as its four files, dropped in or chosen.
import type { Dataset } from "@weft-ml/weft";
import type { App } from "../app.js";

export interface Mnist {
  train: Dataset;
  test: Dataset;
}

/** Reads the files; from now on Train uses them. */
export async function bring(app: App, files: File[]): Promise<void> {
  const mnist = await (await app.whole()).data.mnist(files);
  app.mnist?.train.dispose();
  app.mnist?.test.dispose();
  app.mnist = mnist;
  app.plan.data = "mnist";
  app.notice(`${mnist.train.samples.toLocaleString("en")} training and ${mnist.test.samples.toLocaleString("en")} test images are here. Press Train.`, "good");
  app.show("training");
  app.changed();
}
