// Files in and out: models, and MNIST.
import type { App } from "./app.js";
import { predict } from "./live.js";
import { inputOf } from "./net.js";
import { planTitle } from "./plan.js";
import { writes } from "./writing/panel.js";
import { isIDX } from "./idx.js";
import { bring } from "./training/mnist.js";

/** Saves the model that answers as an ONNX file. */
export async function download(app: App): Promise<void> {
  await app.whole();
  const net = app.net!;
  const bytes = await net.model!.save({ format: "onnx" });
  const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${(net.origin === "trained" ? planTitle(app.plan) : net.title).toLowerCase().replace(/[^a-z0-9]+/g, "-")}.onnx`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Takes files that were dropped or chosen: a model of images or of text, or MNIST's four. */
export async function receive(app: App, files: File[]): Promise<void> {
  app.notice("");
  const idx = files.filter((f) => isIDX(f.name));
  try {
    if (idx.length) await bring(app, idx);
    else await loadModel(app, files[0]!);
  } catch (err) {
    app.fail(err, files.map((f) => f.name).join(", "));
  }
}

async function loadModel(app: App, file: File): Promise<void> {
  if (/\.(png|jpe?g|gif|webp|svg|txt|csv|json|zip|pdf)$/i.test(file.name)) {
    throw new Error("This is no model. Models are read as ONNX files (.onnx); MNIST as its four files, all dropped together.");
  }
  if (app.session?.busy) throw new Error("A training is running: stop it first.");
  const model = await (await app.whole()).load(new Uint8Array(await file.arrayBuffer()));
  try {
    if (writes(model)) {
      (await app.writing()).use(model, file.name);
      app.show("text");
      app.notice(`${file.name} writes now.`, "good");
      return;
    }
    if (model.inputs.length !== 1) throw new Error(`The model takes ${model.inputs.length} inputs; this page has one drawing to give.`);
    const input = inputOf(model.inputs[0]!.shape);
    const shape = model.outputs[0]!.shape;
    const dims = shape.slice(1);
    const classes = dims[dims.length - 1];
    if (typeof classes !== "number" || classes < 1 || dims.slice(0, -1).some((d) => d !== 1)) {
      throw new Error(`The model answers [${shape.map((d) => (typeof d === "number" && d > 0 ? d : "N")).join(", ")}], which is no list of classes.`);
    }
    // One answer shows whether it runs here; only then it replaces the model that works.
    await predict(app.runtime!, model, input, new Float32Array(input.channels * input.height * input.width));
    const accuracy = Number(model.metadata["weft.test_accuracy"]);
    app.use({
      model,
      title: file.name,
      note: `loaded${accuracy > 0 ? `, test accuracy ${(100 * accuracy).toFixed(2)} % by its metadata` : ""}`,
      input,
      classes,
      origin: "loaded",
      ...(input.kind === "digit" && classes === 10 ? {} : { fixed: "This model's classes are shown by number; it cannot be taught here." }),
    });
    app.session = undefined;
    app.changed();
    app.notice(`${file.name} answers now.`, "good");
  } catch (err) {
    model.dispose();
    throw err;
  }
}
