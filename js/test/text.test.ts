// Language models in Node.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test, { after, before } from "node:test";
import { init, type LayersModel, type Runtime } from "../src/node.js";

const root = new URL("../../../models/chargpt/", import.meta.url);
let weft: Runtime;
let model: LayersModel;
before(async () => {
  weft = await init({ baseURL: new URL("../../dist/", import.meta.url), seed: 1 });
  model = await weft.load(new Uint8Array(await readFile(new URL("weights/tinyshakespeare.onnx", root))));
});
after(() => weft.close());

const join = async (pieces: AsyncIterable<string>) => {
  let text = "";
  for await (const piece of pieces) text += piece;
  return text;
};

test("generate writes what the command line writes", async () => {
  const want = await readFile(new URL("testdata/sample.txt", root), "utf8");
  assert.equal(await join(model.generate("ROMEO:", { seed: 7, temperature: 0.8, maxTokens: 200 })), want);
});

test("generate does not hold up what else is asked, and can be stopped", async () => {
  const before = (await weft.memory()).handles;
  const stop = new AbortController();
  let other = 0;
  const pieces = model.generate("ROMEO:", { maxTokens: 100_000, signal: stop.signal });
  await assert.rejects(
    async () => {
      for await (const piece of pieces) {
        assert.ok(piece.length > 0);
        const x = weft.tensor([1, 2]);
        const y = x.sum();
        other = ((await y.data()) as Float32Array)[0]!;
        x.dispose();
        y.dispose();
        stop.abort(new Error("enough"));
      }
    },
    { message: "enough" },
  );
  assert.equal(other, 3);
  // A loop that is left ends the writing too.
  for await (const piece of model.generate("ROMEO:")) {
    assert.ok(piece);
    break;
  }
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal((await weft.memory({ gc: true })).handles, before);
});

test("generate says what is wrong", async () => {
  const fails = (f: AsyncIterable<string>, want: object) => assert.rejects(join(f), want);
  await fails(model.generate("Grüße"), { message: /'ü', at byte 2/ });
  await fails(model.generate(""), { code: "argument" });
  await fails(model.generate(5 as unknown as string), { code: "argument" });
  await fails(model.generate("a", { temperature: -1 }), { message: /temperature/ });
  await fails(model.generate("a", { topP: 2 }), { message: /top-p/ });
  await fails(model.generate("a", { maxTokens: 0 }), { message: /maxTokens/ });
  const lenet = await weft.load(new Uint8Array(await readFile(new URL("../lenet/weights/mnist.onnx", root))));
  await fails(lenet.generate("a"), { message: /no language model/ });
  lenet.dispose();
});
