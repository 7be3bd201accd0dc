// One training, from the press of Train to its end.
import type { Dataset, LayersModel, Runtime, Tensor, TrainEvent, Training } from "@weft-ml/weft";
import { message, type App } from "../app.js";
import { inputOf, type Net } from "../net.js";
import { augmentSpec, planTitle, type Plan } from "../plan.js";
import { build } from "./build.js";
import { Curve } from "./curve.js";
import { examplesOf, forget } from "./examples.js";

/** How many test images the running checks use, and how many misread ones are shown. */
const quickTest = 1000;
const mostWrong = 30;

/** Checks come this often at most, and take no more than this part of the time. */
const [checkEvery, checkShare] = [600, 0.1]; // ms

export interface Wrong {
  x: Float32Array;
  label: number;
  predicted: number;
}

export interface Check {
  step: number;
  loss: number;
  accuracy: number;
  /** Test images that were read. */
  images: number;
}

export class Session {
  state: "preparing" | "running" | "paused" | "done" | "stopped" | "failed" = "preparing";
  step = 0;
  steps = 0;
  epoch = 0;
  readonly loss = new Curve();
  readonly accuracy = new Curve();
  readonly checks: Check[] = [];
  confusion: number[][] | undefined;
  wrong: Wrong[] = [];
  images = 0;
  imagesPerSecond = 0;
  lastLoss = NaN;
  lastRate = NaN;
  error = "";

  private run: Training | undefined;
  private quick: { x: Float32Array; y: Int32Array; tensor: Tensor } | undefined;
  private marks: { at: number; images: number; step: number }[] = [];
  private checked = 0;
  private pace = checkEvery;
  private soFar = { right: 0, images: 0 }; // of the epoch
  private waiting = 0; // ms that checks took, which are no training
  private readonly owned: { dispose(): void }[] = [];

  private constructor(
    private readonly app: App,
    readonly plan: Plan,
  ) {}

  /** Starts training the plan's network. */
  static async start(app: App): Promise<Session> {
    const session = new Session(app, structuredClone(app.plan));
    app.session = session;
    app.notice("");
    app.changed();
    try {
      await session.go(await app.whole());
    } catch (err) {
      session.state = "failed";
      session.error = message(err);
      app.fail(err, "Training ended");
    }
    forget();
    for (const set of session.owned.splice(0)) {
      try {
        set.dispose();
      } catch {
        // The runtime has ended, and they with it.
      }
    }
    app.changed();
    return session;
  }

  get busy(): boolean {
    return this.state === "preparing" || this.state === "running" || this.state === "paused";
  }

  /** How much is done, 0 to 1. */
  get share(): number {
    return this.steps ? this.step / this.steps : 0;
  }

  get epochs(): number {
    return this.plan.epochs;
  }

  /** Seconds that are left. */
  get eta(): number {
    const first = this.marks[0], last = this.marks[this.marks.length - 1];
    if (!first || !last || last.step === first.step) return NaN;
    return ((this.steps - this.step) * (last.at - first.at)) / (last.step - first.step) / 1000;
  }

  /** The latest accuracy on test images. */
  get test(): Check | undefined {
    return this.checks[this.checks.length - 1];
  }

  /** One line on how it goes. */
  get line(): string {
    const accuracy = this.test ? `test accuracy ${(100 * this.test.accuracy).toFixed(1)} %` : "";
    switch (this.state) {
      case "preparing":
        return "Preparing the data …";
      case "failed":
        return this.error;
      case "done":
        return `Done: ${accuracy}`;
      case "stopped":
        return `Stopped at step ${this.step} of ${this.steps}. ${accuracy}`;
    }
    const parts = [`Epoch ${Math.min(this.epoch + 1, this.epochs)} of ${this.epochs}`];
    if (accuracy) parts.push(accuracy);
    parts.push(this.state === "paused" ? "paused" : Number.isFinite(this.eta) ? `${duration(this.eta)} left` : "…");
    return parts.join(" · ");
  }

  pause(): void {
    if (this.state !== "running") return;
    this.run!.pause();
    this.state = "paused";
    this.app.changed();
  }

  resume(): void {
    if (this.state !== "paused") return;
    this.marks = [];
    this.run!.resume();
    this.state = "running";
    this.app.changed();
  }

  stop(): void {
    if (!this.busy) return;
    this.state = "stopped";
    this.run?.stop();
    this.app.changed();
  }

  private async go(runtime: Runtime): Promise<void> {
    const { app, plan } = this;
    const { train, test } = await this.data(runtime);
    const model = await this.model(runtime);
    if (!this.busy) return; // stopped meanwhile
    await this.prepareTest(runtime, test, model);
    const spec = augmentSpec(plan.augment);
    const run = model.train(train, null, {
      epochs: plan.epochs,
      batchSize: plan.batchSize,
      shuffle: true,
      seed: plan.seed,
      yieldEvery: 12,
      ...(spec ? { augment: spec } : {}),
    });
    this.run = run;
    if (plan.start === "new") await this.check(model); // where it starts from
    if (!this.busy) return;
    this.state = "running";
    this.checked = performance.now();
    for await (const event of run) {
      if (event.kind === "begin") this.steps = event.steps;
      if (event.kind === "batch") this.batch(event);
      if (!this.busy) break; // stopped
      if (event.kind === "epoch" || (event.kind === "batch" && performance.now() - this.checked > this.pace && this.state === "running")) await this.check(model);
    }
    if (this.busy) this.state = "done";
    await this.check(model, test.samples > quickTest ? test : undefined);
    const net = app.net;
    if (net?.model === model) {
      const accuracy = this.test ? `, ${(100 * this.test.accuracy).toFixed(1)} % of ${this.test.images} test images right` : "";
      net.note = `trained in this tab on ${plan.data === "mnist" ? "MNIST" : "built-in digits"}${accuracy}`;
    }
  }

  /** The training data and the test data; what is made here is disposed of at the end. */
  private async data(runtime: Runtime): Promise<{ train: Dataset; test: Dataset }> {
    const { app, plan } = this;
    const own = examplesOf(app).list;
    let train: Dataset, test: Dataset;
    if (plan.data === "mnist" && app.mnist) {
      ({ train, test } = app.mnist);
    } else {
      train = runtime.data.digits({ seed: plan.seed, samples: plan.samples });
      test = runtime.data.digits({ seed: plan.seed, samples: quickTest, test: true });
      this.owned.push(train, test);
    }
    if (own.length && plan.data !== "mnist") {
      // A few of them among thousands need weight to be heard.
      const times = Math.max(1, Math.round((0.05 * train.samples) / own.length));
      const x = new Float32Array(own.length * times * 784);
      const y = new Int32Array(own.length * times);
      for (let i = 0; i < y.length; i++) {
        x.set(own[i % own.length]!.x, i * 784);
        y[i] = own[i % own.length]!.label;
      }
      await train.append(x, y);
    }
    return { train, test };
  }

  /** The model that learns; it answers the pad from now on. */
  private async model(runtime: Runtime): Promise<LayersModel> {
    const { app, plan } = this;
    let model: LayersModel;
    if (plan.start === "current" && app.net?.model && !app.net.fixed) {
      model = app.net.model;
      delete app.net.program; // its weights are about to change
      app.net.origin = "trained";
      app.net.note = "learning in this tab, from the weights it had";
    } else {
      model = await build(runtime, plan);
      const net: Net = { model, title: planTitle(plan), note: "learning in this tab, from scratch", input: inputOf(model.inputs[0]!.shape), classes: 10, origin: "trained" };
      app.use(net);
    }
    model.compile({
      optimizer: { name: plan.optimizer, learningRate: plan.learningRate },
      loss: { name: "sparseCategoricalCrossentropy", fromLogits: true },
      metrics: ["accuracy", "confusionMatrix"],
      schedule: "cosine",
    });
    return model;
  }

  private async prepareTest(runtime: Runtime, test: Dataset, model: LayersModel): Promise<void> {
    const { x, y } = await test.get(0, Math.min(quickTest, test.samples));
    const tensor = runtime.tensor(x, { shape: [y.length, ...model.inputs[0]!.shape.slice(1)] });
    this.owned.push(tensor);
    this.quick = { x, y, tensor };
  }

  private batch(e: Extract<TrainEvent, { kind: "batch" }>): void {
    this.step = e.step;
    this.epoch = e.epoch;
    this.images += e.size;
    this.lastLoss = e.loss;
    this.lastRate = e.lr;
    this.loss.push(e.step, e.loss);
    // The log is the mean of the epoch so far; the curve shows the batch's own part of it.
    if (e.batch === 0) this.soFar = { right: 0, images: 0 };
    const right = (e.logs["accuracy"] ?? NaN) * (this.soFar.images + e.size);
    this.accuracy.push(e.step, Math.min(1, Math.max(0, (right - this.soFar.right) / e.size)));
    this.soFar = { right, images: this.soFar.images + e.size };
    const now = performance.now() - this.waiting;
    const last = this.marks[this.marks.length - 1];
    if (!last || now - last.at > 200) {
      this.marks.push({ at: now, images: this.images, step: this.step });
      while (this.marks.length > 2 && now - this.marks[0]!.at > 4000) this.marks.shift();
      const first = this.marks[0]!;
      if (now > first.at) this.imagesPerSecond = (1000 * (this.images - first.images)) / (now - first.at);
      this.app.live.wake();
      this.app.changed();
    }
  }

  /** Measures the weights of the moment on some test images, or on all. */
  private async check(model: LayersModel, all?: Dataset): Promise<void> {
    const { x, y, tensor } = this.quick!;
    const start = performance.now();
    const r = all ? await model.evaluate(all, null, { batchSize: 250 }) : await model.evaluate(tensor, y, { batchSize: 250 });
    const wrong = (r.wrong ?? []).slice(0, mostWrong);
    const pictures = all ? await Promise.all(wrong.map(async (w) => (await all.get(w.index, 1)).x)) : wrong.map((w) => x.subarray(w.index * 784, (w.index + 1) * 784));
    const took = performance.now() - start;
    this.waiting += took;
    this.pace = Math.max(checkEvery, took / checkShare);
    this.checked = performance.now();
    this.checks.push({ step: this.step, loss: r.loss, accuracy: r.accuracy ?? NaN, images: all?.samples ?? y.length });
    this.confusion = r.confusion?.matrix;
    this.wrong = wrong.map((w, i) => ({ x: pictures[i]!, label: w.label, predicted: w.predicted }));
    this.app.live.wake();
    this.app.changed();
  }
}

/** Seconds in words. */
export function duration(seconds: number): string {
  const s = Math.max(1, Math.round(seconds));
  return s < 90 ? `${s} s` : s < 5400 ? `${Math.round(s / 60)} min` : `${(s / 3600).toFixed(1)} h`;
}
