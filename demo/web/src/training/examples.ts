// The visitor's own digits: kept, and learned on the spot.
import type { Dataset, LayersModel, Runtime } from "@weft-ml/weft";
import type { App } from "../app.js";
import { argmax, probabilities } from "../net.js";

export interface Example {
  x: Float32Array;
  label: number;
}

const key = "weft-examples";
const most = 300;

/** Steps of learning at one press, and how sure it has to be to end before. */
const [leastSteps, mostSteps, sureEnough] = [6, 40, 0.9];
const batch = 32;
const own = 8; // samples of a batch that are the visitor's

export class Examples {
  readonly list: Example[] = [];

  constructor() {
    try {
      for (const [label, text] of JSON.parse(localStorage.getItem(key) ?? "[]") as [number, string][]) {
        const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
        if (bytes.length === 784 && label >= 0 && label < 10) this.list.push({ x: Float32Array.from(bytes, (v) => v / 255), label });
      }
    } catch {
      // Storage is off or holds something else: it starts empty.
    }
  }

  add(example: Example): void {
    this.list.push(example);
    if (this.list.length > most) this.list.shift();
    this.save();
  }

  remove(example: Example): void {
    const i = this.list.indexOf(example);
    if (i >= 0) this.list.splice(i, 1);
    this.save();
  }

  private save(): void {
    try {
      localStorage.setItem(key, JSON.stringify(this.list.map((e) => [e.label, btoa(String.fromCharCode(...e.x.map((v) => Math.round(v * 255))))])));
    } catch {
      // They hold for this visit.
    }
  }
}

/** The visitor's digits. */
export function examplesOf(app: App): Examples {
  return (app.examples ??= new Examples());
}

/** Takes what is on the pad as a digit and has the model learn it now. Returns what came of it, for the visitor. */
export async function teach(app: App, label: number): Promise<string> {
  if (!app.net) return "It is still starting.";
  const runtime = await app.whole();
  const net = app.net;
  const model = net.model!;
  const { digit } = await app.live.input(net.input);
  if (!digit) return "Draw a digit first, then press which it is.";
  const examples = examplesOf(app);
  examples.add({ x: digit, label });
  app.changed();
  if (app.session?.busy) return `Kept as a ${label}: the next training learns it too.`;
  delete net.program; // its weights are about to change
  await learn(app, runtime, model, digit, label);
  if (app.net !== net) return "";
  const p = probabilities(await model.predictArray(digit));
  app.live.wake();
  const now = argmax(p);
  const count = examples.list.length;
  if (net.origin === "given") {
    net.origin = "trained";
    net.title = "LeNet, taught by you";
  }
  app.changed();
  const kept = `${count} ${count === 1 ? "digit" : "digits"} of yours kept.`;
  return now === label ? `Learned: a ${label}, ${Math.round(100 * p[label]!)} % sure. ${kept}` : `It still says ${now}; press ${label} again to insist. ${kept}`;
}

interface Taught {
  model: LayersModel;
  replay: { x: Float32Array; y: Int32Array };
}

let taught: Taught | undefined;

/** A training has compiled the model anew: the next lesson has to do so as well. */
export function forget(): void {
  taught = undefined;
}

/** Some steps on the new digit, on the visitor's others, and on built-in digits, so that the rest is not forgotten. */
async function learn(app: App, runtime: Runtime, model: LayersModel, x: Float32Array, label: number): Promise<void> {
  if (taught?.model !== model) {
    const digits: Dataset = runtime.data.digits({ seed: 7, samples: 1024 });
    const { x, y } = await digits.get(0, 1024);
    digits.dispose();
    model.compile({ optimizer: { name: "adam", learningRate: 0.0007 }, loss: { name: "sparseCategoricalCrossentropy", fromLogits: true }, metrics: ["accuracy"] });
    taught = { model, replay: { x, y } };
  }
  const { replay } = taught;
  const { list } = examplesOf(app);
  for (let step = 0; step < mostSteps; step++) {
    const bx = new Float32Array(batch * 784), by = new Int32Array(batch);
    for (let i = 0; i < batch; i++) {
      if (i < own) {
        const e = i < own / 2 ? { x, label } : list[Math.floor(Math.random() * list.length)]!;
        shifted(e.x, bx, i * 784, step === 0 && i === 0 ? 0 : 1);
        by[i] = e.label;
      } else {
        const k = Math.floor(Math.random() * replay.y.length);
        bx.set(replay.x.subarray(k * 784, (k + 1) * 784), i * 784);
        by[i] = replay.y[k]!;
      }
    }
    await model.trainOnBatch(bx, by);
    if (step + 1 < leastSteps) continue;
    const p = probabilities(await model.predictArray(x));
    app.live.wake();
    if (argmax(p) === label && p[label]! > sureEnough) return;
  }
}

/** Copies a digit, moved by at most `by` pixels. */
function shifted(x: Float32Array, out: Float32Array, at: number, by: number): void {
  const [dx, dy] = [Math.round((2 * Math.random() - 1) * by), Math.round((2 * Math.random() - 1) * by)];
  for (let v = 0; v < 28; v++) {
    for (let u = 0; u < 28; u++) {
      const [a, b] = [u - dx, v - dy];
      out[at + v * 28 + u] = a >= 0 && a < 28 && b >= 0 && b < 28 ? x[b * 28 + a]! : 0;
    }
  }
}
