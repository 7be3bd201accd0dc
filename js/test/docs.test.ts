// The examples of the documentation run as they stand there.
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import test, { after, before } from "node:test";
import * as weftModule from "../src/node.js";
import { loadProgram } from "../src/program.js";

const root = new URL("../../", import.meta.url);
const baseURL = new URL("dist/", root);
let weft: weftModule.Runtime;
before(async () => {
  weft = await weftModule.init({ baseURL });
});
after(() => weft.close());

/** Examples of the comments of the sources, and of the package's README. */
async function examples(): Promise<{ name: string; code: string }[]> {
  const list: { name: string; code: string }[] = [];
  for (const file of (await readdir(new URL("src/", root))).filter((f) => f.endsWith(".ts"))) {
    const text = await readFile(new URL(`src/${file}`, root), "utf8");
    for (const [, block] of text.matchAll(/^ *\* ```(?:ts|js)\n([\s\S]*?)^ *\* ```/gm)) {
      list.push({ name: `${file} ${list.length}`, code: block!.replace(/^ *\* ?/gm, "") });
    }
  }
  const readme = await readFile(new URL("README.md", root), "utf8");
  for (const [, block] of readme.matchAll(/^```js\n([\s\S]*?)^```/gm)) list.push({ name: `README ${list.length}`, code: block! });
  return list;
}

/** What examples take for given: names that they do not make themselves. */
async function given(): Promise<{ [name: string]: unknown }> {
  const digits = weft.data.digits({ seed: 1, samples: 64 });
  const dense = (units: number) => weft.layers.dense({ units });
  const model = weft.sequential([weft.layers.flatten({ inputShape: [28, 28, 1] }), dense(10)]);
  model.compile({ optimizer: "adam", loss: weft.losses.sparseCategoricalCrossentropy({ fromLogits: true }), metrics: ["accuracy"] });
  const bytes = new Uint8Array(await readFile(new URL("lenet.weft", baseURL)));
  return {
    weft,
    digits,
    train: digits,
    model,
    console: { log() {} },
    pixels: new Float32Array(784),
    loadProgram: () => loadProgram(bytes, { baseURL }),
    init: (options = {}) => weftModule.init({ baseURL, ...options }),
    WeftError: weftModule.WeftError,
  };
}

/** Names with a value of their own in some examples. */
const special: { [pattern: string]: () => { [name: string]: unknown } | Promise<{ [name: string]: unknown }> } = {
  "weft.op(\"Erf\"": () => ({ x: weft.tensor([3, 1, 2, 5]) }),
  "weft.matMul(a, b)": () => ({ a: weft.ones([2, 3]), b: weft.ones([4, 5]) }),
  "adam.minimize(loss, [w])": () => ({ w: weft.variable([[0], [0]]), x: weft.tensor([[1, 2]]), y: weft.tensor([[3]]) }),
  "model.generate(": async () => ({ output: { textContent: "" }, model: await weft.load(new Uint8Array(await readFile(new URL("../models/chargpt/weights/tinyshakespeare.onnx", root)))) }),
  "model.fit(x, y": () => ({ x: new Float32Array(40), y: new Int32Array(10) }),
};

// What needs a page.
const pageOnly = /canvas|fileInput|isolate\(|<script|await using/;

test("examples of the documentation", async (t) => {
  const list = await examples();
  assert.ok(list.length > 20, `${list.length} examples`);
  const AsyncFunction = (async () => {}).constructor as new (...args: string[]) => (...args: unknown[]) => Promise<unknown>;
  let ran = 0;
  for (const { name, code } of list) {
    if (pageOnly.test(code)) continue;
    ran++;
    await t.test(name, async () => {
      const names = await given();
      for (const [pattern, more] of Object.entries(special)) if (code.includes(pattern)) Object.assign(names, await more());
      // A module's imports are given; checkpoints need a browser's storage; what an example declares is not given.
      const body = code.replace(/^import .*$/gm, "").replace(/, checkpoint: \{[^}]*\}/, "");
      for (const key of Object.keys(names)) if (new RegExp(`^(const|let) (\\{[^}]*\\b)?${key}\\b`, "m").test(body)) delete names[key];
      await new AsyncFunction(...Object.keys(names), body)(...Object.values(names));
    });
  }
  assert.ok(ran > 15, `${ran} examples ran`);
});
