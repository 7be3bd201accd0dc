// Trains for the window, in the runtime's worker. The window's Go program takes what has happened whenever it draws a frame, and never waits.
import { init, type Dataset, type LayersModel, type Runtime, type Training } from "@weft-ml/weft";
import files from "weft:window";
import { isIDX } from "../idx.js";

/** What a row of the news says; demo/ebiten/learn has the same list. */
const news = {
  state: 0, // state
  begin: 1, // steps, samples of an epoch
  epoch: 2, // number from 1
  batch: 3, // step, samples, mean loss, accuracy of the epoch so far, learning rate
  test: 4, // step, loss, accuracy
  model: 5, // the bytes of model are another model
  given: 6, // images to learn from, to test with, whether files are being read, how often files were taken or refused
} as const;

/** Numbers in a row: what it says, and up to five more. */
const row = 6;

/** States, as demo/ebiten/learn numbers them. */
const states = { preparing: 1, running: 2, paused: 3, stopped: 4, done: 5, failed: 6 } as const;

/** One run. */
interface Run {
  training?: Training;
  model?: LayersModel;
  pausing: boolean;
  paused: boolean;
  stopped: boolean;
  step: number;
}

/** The trainer that the Go program talks to, one run at a time. */
export class Trainer {
  /** Rows that were not taken yet. */
  waiting = 0;
  /** Why the run failed. */
  error = "";
  /** The latest model, an ONNX file. */
  model: Uint8Array<ArrayBuffer> | undefined;

  /** What the visitor's data is called, "" without; and why the last files were refused, "" where they were not. */
  givenName = "";
  givenError = "";

  private rows: number[] = [];
  private run: Run | undefined;
  private given: { train: Dataset; test: Dataset } | undefined;
  private gone: Dataset[] = [];
  private reading = false;
  private count = 0;

  /** Has the visitor choose files, which come to bring. */
  choose: () => void = () => {};

  /** Called with the runtime once it has started. */
  onstart: (runtime: Runtime) => void = () => {};

  private starting: Promise<Runtime> | undefined;

  private runtime(): Promise<Runtime> {
    this.starting ??= start().then(
      (runtime) => {
        this.onstart(runtime);
        return runtime;
      },
      (err: unknown) => {
        this.starting = undefined; // the next run tries again
        throw err;
      },
    );
    return this.starting;
  }

  /** Reads MNIST's four files, or others of their kind; what was there before stays until that has gone well. */
  async bring(files: File[], folder: string): Promise<void> {
    if (this.reading) return;
    this.reading = true;
    this.givenError = "";
    this.sayGiven();
    try {
      const idx = files.filter((f) => isIDX(f.name));
      if (!idx.length) throw new Error(`${files.map((f) => f.name).join(", ")}: no MNIST files. Drop or choose its four, train-images-idx3-ubyte and so on, all together.`);
      const given = await (await this.runtime()).data.mnist(idx);
      const { train, test } = given;
      for (const set of [train, test]) {
        const [, height, width] = set.shape;
        if (height === 28 && width === 28 && set.classes <= 10) continue;
        train.dispose();
        test.dispose();
        const name = idx.find((f) => (set === train ? /train/i : /t10k|test/i).test(f.name) && /images|idx3/i.test(f.name))!.name;
        throw new Error(`${name}: images of ${height} × ${width} in ${set.classes} classes; LeNet takes 28 × 28 in 10`);
      }
      const old = this.given;
      this.given = given;
      this.givenName = folder || "Your files";
      if (old) this.gone.push(old.train, old.test);
      this.tidy();
    } catch (err) {
      this.givenError = err instanceof Error ? err.message : String(err);
    } finally {
      this.reading = false;
      this.count++;
      this.sayGiven();
    }
  }

  /** Gives data back that was replaced, unless a run may be reading it. */
  private tidy(): void {
    if (!this.run) for (const set of this.gone.splice(0)) set.dispose();
  }

  private sayGiven(): void {
    this.say(news.given, this.given?.train.samples ?? 0, this.given?.test.samples ?? 0, Number(this.reading), this.count);
  }

  /** Begins a run, on the visitor's data or on the built-in digits; false while another is under way. */
  start(learningRate: number, batchSize: number, epochs: number, seed: number, samples: number, testSamples: number, given: boolean): boolean {
    if (this.run || (given && !this.given)) return false;
    const run: Run = { pausing: false, paused: false, stopped: false, step: 0 };
    this.run = run;
    this.error = "";
    this.say(news.state, states.preparing);
    this.train(run, { learningRate, batchSize, epochs, seed, samples, testSamples, given: given ? this.given : undefined })
      .then(
        () => this.say(news.state, run.stopped ? states.stopped : states.done),
        (err: unknown) => {
          this.error = err instanceof Error ? err.message : String(err);
          this.say(news.state, states.failed);
        },
      )
      .finally(() => {
        run.model?.dispose();
        this.run = undefined;
        this.tidy();
      });
    return true;
  }

  /** Halts between two steps; the model of that moment is news. */
  pause(): void {
    const { run } = this;
    if (!run || run.pausing || run.stopped) return;
    run.pausing = true;
    if (run.training) void this.halt(run);
  }

  resume(): void {
    const { run } = this;
    if (!run?.pausing) return;
    run.pausing = false;
    run.training?.resume();
    if (run.paused) this.say(news.state, states.running);
    run.paused = false;
  }

  /** Ends the run after the step that is being computed. */
  stop(): void {
    if (!this.run) return;
    this.run.stopped = true;
    this.run.training?.stop();
  }

  /** What has happened since the last call: rows of float64, little endian. */
  take(): Uint8Array {
    const rows = this.rows;
    this.rows = [];
    this.waiting = 0;
    return new Uint8Array(Float64Array.from(rows).buffer);
  }

  private say(what: number, ...more: number[]): void {
    for (let i = 0; i < row; i++) this.rows.push(i === 0 ? what : (more[i - 1] ?? 0));
    this.waiting++;
  }

  private async train(run: Run, o: { learningRate: number; batchSize: number; epochs: number; seed: number; samples: number; testSamples: number; given: { train: Dataset; test: Dataset } | undefined }): Promise<void> {
    const runtime = await this.runtime();
    const made: Dataset[] = [];
    try {
      const digits = (samples: number, test: boolean) => {
        const set = runtime.data.digits({ seed: o.seed, test, samples });
        made.push(set);
        return set;
      };
      const { train, test } = o.given ?? { train: digits(o.samples, false), test: digits(o.testSamples, true) };
      await Promise.all([train.ready(), test.ready()]);
      const model = (run.model = await runtime.models.lenet({ seed: o.seed }).ready());
      model.compile({
        optimizer: { name: "adam", learningRate: o.learningRate },
        loss: { name: "sparseCategoricalCrossentropy", fromLogits: true },
        metrics: ["accuracy"],
        schedule: "cosine",
      });
      if (run.stopped) return;
      const training = model.train(train, null, { epochs: o.epochs, batchSize: o.batchSize, shuffle: true, seed: o.seed, validationData: test, yieldEvery: 12 });
      run.training = training;
      if (run.pausing) void this.halt(run);
      else this.say(news.state, states.running);
      for await (const e of training) {
        switch (e.kind) {
          case "begin":
            this.say(news.begin, e.steps, e.samples);
            break;
          case "epochBegin":
            this.say(news.epoch, e.epoch + 1);
            break;
          case "batch":
            run.step = e.step;
            this.say(news.batch, e.step, e.size, e.loss, e.logs["accuracy"] ?? NaN, e.lr);
            break;
          case "epoch":
            this.say(news.test, run.step, e.logs.valLoss ?? NaN, e.logs.valAccuracy ?? NaN);
            await this.save(run);
        }
      }
      if (run.stopped) await this.save(run);
    } finally {
      for (const set of made) set.dispose();
    }
  }

  private async halt(run: Run): Promise<void> {
    run.training!.pause();
    try {
      // Steps that were computed before are still on their way, a list of them for each that has been read: a question to the worker comes back behind one.
      const runtime = await this.runtime();
      for (let same = 0, step = run.step; same < 2; step = run.step) {
        await runtime.memory();
        same = run.step === step ? same + 1 : 0;
      }
      await this.save(run);
    } catch {
      return; // the run has ended, and says why
    }
    if (!run.pausing || run.stopped || this.run !== run) return;
    run.paused = true;
    this.say(news.state, states.paused);
  }

  private async save({ model }: Run): Promise<void> {
    this.model = await model!.save();
    this.say(news.model);
  }
}

/** Starts the runtime in its worker, once. */
function start(): Promise<Runtime> {
  return init({
    worker: true,
    baseURL: new URL(".", import.meta.url),
    files: files.runtime,
    // One processor is the window's, as natively.
    threads: Math.max(1, Math.min(4, (navigator.hardwareConcurrency || 1) - 1)),
  });
}
