import assert from "node:assert/strict";
import test from "node:test";
import { functionalSpec, input, layers, sequentialSpec } from "../src/layers.js";

test("layers are named as Keras names them", () => {
  const { layers: list } = sequentialSpec([
    layers.conv2d({ filters: 6, kernelSize: 5, inputShape: [28, 28, 1] }), layers.maxPooling2d({ poolSize: 2 }), layers.conv2d({ filters: 16, kernelSize: 5 }),
    layers.maxPooling2d({ poolSize: 2 }), layers.flatten(), layers.dense({ units: 120 }), layers.dense({ units: 10, name: "logits" }),
  ]);
  assert.deepEqual(list.map((l) => l.name), ["conv2d", "max_pooling2d", "conv2d_1", "max_pooling2d_1", "flatten", "dense", "logits"]);
  assert.deepEqual(list[0]!.config, { filters: 6, kernelSize: 5, inputShape: [28, 28, 1] });
});

test("a given name is not given again", () => {
  const { layers: list } = sequentialSpec([layers.dense({ units: 1, name: "dense" }), layers.dense({ units: 2 })]);
  assert.deepEqual(list.map((l) => l.name), ["dense", "dense_1"]);
});

test("a functional model lists each layer once, with what each call takes", () => {
  const x = input({ shape: [8], name: "x" });
  const shared = layers.dense({ units: 8 });
  const a = shared.apply(x);
  const b = shared.apply(a);
  const y = layers.add().apply([a, b]);
  assert.deepEqual(functionalSpec([x], [y]), {
    layers: [
      { kind: "inputLayer", name: "x", config: { shape: [8] } },
      { kind: "dense", name: "dense", config: { units: 8 }, inbound: [["x"], ["dense"]] },
      { kind: "add", name: "add", config: {}, inbound: [["dense", ["dense", 1]]] },
    ],
    inputs: ["x"],
    outputs: ["add"],
  });
});

test("attention takes a query, a value and a key", () => {
  const q = input({ shape: [4, 8], name: "q" });
  const v = input({ shape: [6, 8], name: "v" });
  const y = layers.multiHeadAttention({ numHeads: 2, keyDim: 4, useCausalMask: true }).apply([q, v]);
  assert.deepEqual(functionalSpec([q, v], [y]).layers[2], {
    kind: "multiHeadAttention", name: "multi_head_attention", config: { numHeads: 2, keyDim: 4, useCausalMask: true }, inbound: [["q", "v"]],
  });
});

test("what cannot be a model says why", () => {
  assert.throws(() => sequentialSpec([]), { code: "argument" });
  const [x, z] = [input({ shape: [1] }), input({ shape: [1], name: "z" })];
  const y = layers.dense({ units: 1 }).apply(x);
  assert.throws(() => functionalSpec([z], [y]), /inputs does not list|leads to no output/);
  assert.throws(() => layers.add().apply([1 as never]), /apply\(\) takes/);
});

test("a wrapper holds its layer's description", () => {
  const { layers: list } = sequentialSpec([
    layers.bidirectional({ layer: layers.lstm({ units: 4, returnSequences: true, inputShape: [5, 3] }), mergeMode: "sum" }),
    layers.timeDistributed({ layer: layers.dense({ units: 2 }) }), layers.simpleRNN({ units: 1 }),
  ]);
  assert.deepEqual(list.map((l) => l.name), ["bidirectional", "time_distributed", "simple_rnn"]);
  assert.deepEqual(list[0]!.config, { inputShape: [5, 3], mergeMode: "sum", layer: { kind: "lstm", config: { units: 4, returnSequences: true } } });
  assert.deepEqual(list[1]!.config, { layer: { kind: "dense", config: { units: 2 } } });
  assert.throws(() => layers.bidirectional({ layer: 1 as never }), /must be a layer/);
});
