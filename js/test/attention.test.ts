// Attention, as an operator and in models that learn.
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { init, type Runtime, type Tensor } from "../src/node.js";

let weft: Runtime;
before(async () => {
  weft = await init({ baseURL: new URL("../../dist/", import.meta.url), seed: 1 });
});
after(() => weft.close());

const random = (n: number, seed: number) => Float32Array.from({ length: n }, (_, i) => Math.sin(i * 12.9898 + seed * 78.233));

const near = (got: ArrayLike<number | bigint>, want: ArrayLike<number | bigint>) => {
  assert.equal(got.length, want.length);
  for (let i = 0; i < want.length; i++) assert.ok(Math.abs(Number(got[i]) - Number(want[i])) < 1e-5, `[${i}] is ${got[i]}, not ${want[i]}`);
};

test("attention is softmax(q k^T / sqrt(d)) v, and so are its gradients", async () => {
  const [q, k, v] = [70, 80, 80].map((s, i) => weft.tensor(random(2 * 3 * s * 8, i), [2, 3, s, 8])) as [Tensor, Tensor, Tensor];
  const fused = (a: Tensor, b: Tensor, c: Tensor) => weft.attention(a, b, c);
  const plain = (a: Tensor, b: Tensor, c: Tensor) => weft.matMul(weft.softmax(weft.matMul(a, b, { transposeB: true }).mul(1 / Math.sqrt(8))), c);
  near(await fused(q, k, v).data(), await plain(q, k, v).data());
  const grads = (f: typeof fused) => weft.grad((a, b, c) => f(a!, b!, c!).square().sum(), { argnums: [0, 1, 2] })(q, k, v);
  const [got, want] = [grads(fused), grads(plain)];
  for (let i = 0; i < 3; i++) near(await got[i]!.data(), await want[i]!.data());
});

test("attention takes masks, heads side by side, and is causal", async () => {
  const x = weft.tensor(random(2 * 5 * 12, 3), [2, 5, 12]);
  const causal = weft.attention(x, x, x, { numHeads: 3, causal: true });
  assert.deepEqual((await causal.ready()).shape, [2, 5, 12]);
  const lower = weft.tensor(Array.from({ length: 5 }, (_, i) => Array.from({ length: 5 }, (_, j) => j <= i)));
  near(await weft.attention(x, x, x, { numHeads: 3, mask: lower }).data(), await causal.data());
  // Queries, keys and values in one tensor.
  const qkv = weft.concat([x, x, x], 2);
  near(await weft.selfAttention(qkv, { numHeads: 3, causal: true }).data(), await causal.data());
  // The first query sees itself alone.
  const first = (await causal.slice([0, 0, 0], [2, 1, 12]).data()) as Float32Array;
  near(first, (await x.slice([0, 0, 0], [2, 1, 12]).data()) as Float32Array);
});

test("a transformer learns which of two marks comes first", async () => {
  const { layers } = weft;
  const T = 8;
  const tokens = weft.input({ shape: [T], name: "tokens" });
  const e = layers.embedding({ inputDim: 4, outputDim: 16 }).apply(tokens);
  const x = layers.add().apply([e, layers.positionEmbedding().apply(e)]);
  const a = layers.multiHeadAttention({ numHeads: 2, keyDim: 8 }).apply([x, x]);
  const h = layers.layerNormalization().apply(layers.add().apply([x, a]));
  const f = layers.dense({ units: 16 }).apply(layers.dense({ units: 32, activation: "gelu" }).apply(h));
  const out = layers.dense({ units: 2 }).apply(layers.globalAveragePooling1d().apply(layers.rmsNormalization().apply(layers.add().apply([h, f]))));
  const model = weft.model({ inputs: [tokens], outputs: [out] });
  model.compile({ optimizer: weft.optimizers.adam({ learningRate: 0.01 }), loss: weft.losses.sparseCategoricalCrossentropy({ fromLogits: true }), metrics: ["accuracy"] });
  const n = 256;
  const xs = new Int32Array(n * T);
  const ys = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const p = (i * 5) % T;
    const q = (p + 1 + ((i * 3) % (T - 1))) % T;
    xs[i * T + p] = 1;
    xs[i * T + q] = 2;
    ys[i] = p < q ? 0 : 1;
  }
  const { history } = await model.fit(weft.tensor(xs, [n, T]), weft.tensor(ys, [n]), { epochs: 20, batchSize: 32, verbose: 0 } as never);
  const acc = history["accuracy"]!;
  assert.ok(acc[acc.length - 1]! > 0.97, `accuracy ${acc[acc.length - 1]}`);
  model.dispose();
});
