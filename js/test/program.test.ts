// Program files, run by the kernel module without Go, against the runtime: the same bits.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { init } from "@weft-ml/weft";
import { joinPrograms, loadProgram, type Program } from "@weft-ml/weft/program";

const dist = new URL("../../dist/", import.meta.url);
const file = (name: string) => readFile(new URL(name, dist));
const kernels = (name: string) => file(`kernels-${name}.wasm`).then((bytes) => WebAssembly.compile(new Uint8Array(bytes)));
const lenet = async (): Promise<Program> => loadProgram(await file("lenet.weft"), { kernels: await kernels("simd128") });
const noise = (n: number) => Float32Array.from({ length: n }, (_, i) => ((i * 37) % 101) / 100);

test("LeNet as a program gives the runtime's bits", async () => {
  const program = await lenet();
  assert.deepEqual(program.inputs[0]!.shape, [1, 1, 28, 28]);
  assert.deepEqual(program.outputs[0]!.shape, [1, 10]);
  assert.equal(program.numerics, "muladd");
  assert.match(program.metadata["weft.test_accuracy"] ?? "", /^0\.99/);
  const weft = await init({ worker: false });
  const model = await weft.load(await file("lenet.onnx"));
  for (let i = 0; i < 3; i++) {
    const x = noise(784 + i).subarray(i);
    assert.deepEqual(program.run(x), await model.predictArray(x));
  }
  await weft.close();
});

test("exported models of several kinds run, batches too", async () => {
  const weft = await init({ worker: false });
  const { layers } = weft;
  const nets = [
    weft.sequential([layers.dense({ units: 7, activation: "gelu", inputShape: [5] }), layers.layerNormalization(), layers.dense({ units: 3, activation: "softmax" })]),
    weft.sequential([
      layers.conv2d({ filters: 5, kernelSize: 3, strides: 2, padding: "same", inputShape: [13, 11, 3] }),
      layers.batchNormalization(),
      layers.activation({ activation: "swish" }),
      layers.depthwiseConv2d({ kernelSize: 3 }),
      layers.globalAveragePooling2d(),
    ]),
  ];
  for (const net of nets) {
    for (const batch of [1, 3]) {
      await net.ready();
      const n = net.inputs[0]!.shape.slice(1).reduce((a: number, d: number | null) => a * (d ?? 1), batch);
      const program = await loadProgram(await net.export({ batch }), { kernels: await kernels("simd128") });
      assert.deepEqual(program.run(noise(n)), await net.predictArray(noise(n)));
    }
  }
  await weft.close();
});

test("a picture becomes the digit that the runtime makes of it", async () => {
  const program = await lenet();
  const weft = await init({ worker: false });
  for (const [width, height] of [[280, 280], [61, 97], [20, 20], [40, 90], [3, 1200], [280, 280]] as const) {
    const rgba = new Uint8ClampedArray(4 * width * height).fill(255);
    for (let y = height >> 2; y < height - (height >> 2); y++) for (let x = (width >> 1) - (width >> 3) - 1; x < width >> 1; x++) rgba.set([20, 20, 60, 255], 4 * (y * width + x));
    const digit = program.digitImage(rgba, width, height);
    assert.ok(digit);
    assert.deepEqual(digit, await weft.data.preprocess(rgba, { width, height }));
  }
  assert.equal(program.digitImage(new Uint8ClampedArray(4 * 30 * 30).fill(255), 30, 30), null);
  assert.throws(() => program.digitImage(new Uint8ClampedArray(5), 30, 30), { code: "shape", message: /30x30 has 3600 bytes/ });
  await weft.close();
});

test("files and inputs that do not fit are refused with reasons", async () => {
  const bytes = new Uint8Array(await file("lenet.weft"));
  const module = await kernels("simd128");
  const refuse = (b: Uint8Array, code: string, message: RegExp) => assert.rejects(loadProgram(b, { kernels: module }), { name: "WeftError", code, message });
  await refuse(new Uint8Array(await file("lenet.onnx")), "format", /no program file/);
  await refuse(bytes.subarray(0, 3000), "format", /damaged at byte/);
  const newer = bytes.slice();
  newer[8] = 9;
  await refuse(newer, "version", /format 9/);
  for (let at = 16; at < 400; at += 7) {
    const bad = bytes.slice();
    bad[at] ^= 0xff;
    await loadProgram(bad, { kernels: module }).then(
      () => {},
      (err: Error) => assert.ok(err.name === "WeftError" || err instanceof WebAssembly.RuntimeError, String(err)),
    );
  }
  const program = await lenet();
  assert.throws(() => program.run(new Float32Array(783)), { code: "shape", message: /input input is float32 \[1,1,28,28\], 3136 bytes, not 3132/ });
  assert.throws(() => joinPrograms(bytes, bytes.slice(0, -1)), /damaged|other weights/);
});
