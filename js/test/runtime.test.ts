// The package with its Go half, in Node.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test, { after, before } from "node:test";
import { init, type InitOptions, type LayersModel, type Runtime, type Tensor } from "../src/node.js";

const dist = new URL("../../dist/", import.meta.url);
const options: InitOptions = { baseURL: dist, seed: 1 };
let weft: Runtime;
before(async () => {
  weft = await init(options);
});
after(() => weft.close());

const close = (got: ArrayLike<number | bigint>, want: ArrayLike<number>, eps = 1e-5) => {
  assert.equal(got.length, want.length);
  for (let i = 0; i < want.length; i++) assert.ok(Math.abs(Number(got[i]) - want[i]!) <= eps * (1 + Math.abs(want[i]!)), `[${i}] is ${got[i]}, not ${want[i]}`);
};

test("Node runs the simd128 kernels", () => {
  const r = weft.report();
  assert.equal(r.kernels, "simd128");
  assert.equal(r.numerics, "muladd");
  assert.equal(r.worker, false);
  assert.deepEqual(r.reasons, ["simd128: this WebAssembly has no relaxed SIMD"]);
});

test("operations", async () => {
  const x = weft.tensor([[1, -2, 3], [-4, 5, -6]]);
  const cases: [string, Tensor, unknown][] = [
    ["add", x.add(1), [[2, -1, 4], [-3, 6, -5]]], ["sub", weft.sub(1, x), [[0, 3, -2], [5, -4, 7]]], ["mul", x.mul([1, 10, 100]), [[1, -20, 300], [-4, 50, -600]]],
    ["relu", x.relu(), [[1, 0, 3], [0, 5, 0]]], ["leakyRelu", x.leakyRelu(0.5), [[1, -1, 3], [-2, 5, -3]]], ["sum", x.sum(), -3], ["sum 0", x.sum(0), [-3, 3, -3]],
    ["mean", x.mean([1], true), [[2 / 3], [-5 / 3]]], ["max", x.max(1), [3, 5]], ["min", x.min(), -6], ["argMax", x.argMax(1), [2n, 1n]], ["reshape", x.reshape([3, -1]), [[1, -2], [3, -4], [5, -6]]],
    ["transpose", x.transpose(), [[1, -4], [-2, 5], [3, -6]]], ["slice", x.slice([0, 1], [2, 1]), [[-2], [5]]], ["concat", weft.concat([x, x], 1), [[1, -2, 3, 1, -2, 3], [-4, 5, -6, -4, 5, -6]]],
    ["stack", weft.stack([weft.tensor([1, 2]), weft.tensor([3, 4])]), [[1, 2], [3, 4]]], ["gather", x.gather([2, 0], 1), [[3, 1], [-6, -4]]], ["where", weft.where(x.greater(0), x, 0), [[1, 0, 3], [0, 5, 0]]],
    ["clip", x.clipByValue(-1, 2), [[1, -1, 2], [-1, 2, -1]]], ["cast", x.cast("int32").add(1), [[2, -1, 4], [-3, 6, -5]]], ["tile", weft.tile([[1, 2]], [2, 1]), [[1, 2], [1, 2]]],
    ["pad", weft.pad([1], [[1, 2]], 7), [7, 1, 7, 7]], ["oneHot", weft.oneHot([2, 0], 3), [[0, 0, 1], [1, 0, 0]]], ["equal", weft.equal([1, 2], [1, 3]), [true, false]],
    ["expandDims", weft.expandDims([1, 2], 1), [[1], [2]]], ["squeeze", weft.squeeze([[1, 2]]), [1, 2]], ["matMul t", weft.matMul([[1, 2]], [[3, 4]], { transposeB: true }), [[11]]],
    ["matMul tA", weft.matMul([[1], [2]], [[3], [4]], { transposeA: true }), [[11]]], ["eye", weft.eye(2), [[1, 0], [0, 1]]], ["arange", weft.arange(1, 7, 2), [1, 3, 5]], ["linspace", weft.linspace(0, 1, 3), [0, 0.5, 1]],
    ["onnx", weft.onnx.gemm([[1, 2]], [[3], [4]], [[1]], { alpha: 2 }), [[23]]], ["maxPool2d", weft.maxPool2d(weft.arange(16).reshape([1, 4, 4, 1]), 2), [[[[5], [7]], [[13], [15]]]]],
    ["split", weft.split([1, 2, 3], [1, 2])[1]!, [2, 3]],
  ];
  for (const [name, t, want] of cases) {
    const got = await t.array();
    const flat = (v: unknown): any[] => (Array.isArray(v) ? v.flatMap(flat) : [v]);
    if (typeof flat(want)[0] === "number") {
      close(flat(got), flat(want));
      assert.deepEqual(JSON.stringify(got).replace(/[^[\],]/g, ""), JSON.stringify(want).replace(/[^[\],]/g, ""), `${name}: shape`);
    } else assert.deepEqual(got, want, name);
  }
});

test("conv2d takes channels last, as Keras", async () => {
  const x = weft.arange(18).reshape([1, 3, 3, 2]);
  const w = weft.ones([2, 2, 2, 1]);
  const y = await weft.conv2d(x, w).ready();
  assert.deepEqual(y.shape, [1, 2, 2, 1]);
  close(await y.data(), [36 + 0, 52, 84, 100]);
  assert.deepEqual((await weft.conv2d(x, w, { padding: "same", strides: 2 }).ready()).shape, [1, 2, 2, 1]);
});

test("shapes are known at once where they can be", () => {
  const x = weft.ones([4, 3]);
  assert.deepEqual(x.matMul(weft.ones([3, 2])).relu().sum(1, true).shape, [4, 1]);
  assert.throws(() => weft.concat([x, x]).shape, { code: "state" });
});

test("gradients", async () => {
  const [dx] = weft.grad((x) => x!.square().sum())(weft.tensor([1, 2, 3]));
  close(await dx!.data(), [2, 4, 6]);
  const { value, grads } = weft.valueAndGrad((a, b) => a!.mul(b!).sum(), { argnums: [1] })(weft.tensor([1, 2]), weft.tensor([3, 4]));
  assert.equal(await value.item(), 11);
  close(await grads[0]!.data(), [1, 2]);
  // A gradient of a gradient.
  const second = weft.grad((x) => weft.grad((z) => z!.pow(3).sum())(x!)[0]!.sum());
  close(await second(weft.tensor([1, 2]))[0]!.data(), [6, 12]);
  const w = weft.variable([2], { name: "w" });
  const byVariable = weft.valueAndGrad((x) => x!.mul(w).sum(), { variables: [w] })(weft.tensor([5]));
  close(await byVariable.grads[0]!.data(), [5]);
  // Through a compiled function.
  const cube = weft.compile((x: Tensor) => x.pow(3).sum());
  close(await weft.grad((x) => cube(x!))(weft.tensor([2]))[0]!.data(), [12]);
  await assert.rejects(async () => weft.grad((async () => weft.ones([1])) as never)(weft.ones([1])), /must not be async/);
});

test("compiled functions", async () => {
  let recorded = 0;
  const f = weft.compile((x: Tensor, y: Tensor, power: number) => {
    recorded++;
    return { sum: x.add(y).pow(power), product: x.mul(y) };
  });
  for (let i = 0; i < 3; i++) {
    const { sum, product } = f(weft.tensor([1, 2]), weft.tensor([3, 4]), 2);
    close(await sum.data(), [16, 36]);
    close(await product.data(), [3, 8]);
  }
  assert.equal(recorded, 1);
  close(await f(weft.tensor([1]), weft.tensor([1]), 3).sum.data(), [8]);
  assert.equal(recorded, 2);
  const captured = weft.tensor([10]);
  const g = weft.compile((x: Tensor) => x.add(captured));
  close(await g(weft.tensor([1])).data(), [11]);
  assert.throws(() => weft.compile((x: Tensor) => (void x.data().catch(() => {}), weft.ones([1])))(captured), /did not compute/);
});

test("calls that come again give what first ones give", async () => {
  const before = await weft.memory();
  const f = weft.compile((x: Tensor, k: number) => x.mul(k).add(1));
  const x = weft.tensor([1, 2, 3]);
  const wide = weft.tensor([[1, 2, 3, 4]]);
  for (let i = 0; i < 6; i++) {
    const y = f(x, 2);
    assert.deepEqual(await y.array(), [3, 5, 7]);
    assert.deepEqual(y.shape, [3]);
    const other = i % 2 ? f(wide, 3) : f(x, i);
    assert.deepEqual(await other.array(), i % 2 ? [[4, 7, 10, 13]] : [1 + i, 1 + 2 * i, 1 + 3 * i]);
    y.dispose();
    other.dispose();
  }
  // An index that is not there is an error of that run alone.
  const pick = weft.compile((t: Tensor, at: Tensor) => weft.gather(t, at));
  const at = [0, 2, 7, 1].map((i) => weft.tensor(Int32Array.of(i), [1]));
  const picked = at.map((i) => pick(x, i));
  assert.deepEqual(await picked[0]!.array(), [1]);
  assert.deepEqual(await pick(x, at[1]!).array(), [3]);
  for (let i = 0; i < 3; i++) await assert.rejects(pick(x, at[2]!).ready(), /axis of size 3/);
  assert.deepEqual(await pick(x, at[3]!).array(), [2]);
  await assert.rejects(picked[2]!.ready(), /axis of size 3/);
  // Variables change between runs; tensors that are given back are told.
  const w = weft.variable(weft.tensor([1, 1, 1]));
  const g = weft.compile((t: Tensor) => t.mul(w));
  for (let i = 1; i < 5; i++) {
    w.assign(weft.tensor([i, i, 2]));
    const y = g(x);
    assert.deepEqual(await y.array(), [i, 2 * i, 6]);
  }
  const gone = weft.tensor([1, 2, 3]);
  const h = weft.compile((t: Tensor) => t.add(gone));
  for (let i = 0; i < 3; i++) await h(x).ready();
  gone.dispose();
  assert.throws(() => h(x), /disposed/);
  x.dispose();
  assert.throws(() => f(x, 2), /disposed/);

  const model = weft.sequential([weft.layers.dense({ units: 3, inputShape: [4], activation: "tanh" }), weft.layers.dense({ units: 2 })]);
  await model.ready();
  const rows = Float32Array.from({ length: 12 }, (_, i) => i / 7 - 0.5);
  const want = await model.predict(weft.tensor(rows, [3, 4]));
  const values = await want.data();
  for (let i = 0; i < 3; i++) {
    assert.deepEqual(await model.predictArray(rows), values);
    assert.deepEqual(await model.predictArray(rows.slice(0, 4)), values.slice(0, 2));
    assert.deepEqual(await model.predictArray(rows, { batchSize: 2 }), values);
    await assert.rejects(model.predictArray(rows.slice(1)), /no samples/);
    await assert.rejects(model.predictArray(Float32Array.of(1, 2, NaN, 3)), /element 2 of sample 0 is NaN/);
  }
  const after = await weft.scope(async () => weft.memory({ gc: true }));
  assert.ok(after.handles - before.handles < 40, `${after.handles - before.handles} handles more`);
});

test("a call made again is the same call", async () => {
  const results = async (worker: boolean) => {
    const own = await init({ ...options, worker, set: "full" });
    const got: unknown[] = [];
    const [a, b] = [own.tensor([[1, 2], [3, 4]]), own.tensor([[0.5, 0], [-1, 2]])];
    const f = own.compile((x: Tensor, y: Tensor) => [own.matMul(x, y), x.sub(y)] as const);
    const noise = own.compile((x: Tensor) => own.op("RandomNormalLike", [x]));
    const model = own.sequential([own.layers.dense({ units: 3, inputShape: [2] })]);
    await model.ready();
    const call = async (x: Tensor, y: Tensor) => {
      const r = f(x, y);
      for (const t of r) got.push(await t.array());
      return r;
    };
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 5; i++) for (const t of await call(a, b)) t.dispose(); // the same again
      const z = noise(a); // random numbers go on as if all those had been calls
      got.push(await z.array());
      z.dispose();
      for (const t of await call(b, a)) t.dispose(); // other inputs
      const kept = await call(a, b); // the results stay
      for (const t of await call(a, b)) t.dispose();
      for (const t of kept) got.push(await t.array());
      for (const t of [...kept].reverse()) t.dispose();
      for (let i = 0; i < 4; i++) got.push(await model.predictArray(Float32Array.of(i, round, 1, -i)));
      await assert.rejects(model.predictArray(Float32Array.of(1, Infinity, 0, 0)), /element 1 of sample 0/);
      got.push(await model.predictArray(Float32Array.of(1, round)));
    }
    await own.close();
    return got;
  };
  assert.deepEqual(await results(false), await results(true));
});

test("profiles", async () => {
  const model = weft.sequential([weft.layers.dense({ units: 64, inputShape: [32], activation: "relu" }), weft.layers.dense({ units: 8 })]);
  const x = new Float32Array(16 * 32).fill(0.25);
  const profile = await model.profile(x, { runs: 20 });
  assert.equal(profile.runs, 20);
  const products = profile.rows.filter(({ operator }) => operator === "Gemm");
  assert.equal(products.length, 2);
  for (const row of products) {
    assert.equal(row.count, 20);
    assert.ok(row.flops === 2 * 16 * (row.outputs[0]![1] === 64 ? 32 * 64 : 64 * 8), String(row.flops));
    assert.ok(row.bytes > 0 && row.limit! >= 0);
    assert.deepEqual(row.inputs[0], [16, row.outputs[0]![1] === 64 ? 32 : 64]);
  }
  assert.ok(profile.limits!.gflops > 0.01 && profile.limits!.gbs > 0.01);
  assert.ok(profile.rows.every((row, i) => i === 0 || row.ms <= profile.rows[i - 1]!.ms));
  assert.match(String(profile), /GFLOP\/s.*limit[^]*Gemm/);
  const { traceEvents } = JSON.parse(profile.toTrace());
  assert.equal(traceEvents.filter(({ cat }: { cat?: string }) => cat === "program").length, 20);
  // Whatever runs is told, and the work's error comes through.
  const other = await weft.profile(async () => void (await weft.tensor([1, 2, 3]).mul(2).add(1).data()), { limits: false });
  assert.equal(other.limits, undefined);
  assert.equal(other.rows[0]!.operator, "Mul+Add");
  await assert.rejects(weft.profile(() => Promise.reject(new RangeError("mine"))), RangeError);
  await assert.rejects(weft.profile(() => weft.profile(() => {})), /another profile/);
});

test("a training loop of one's own", async () => {
  const w = weft.variable(weft.zeros([2, 1]), { name: "w" });
  const adam = weft.optimizers.adam({ learningRate: 0.1 });
  const step = weft.compile((x: Tensor, y: Tensor) => {
    const loss = x.matMul(w).sub(y).square().mean();
    adam.minimize(loss, [w]);
    return loss;
  });
  const [x, y] = [weft.tensor([[1, 2], [3, 4], [-1, 1]]), weft.tensor([[5], [11], [1]])];
  let loss = 0;
  for (let i = 0; i < 300; i++) {
    const l = step(x, y);
    if (i % 100 === 99) loss = await l.item();
    l.dispose();
  }
  assert.ok(loss < 1e-3, `loss ${loss}`);
  close(await w.data(), [1, 2], 0.05);
  w.assign(w.mul(2));
  close(await w.data(), [2, 4], 0.05);
});

function lenet(runtime = weft): LayersModel {
  const { layers } = runtime;
  const model = runtime.sequential([
    layers.conv2d({ filters: 6, kernelSize: 5, activation: "relu", inputShape: [28, 28, 1] }), layers.maxPooling2d({ poolSize: 2 }), layers.conv2d({ filters: 16, kernelSize: 5, activation: "relu" }),
    layers.maxPooling2d({ poolSize: 2 }), layers.flatten(), layers.dense({ units: 120, activation: "relu" }), layers.dense({ units: 10 }),
  ]);
  model.compile({ optimizer: "adam", loss: runtime.losses.sparseCategoricalCrossentropy({ fromLogits: true }), metrics: ["accuracy"] });
  return model;
}

test("fit, evaluate, predict, save and load", async () => {
  const model = lenet();
  const train = weft.data.digits({ seed: 1, samples: 1280 });
  const seen: string[] = [];
  const { history, params, epoch } = await model.fit(train, null, {
    epochs: 2,
    validationData: weft.data.digits({ seed: 1, samples: 200, test: true }),
    callbacks: {
      onTrainBegin: () => void seen.push("begin"),
      onEpochBegin: (e) => void seen.push(`epoch ${e}`),
      onBatchEnd: (b, logs) => void (b === 39 && seen.push(`batch ${b} ${logs.step} ${logs.steps} ${logs.size} ${logs.lr.toPrecision(1)}`)),
      onEpochEnd: (e, logs) => void seen.push(`end ${e} ${typeof logs.valAccuracy}`),
      onTrainEnd: () => void seen.push("over"),
    },
  });
  assert.deepEqual(seen, ["begin", "epoch 0", "batch 39 40 80 32 0.001", "end 0 number", "epoch 1", "batch 39 80 80 32 0.001", "end 1 number", "over"]);
  assert.deepEqual(epoch, [0, 1]);
  assert.deepEqual(params, { epochs: 2, batchSize: 32, samples: 1280, steps: 80 });
  assert.ok(history.loss[1]! < history.loss[0]! && history.valAccuracy!.length === 2);
  const { x, y } = await weft.data.digits({ seed: 1, samples: 200, test: true }).get(0, 100);
  const result = await model.evaluate(x, y);
  assert.ok(result.loss > 0 && result.accuracy! > 0.3);
  const logits = await model.predictArray(x.subarray(0, 784 * 2));
  assert.equal(logits.length, 20);
  close(await (await model.predict(x.subarray(0, 784 * 2))).data(), logits, 0);
  const file = await model.save();
  const again = await weft.load(file);
  close(await again.predictArray(x.subarray(0, 784 * 2)), logits, 1e-6);
  const other = lenet();
  await other.setWeights(await model.getWeights());
  close(await other.predictArray(x.subarray(0, 784 * 2)), logits, 0);
  const third = lenet();
  await third.loadWeights(await model.save({ format: "safetensors" }));
  close(await third.predictArray(x.subarray(0, 784 * 2)), logits, 0);
  assert.deepEqual((await model.getWeights())[0]!.shape, [5, 5, 1, 6]);
  assert.match(await model.summary(), /Parameters: 34622/);
  const acts = await model.activations(x.subarray(0, 784));
  assert.ok(acts.some((a) => a.kind === "conv2d" && a.shape.join() === "1,6,24,24"));
  assert.equal((await model.saliency(x.subarray(0, 784), 3)).length, 784);
});

test("arrays, tensors and iterables give the same training", async () => {
  const { x, y } = await weft.data.digits({ seed: 2, samples: 96 }).get(0, 96);
  const o = { epochs: 2, batchSize: 32, shuffle: false };
  const a = await lenet().fit(x, y, o);
  const b = await lenet().fit(weft.tensor(x, [96, 28, 28, 1]), weft.tensor(y), o);
  assert.deepEqual(b.history.loss, a.history.loss);
  const batches = {
    async *[Symbol.asyncIterator]() {
      for (let i = 0; i < 96; i += 32) yield { xs: x.subarray(i * 784, (i + 32) * 784), ys: y.subarray(i, i + 32) };
    },
  };
  const c = await lenet().fit(batches, null, o);
  assert.deepEqual(c.history.loss, a.history.loss);
});

test("functional models with several inputs", async () => {
  const { layers } = weft;
  const [a, b] = [weft.input({ shape: [4], name: "a" }), weft.input({ shape: [4], name: "b" })];
  const shared = layers.dense({ units: 8, activation: "relu" });
  const y = layers.dense({ units: 1 }).apply(layers.concatenate().apply([shared.apply(a), shared.apply(b)]));
  const model = await weft.model({ inputs: [a, b], outputs: y, name: "twin" }).ready();
  assert.equal(model.name, "twin");
  assert.deepEqual(model.inputs.map((p) => p.name), ["a", "b"]);
  assert.equal(model.params, 4 * 8 + 8 + 17);
  const out = await model.predict([weft.ones([3, 4]), weft.ones([3, 4])]);
  assert.deepEqual(out.shape, [3, 1]);
  model.compile({ optimizer: weft.optimizers.sgd({ learningRate: 0.01 }), loss: "meanSquaredError" });
  const { history } = await model.fit([weft.ones([8, 4]), weft.zeros([8, 4])], Array<number>(8).fill(2), { epochs: 20, batchSize: 8 });
  assert.ok(history.loss.at(-1)! < history.loss[0]!);
});

test("training runs pause, go on and stop", async () => {
  const run = lenet().train(weft.data.digits({ samples: 64000 }), null, { epochs: 10, yieldEvery: 5 });
  let steps = 0;
  let last = 0;
  for await (const event of run) {
    if (event.kind === "batch") {
      assert.equal(event.step, last + 1);
      last = event.step;
      if (++steps === 10) run.pause(), setTimeout(() => run.resume(), 50);
      if (steps === 20) run.stop();
    }
    if (event.kind === "end") assert.equal(event.stopped, true);
  }
  assert.ok(steps >= 20 && steps < 2000, `${steps} steps`);
});

test("built-in architectures", async () => {
  const model = weft.models.lenet({ seed: 3 });
  await model.ready();
  assert.equal(model.params, 34622);
  assert.deepEqual(model.inputs[0]!.shape.slice(1), [1, 28, 28]);
});

test("the same losses as the command line's", async () => {
  const curve = JSON.parse(await readFile(new URL("../../../models/lenet/testdata/curve.json", import.meta.url), "utf8")) as { [numerics: string]: number[] };
  const model = weft.models.lenet({ seed: 1 });
  model.compile({ optimizer: "adam", loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
  const losses: number[] = [];
  for await (const event of model.train(weft.data.digits({ seed: 1, samples: 60000 }), null, { epochs: 5, batchSize: 32, seed: 1 })) {
    if (event.kind === "batch" && losses.push(event.loss) === 100) break;
  }
  assert.deepEqual(losses.map(Math.fround), curve[weft.report().numerics]!.map(Math.fround));
});

test("scopes free what is made in them", async () => {
  const own = await init({ ...options, seed: 7 });
  const settle = async () => {
    await new Promise((resolve) => setTimeout(resolve, 10));
    return (await own.memory()).tensors;
  };
  const before = await settle();
  const kept = await own.scope(async (s) => {
    const x = s.randomNormal([100, 100], { seed: 1 });
    const y = x.matMul(x).relu();
    await y.data();
    return { mean: y.mean(), deep: [y.sum()] };
  });
  assert.ok(Number.isFinite(await kept.mean.item()));
  assert.equal(await settle(), before + 2);
  kept.mean.dispose();
  kept.deep[0]!.dispose();
  assert.equal(await settle(), before);
  await assert.rejects(
    own.scope((s) => {
      s.ones([10]);
      throw new RangeError("mine");
    }),
    RangeError,
  );
  assert.equal(await settle(), before);
  await own.close();
});

test("seeds", async () => {
  const [a, b, c] = await Promise.all([1, 1, 2].map((seed) => weft.randomNormal([1000], { seed }).data()));
  assert.deepEqual(a, b);
  assert.notDeepEqual(a, c);
  assert.ok(Math.abs((a as Float32Array).reduce((s, v) => s + v, 0) / 1000) < 0.2);
});

test("large tensors travel in slices", async () => {
  const data = Float32Array.from({ length: 3 << 20 }, (_, i) => i % 10);
  const t = weft.tensor(data);
  const sum = t.sum(); // recorded while the slices are on their way
  assert.equal(await sum.item(), data.reduce((a, b) => a + b, 0));
  assert.deepEqual(await t.data(), data);
  t.dispose();
});

test("init is idempotent, per options", async () => {
  assert.equal(await init(options), weft);
  const other = await init({ ...options, seed: 2 });
  assert.notEqual(other, weft);
  await other.close();
  await other.close();
  await assert.rejects(other.tensor([1]).data(), { code: "closed" });
  const third = await init({ ...options, seed: 2 });
  assert.notEqual(third, other);
  await third.close();
  await assert.rejects(init({ ...options, baseURL: new URL("nowhere/", dist) }));
  await assert.rejects(init({ signal: AbortSignal.abort(new RangeError("no")) }), RangeError);
});

test("compiled modules in place of files", async () => {
  const compile = async (name: string) => WebAssembly.compile(new Uint8Array(await readFile(new URL(name, dist))));
  const own = await init({ wasm: { core: compile("weft.wasm"), kernels: await compile("kernels-simd128.wasm") } });
  assert.equal(own.report().kernels, "simd128");
  assert.deepEqual(await own.tensor([2]).square().array(), [4]);
  await own.close();
});

test("the same bits in a worker", async () => {
  const own = await init({ ...options, worker: true });
  assert.equal(own.report().worker, true);
  const losses = async (runtime: Runtime) => (await lenet(runtime).fit(runtime.data.digits({ seed: 5, samples: 320 }), null, { epochs: 1 })).history.loss;
  assert.deepEqual(await losses(own), await losses(weft));
  await own.close();
});

test("the same bits with threads", async () => {
  for (const worker of [false, true]) {
    const own = await init({ ...options, worker, threads: 2 });
    assert.equal(own.report().threads, 2, own.report().reasons.join());
    const losses = async (runtime: Runtime) => (await lenet(runtime).fit(runtime.data.digits({ seed: 6, samples: 320 }), null, { epochs: 1 })).history.loss;
    assert.deepEqual(await losses(own), await losses(weft));
    for (const n of [4, 300]) { // one tile, and several
      const square = own.compile((v: Tensor) => v.matMul(v));
      const x = own.randomNormal([n, n], { seed: 7 });
      const once = await x.matMul(x).data();
      for (let i = 0; i < 5; i++) {
        const y = square(x);
        assert.deepEqual(await y.data(), once);
        y.dispose();
      }
    }
    await own.close();
  }
});

test("the full set has more operators", async () => {
  assert.ok(!weft.operators.includes("Acos"));
  await assert.rejects(weft.onnx.acos([0.5]).data(), (err: Error) => /Acos/.test(err.message));
  const full = await init({ ...options, set: "full" });
  close(await full.onnx.acos([0.5]).data(), [Math.acos(0.5)]);
  await full.close();
});

test("metrics for loops of one's own", async () => {
  const m = await weft.metrics(["accuracy"], [0, 1, 1], new Float32Array([2, 1, 0, 1, 3, 2]));
  close([m["accuracy"]], [2 / 3]);
});
