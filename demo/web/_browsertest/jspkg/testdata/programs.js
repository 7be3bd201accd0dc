// Programs that the tests run in a page; each returns what JSON can hold.
import { init, isolate, WeftError } from "/weft/index.js";

const lenet = (weft) => {
  const { layers } = weft;
  const model = weft.sequential([
    layers.conv2d({ filters: 6, kernelSize: 5, activation: "relu", inputShape: [28, 28, 1] }),
    layers.maxPooling2d({ poolSize: 2 }),
    layers.conv2d({ filters: 16, kernelSize: 5, activation: "relu" }),
    layers.maxPooling2d({ poolSize: 2 }),
    layers.flatten(),
    layers.dense({ units: 120, activation: "relu" }),
    layers.dense({ units: 10 }),
  ]);
  model.compile({ optimizer: "adam", loss: weft.losses.sparseCategoricalCrossentropy({ fromLogits: true }), metrics: ["accuracy"] });
  return model;
};

/** What runs in this browser. */
export async function report(options) {
  const weft = await init(options);
  const x = weft.tensor([[1, 2], [3, 4]]);
  const product = await x.matMul(x).array();
  const result = { ...weft.report(), product };
  await weft.close();
  return result;
}

/** Tasks of the page's thread over 50 ms. */
function longTasks() {
  const tasks = [];
  const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((e) => Math.round(e.duration))));
  observer.observe({ type: "longtask", buffered: false });
  return async () => {
    await new Promise((resolve) => setTimeout(resolve, 200));
    observer.disconnect();
    return tasks;
  };
}

/** Memory after collections. The collector's own memory is in place after some, which without this measurement run seldom. */
async function collected(weft) {
  for (let i = 0; i < 10; i++) await weft.memory({ gc: true });
  return weft.memory({ gc: true });
}

/** Trains for 10,000 steps and looks at memory at steps 1,000 and 10,000, and at the page's thread all the while. */
export async function flat() {
  const weft = await init({ seed: 1 });
  const model = lenet(weft);
  const data = weft.data.digits({ seed: 1, samples: 8000 });
  await data.ready();
  const ended = longTasks();
  const at = [];
  let steps = 0;
  const run = model.train(data, null, { epochs: 11, batchSize: 8, seed: 1 });
  for await (const event of run) {
    if (event.kind === "batch") steps++;
    if (event.kind !== "epoch" || (event.epoch !== 0 && event.epoch !== 9)) continue;
    run.pause();
    await new Promise((resolve) => setTimeout(resolve, 100));
    at.push({ step: (event.epoch + 1) * 1000, ...(await collected(weft)) });
    run.resume();
    if (event.epoch === 9) run.stop();
  }
  const tasks = await ended();
  await weft.close();
  return { at, steps, longTasks: tasks };
}

/** Trains with predictions in between, as a pad that is drawn on while the model learns. */
export async function interleaved() {
  const weft = await init({ seed: 1 });
  const model = lenet(weft);
  const data = weft.data.digits({ seed: 1, samples: 6400 });
  const { x } = await weft.data.digits({ seed: 1, samples: 10, test: true }).get(0, 1);
  await model.predictArray(x);
  const ended = longTasks();
  let over = false;
  const fit = model.fit(data, null, { epochs: 1, yieldEvery: 16 }).then((r) => ((over = true), r));
  const waits = [];
  const answers = new Set();
  while (!over) {
    const start = performance.now();
    const y = await model.predictArray(x);
    waits.push(performance.now() - start);
    answers.add(y.join());
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
  const { history } = await fit;
  waits.sort((a, b) => a - b);
  const result = { predictions: waits.length, different: answers.size, median: waits[waits.length >> 1], longTasks: await ended(), loss: history.loss };
  await weft.close();
  return result;
}

const code = async (act) => {
  try {
    await act();
    return "none";
  } catch (err) {
    return err instanceof WeftError ? `${err.code}: ${err.message}` : `${err?.constructor?.name}: ${err?.message ?? err}`;
  }
};

/** Things that go wrong, and a proof that the runtime lives on after each. */
export async function mistakes(options) {
  const weft = await init(options);
  const model = lenet(weft);
  const n = 64;
  const x = new Float32Array(n * 784);
  const y = Int32Array.from({ length: n }, (_, i) => i % 10);
  const results = {};
  const attempt = async (name, act) => {
    results[name] = await code(act);
    const [four] = await weft.tensor([2]).square().data();
    if (four !== 4) results[name] += "; the runtime is broken";
  };
  await attempt("shapes", () => weft.matMul(weft.ones([2, 3]), weft.ones([4, 5])).data());
  await attempt("late shapes", () => weft.op("MatMul", [weft.ones([2, 3]), weft.ones([4, 5])]).data());
  await attempt("operator", () => weft.op("Nonsense", [weft.ones([1])]).data());
  await attempt("sample", () => model.predict(new Float32Array(785)));
  await attempt("samples", () => model.fit(x, y.subarray(1), { epochs: 1 }));
  await attempt("label", () => model.fit(x, y.map((v, i) => (i === 7 ? 10 : v)), { epochs: 1 }));
  await attempt("negative label", () => model.fit(x, y.map((v, i) => (i === 7 ? -1 : v)), { epochs: 1 }));
  await attempt("nan", () => model.fit(x.map(() => NaN), y, { epochs: 1 }));
  await attempt("no labels", () => model.fit(x));
  await attempt("layer", () => weft.sequential([weft.layers.dense({ units: -1, inputShape: [4] })]).ready());
  await attempt("kind", () => weft.sequential([weft.layers.conv2d({ filters: 1, kernelSize: 9, inputShape: [4, 4, 1] })]).ready());
  await attempt("loss", () => {
    const bad = lenet(weft);
    bad.compile({ optimizer: "adam", loss: "nonsense" });
    return bad.fit(x, y);
  });
  await attempt("optimizer", () => {
    const bad = lenet(weft);
    bad.compile({ optimizer: "nonsense", loss: "meanSquaredError" });
    return bad.fit(x, y);
  });
  await attempt("empty file", () => weft.load(new Uint8Array(0)));
  await attempt("corrupt file", () => weft.load(Uint8Array.from({ length: 1000 }, (_, i) => (i * 37) & 255)));
  const file = await model.save();
  await attempt("cut file", () => weft.load(file.subarray(0, file.length >> 1)));
  await attempt("corrupt idx", () => weft.data.idx({ images: new Uint8Array(100), labels: new Uint8Array(9) }));
  await attempt("corrupt gzip", () => weft.data.idx({ images: new Uint8Array([0x1f, 0x8b, 8, 0, 1, 2, 3]), labels: new Uint8Array(9) }));
  await attempt("disposed", async () => {
    const t = weft.ones([1]);
    t.dispose();
    t.dispose();
    await t.data();
  });
  await attempt("disposed model", async () => {
    const m = lenet(weft);
    m.dispose();
    await m.predict(x);
  });
  await attempt("abort", () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(new RangeError("enough")), 30);
    return model.fit(weft.data.digits({ samples: 64000 }), null, { signal: stop.signal });
  });
  await attempt("aborted", () => model.evaluate(x, y, { signal: AbortSignal.abort(new RangeError("before")) }));
  await attempt("callback", () =>
    model.fit(x, y, {
      callbacks: {
        onBatchEnd() {
          throw new RangeError("mine");
        },
      },
    }),
  );
  await attempt("option", () => init({ ...options, threads: 0 }));
  await attempt("base", () => init({ ...options, baseURL: "/nowhere/" }));
  const predicted = await model.predict(x.subarray(0, 784));
  results.alive = String(predicted.shape);
  await weft.close();
  await weft.close();
  results.closed = await code(() => model.predict(x));
  results.again = String((await (await init(options)).tensor([1]).data())[0]);
  await (await init(options)).close();
  return results;
}

/** A budget that is reached. */
export async function budget() {
  const weft = await init({ memoryBudget: 32 << 20 });
  const results = { tensor: await code(() => weft.zeros([16 << 20]).data()) };
  results.model = await code(() => weft.sequential([weft.layers.dense({ units: 10000, inputShape: [10000] })]).ready());
  results.alive = String((await weft.tensor([2]).square().data())[0]);
  await weft.close();
  return results;
}

/** A worker that is killed in the middle of a training. */
export async function killed() {
  const workers = [];
  const Real = globalThis.Worker;
  globalThis.Worker = class extends Real {
    constructor(...args) {
      super(...args);
      workers.push(this);
    }
  };
  const weft = await init({ seed: 9 });
  const model = lenet(weft);
  const fit = code(() => model.fit(weft.data.digits({ samples: 64000 }), null, { epochs: 100 }));
  await new Promise((resolve) => setTimeout(resolve, 300));
  workers[0].terminate();
  const results = { fit: await fit, later: await code(() => model.predict(new Float32Array(784))) };
  const next = await init({ seed: 9 }); // without close(): the dead one is not handed out again
  await weft.close();
  results.again = String((await next.tensor([3]).square().data())[0]);
  await next.close();
  globalThis.Worker = Real;
  return results;
}

const digest = async (bytes) => Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)), (b) => b.toString(16).padStart(2, "0")).join("");

/** Trains for some steps with a checkpoint; the page may be left at any time. With `files` off, in IndexedDB. */
export async function checkpointed({ name, epochs, resume, stopAt, files = true }) {
  if (!files) delete FileSystemFileHandle.prototype.createWritable;
  const weft = await init({ seed: 4 });
  const model = lenet(weft);
  const data = weft.data.digits({ seed: 4, samples: 960 });
  const losses = [];
  let begun = -1;
  const run = model.train(data, null, { epochs, seed: 4, checkpoint: name ? { name, everySteps: 10, resume } : undefined });
  for await (const event of run) {
    if (event.kind === "begin") begun = event.step;
    if (event.kind === "batch") losses.push([event.step, event.loss]);
    if (stopAt && event.kind === "checkpoint" && event.step >= stopAt) return { begun, losses, kept: event.step }; // as if the tab were closed here
  }
  const weights = await model.save({ format: "safetensors" });
  const result = { begun, losses, digest: await digest(weights) };
  await weft.close();
  return result;
}

/** Trains under a name that another tab trains under. */
export async function contended(name) {
  const weft = await init();
  const hold = lenet(weft).train(weft.data.digits({ samples: 64000 }), null, { epochs: 1, checkpoint: { name, everySteps: 1000 } });
  const events = hold[Symbol.asyncIterator]();
  await events.next();
  const second = await code(() => lenet(weft).fit(weft.data.digits({ samples: 64 }), null, { checkpoint: { name } }));
  const save = await code(() => weft.checkpoints.save(name, new Uint8Array(3)));
  await events.return();
  const free = await code(() => weft.checkpoints.save(name, new Uint8Array(3)));
  const listed = (await weft.checkpoints.list()).includes(name);
  const size = (await weft.checkpoints.load(name)).length;
  await weft.checkpoints.remove(name);
  const gone = await weft.checkpoints.load(name);
  await weft.close();
  return { second, save, free, listed, size, gone: gone === undefined };
}

/** Isolation through the service worker. */
export async function isolated() {
  return { answer: await isolate(), isolated: crossOriginIsolated };
}

/** Pictures of every kind. */
export async function pictures() {
  const weft = await init();
  const canvas = new OffscreenCanvas(4, 2);
  const context = canvas.getContext("2d");
  context.fillStyle = "#ff0000";
  context.fillRect(0, 0, 2, 2);
  const image = context.getImageData(0, 0, 4, 2);
  const bitmap = await createImageBitmap(canvas);
  const results = {};
  for (const [name, source] of Object.entries({ canvas, image, bitmap })) {
    const t = weft.fromPixels(source, { channels: 3 });
    results[name] = { shape: t.shape, sum: await t.cast("float32").sum().item() };
  }
  results.scaled = weft.fromPixels(image, { channels: 1, size: [28, 28], normalize: true }).shape;
  await weft.close();
  return results;
}

/** The losses of the first 100 steps of "weft train lenet --seed 1". */
export async function curve() {
  const weft = await init();
  const model = weft.models.lenet({ seed: 1 });
  model.compile({ optimizer: "adam", loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
  const losses = [];
  for await (const event of model.train(weft.data.digits({ seed: 1, samples: 60000 }), null, { epochs: 5, batchSize: 32, seed: 1 })) {
    if (event.kind === "batch" && losses.push(event.loss) === 100) break;
  }
  const { numerics } = weft.report();
  await weft.close();
  return { numerics, losses };
}
