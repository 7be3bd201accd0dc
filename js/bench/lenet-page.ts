// The smallest page that predicts with LeNet: what the harness's page-load row measures.
import { init } from "../src/index.js";

/** A deterministic image, as the harness makes it for every runtime. */
function fill(n: number, seed: number): Float32Array {
  const o = new Float32Array(n);
  const b = Math.imul(seed, 0x9e3779b9);
  for (let i = 0; i < n; i++) {
    let x = (i + b) | 0;
    x ^= x >>> 16;
    x = Math.imul(x, 0x7feb352d);
    x ^= x >>> 15;
    x = Math.imul(x, 0x846ca68b);
    x ^= x >>> 16;
    o[i] = (x >>> 8) / 16777216 - 0.5;
  }
  return o;
}

const rt = await init({ baseURL: new URL("./", import.meta.url) });
const model = await rt.load(new URL("./lenet.onnx", import.meta.url));
const y = await model.predictArray(fill(784, 5));
Object.assign(globalThis, { peersDone: { t: performance.now(), v: y[0] } });
