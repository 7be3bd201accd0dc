// Recurrent operators and layers against PyTorch's, with the numbers of core/nn/testdata/golden_rnn.py.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test, { after, before } from "node:test";
import { init, type Runtime, type Tensor } from "../src/node.js";

const dist = new URL("../../dist/", import.meta.url);
const golden = new URL("../../../core/nn/testdata/rnn.json", import.meta.url);
let weft: Runtime;
before(async () => {
  weft = await init({ baseURL: dist, seed: 1 });
});
after(() => weft.close());

const close = (what: string, got: ArrayLike<number | bigint>, want: ArrayLike<number>, eps: number) => {
  assert.equal(got.length, want.length);
  for (let i = 0; i < want.length; i++) assert.ok(Math.abs(Number(got[i]) - want[i]!) <= eps * (1 + Math.abs(want[i]!)), `${what}[${i}] is ${got[i]}, not ${want[i]}`);
};

/** A tensor of golden_rnn.py. */
function fill(seed: number, scale: number, n: number): Float32Array {
  return Float32Array.from({ length: n }, (_, i) => {
    let x = (i + Math.imul(seed, 0x9e3779b9)) >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0x7feb352d) >>> 0;
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b) >>> 0;
    x = (x ^ (x >>> 16)) >>> 0;
    return ((x >>> 8) / (1 << 24) * 2 - 1) * scale;
  });
}

interface Case {
  kind: "RNN" | "GRU" | "LSTM";
  layers: number;
  both: boolean;
  relu: boolean;
  states: boolean;
  lengths: number[] | null;
  results: { y: number[]; hn: number[] };
  grads: { [name: string]: number[] };
}

const [N, T, D, H] = [3, 5, 2, 4];
// Keras's gates in ONNX's order of them.
const order = { RNN: [0], GRU: [0, 1, 2], LSTM: [0, 2, 3, 1] };

/** A case of one layer: its tensors, in ONNX's layouts. */
function tensors(c: Case, number: number) {
  const [seed, dirs, rows] = [32 * number, c.both ? 2 : 1, order[c.kind].length * H];
  const pairs = fill(seed + 10, 0.8, dirs * rows * 2);
  const b = new Float32Array(pairs.length); // both biases, one after the other
  for (let d = 0; d < dirs; d++) for (let i = 0; i < rows; i++) for (let k = 0; k < 2; k++) b[(d * 2 + k) * rows + i] = pairs[(d * rows + i) * 2 + k]!;
  return { dirs, rows, x: fill(seed, 1.5, N * T * D), w: fill(seed + 8, 0.8, dirs * rows * D), r: fill(seed + 9, 0.8, dirs * rows * H), b };
}

/** [gates * H, cols] of one direction as Keras's kernel [cols, gates * H]. */
function kernel(c: Case, v: Float32Array, cols: number): Float32Array {
  const out = new Float32Array(v.length);
  order[c.kind].forEach((from, to) => {
    for (let j = 0; j < H; j++) for (let k = 0; k < cols; k++) out[k * (v.length / cols) + to * H + j] = v[(from * H + j) * cols + k]!;
  });
  return out;
}

test("recurrent operators and their gradients are PyTorch's", async () => {
  const cases = JSON.parse(await readFile(golden, "utf8")) as Case[];
  let seen = 0;
  for (const [number, c] of cases.entries()) {
    if (c.layers > 1 || c.states || c.relu) continue;
    seen++;
    const t = tensors(c, number);
    const [x, w, r, b] = [weft.tensor(t.x, [N, T, D]), weft.tensor(t.w, [t.dirs, t.rows, D]), weft.tensor(t.r, [t.dirs, t.rows, H]), weft.tensor(t.b, [t.dirs, 2 * t.rows])];
    const outputs = c.kind === "LSTM" ? 3 : 2;
    const run = (x: Tensor, w: Tensor, r: Tensor, b: Tensor) => {
      const attrs = { hidden_size: H, layout: 1, outputs, ...(c.kind === "GRU" && { linear_before_reset: 1 }) };
      return c.kind === "RNN" ? weft.onnx.rnn(x, w, r, b, attrs) : c.kind === "GRU" ? weft.onnx.gru(x, w, r, b, attrs) : weft.onnx.lstm(x, w, r, b, attrs);
    };
    const [y, hn] = run(x, w, r, b) as unknown as Tensor[];
    close(`${c.kind} y`, (await y!.data()) as Float32Array, c.results.y, 1e-6);
    close(`${c.kind} hn`, (await hn!.data()) as Float32Array, c.results.hn, 1e-6);
    const loss = (x: Tensor, w: Tensor, r: Tensor, b: Tensor) =>
      (run(x, w, r, b) as unknown as Tensor[]).map((v, i) => weft.sum(v.mul(weft.tensor(fill(32 * number + 3 + i, 1.5, i ? N * H : N * T * H), i ? [N, 1, H] : [N, T, 1, H])))).reduce((a, b) => a.add(b));
    const grads = weft.grad(loss, { argnums: [0, 1, 2, 3] })(x, w, r, b) as readonly Tensor[];
    for (const [i, name] of ["x", "weight_ih_l0", "weight_hh_l0", "bias_l0"].entries()) close(`${c.kind} gradient of ${name}`, (await grads[i]!.data()) as Float32Array, c.grads[name]!, 5e-6);
  }
  assert.equal(seen, 3);
});

test("recurrent layers with Keras's weights give PyTorch's results", async () => {
  const cases = JSON.parse(await readFile(golden, "utf8")) as Case[];
  for (const [number, c] of cases.entries()) {
    if (c.layers > 1 || c.states || c.relu) continue;
    const t = tensors(c, number);
    const make = { RNN: weft.layers.simpleRNN, GRU: weft.layers.gru, LSTM: weft.layers.lstm }[c.kind];
    const model = weft.sequential([make({ units: H, returnSequences: true, inputShape: [T, D] })]);
    let bias = kernel(c, c.kind === "GRU" ? t.b.subarray(0, t.rows) : t.b.subarray(0, t.rows).map((v, i) => v + t.b[t.rows + i]!), 1);
    if (c.kind === "GRU") bias = Float32Array.from([...bias, ...t.b.subarray(t.rows)]);
    await model.setWeights([kernel(c, t.w, D), kernel(c, t.r, H), bias]);
    close(c.kind, await model.predictArray(t.x), c.results.y, 2e-6);
    const weights = await model.getWeights();
    assert.deepEqual(weights.map((w) => w.shape), [[D, t.rows], [H, t.rows], c.kind === "GRU" ? [2, t.rows] : [t.rows]]);
    model.dispose();
  }
});

test("recurrent models learn: which of two features came last", async () => {
  for (const layer of [weft.layers.lstm({ units: 8, inputShape: [6, 2] }), weft.layers.bidirectional({ layer: weft.layers.gru({ units: 6 }), inputShape: [6, 2] })]) {
    const model = weft.sequential([layer, weft.layers.dense({ units: 2 })]);
    model.compile({ optimizer: weft.optimizers.adam({ learningRate: 0.02 }), loss: weft.losses.sparseCategoricalCrossentropy({ fromLogits: true }), metrics: ["accuracy"] });
    const n = 128;
    const x = new Float32Array(n * 12);
    const y = new Int32Array(n);
    for (let i = 0; i < n; i++)
      for (let s = 0; s < 6; s++) {
        const f = (Math.imul(i * 6 + s + 1, 0x9e3779b9) >>> 20) % 3;
        if (f < 2) {
          x[i * 12 + s * 2 + f] = 1;
          y[i] = f;
        }
      }
    const { history } = await model.fit(weft.tensor(x, [n, 6, 2]), weft.tensor(y, [n]), { epochs: 25, batchSize: 32 });
    assert.ok(history.accuracy!.at(-1)! > 0.95, `accuracy ${history.accuracy!.at(-1)}`);
    model.dispose();
  }
});

test("padding of masked sequences counts for nothing", async () => {
  // The same ids, padded behind, between and in front.
  const rows = [[3, 1, 2, 0, 0, 0], [3, 0, 1, 0, 2, 0], [0, 0, 0, 3, 1, 2]];
  const { layers } = weft;
  for (const layer of [layers.lstm({ units: 4 }), layers.gru({ units: 4, goBackwards: true }), layers.bidirectional({ layer: layers.simpleRNN({ units: 3 }) })]) {
    const model = weft.sequential([layers.embedding({ inputDim: 5, outputDim: 4, inputLength: 6, maskZero: true }), layers.lstm({ units: 4, returnSequences: true }), layer, layers.dense({ units: 2 })]);
    const want = (await model.predictArray(new Int32Array(rows.flat()))) as Float32Array;
    for (let i = 0; i < 3; i++) close(`row ${i}`, want.subarray(2 * i, 2 * i + 2), [...want.subarray(0, 2)], 1e-6);
    // The file has the masks inside.
    const loaded = await weft.load(await model.save());
    close("loaded", (await loaded.predictArray(new Int32Array(rows.flat()))) as Float32Array, [...want], 1e-6);
    loaded.dispose();
    model.dispose();
  }
});

test("a masked tagger learns from the steps that count, and measures them alone", async () => {
  const { layers } = weft;
  const model = weft.sequential([
    layers.embedding({ inputDim: 6, outputDim: 8, inputLength: 5, maskZero: true }), layers.bidirectional({ layer: layers.gru({ units: 8, returnSequences: true }) }), layers.dense({ units: 2, activation: "softmax" }),
  ]);
  model.compile({ optimizer: weft.optimizers.adam({ learningRate: 0.02 }), loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
  const n = 64;
  const x = new Int32Array(n * 5);
  const y = new Int32Array(n * 5);
  for (let i = 0; i < n * 5; i++) {
    const r = Math.imul(i + 1, 0x9e3779b9) >>> 16;
    x[i] = i % 5 < 1 + (Math.floor(i / 5) % 5) ? 1 + (r % 5) : 0;
    y[i] = x[i]! ? x[i]! % 2 : r % 2; // labels of padding are noise
  }
  const { history } = await model.fit(weft.tensor(x, [n, 5]), weft.tensor(y, [n, 5]), { epochs: 20, batchSize: 16 });
  assert.ok(history.accuracy!.at(-1)! > 0.98, `accuracy ${history.accuracy!.at(-1)}`);
  const { accuracy } = (await model.evaluate(weft.tensor(x, [n, 5]), weft.tensor(y, [n, 5]))) as { accuracy: number };
  assert.ok(accuracy > 0.98, `accuracy ${accuracy}`);
  model.dispose();
});
