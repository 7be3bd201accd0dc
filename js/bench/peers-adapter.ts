// The browser column of the comparison with other runtimes: workloads of a shared harness, run through Weft's public API.
// "make peers-adapter" builds it. Weft runs in the page's own thread, as the other runtimes do there, with the kernels' threads beside it.
import { init as initHere, type Tensor, type Variable } from "../src/index.js";
import lenet from "./lenet.mjs";

/** What the harness gives: deterministic data and sizes. */
interface Common {
  fill(n: number, seed: number, scale?: number): Float32Array;
  labels(n: number): Int32Array;
  TF: { B: number; S: number; D: number; H: number; L: number; F: number };
  transformerWeights(): { qkv: Float32Array; o: Float32Array; w1: Float32Array; w2: Float32Array }[];
  meanAbs(a: ArrayLike<number>): number;
}

interface Host {
  threads: number;
  env: string;
  common: Common;
  /** Reads a model's file; a page that gives nothing serves them under /models/. */
  fetchModel?: (name: string) => Promise<Uint8Array | ArrayBuffer> | Uint8Array | ArrayBuffer;
}

interface Job {
  run(k: number): Promise<void>;
  check?(): Promise<number | undefined> | number | undefined;
  dispose?(): void;
}

interface ConvShape {
  n: number;
  h: number;
  w: number;
  cin: number;
  k: number;
  cout: number;
  pad: number;
  groups: number;
}

/** NHWC to NCHW. */
function channelsFirst(d: Float32Array, n: number, h: number, w: number, c: number): Float32Array {
  const o = new Float32Array(d.length);
  let i = 0;
  for (let a = 0; a < n; a++)
    for (let y = 0; y < h; y++)
      for (let x = 0; x < w; x++) for (let q = 0; q < c; q++) o[((a * c + q) * h + y) * w + x] = d[i++]!;
  return o;
}

/** HWIO to OIHW. */
function kernelFirst(d: Float32Array, kh: number, kw: number, ci: number, co: number): Float32Array {
  const o = new Float32Array(d.length);
  let i = 0;
  for (let y = 0; y < kh; y++)
    for (let x = 0; x < kw; x++)
      for (let c = 0; c < ci; c++) for (let q = 0; q < co; q++) o[((q * ci + c) * kh + y) * kw + x] = d[i++]!;
  return o;
}

async function download(name: string): Promise<ArrayBuffer> {
  const response = await fetch(`/models/${name}`);
  if (!response.ok) throw new Error(`no model ${name}`);
  return response.arrayBuffer();
}

/** Reads a scalar on every run, as the other adapters do. */
const repeat = (f: () => Promise<void>) => async (k: number) => {
  for (let i = 0; i < k; i++) await f();
};

/** The contract of the harness: what it measures, each workload or the reason why not. */
export async function setup({ threads, env, common, fetchModel = download }: Host) {
  // Under Node the package's own entry, which lies beside this file: it reads files and starts Node's workers.
  const beside = "./node.js";
  const { init } = env === "node" ? ((await import(beside)) as { init: typeof initHere }) : { init: initHere };
  const rt = await init({ worker: false, threads });
  const report = rt.report();

  // k results one after the other, each given back before the next.
  const results = (f: () => Tensor) => async (k: number) => {
    for (let i = 0; i < k; i++) {
      const y = f();
      await y.ready();
      y.dispose();
    }
  };
  const mean = async (f: () => Tensor) => {
    const y = f();
    const v = common.meanAbs((await y.data()) as Float32Array);
    y.dispose();
    return v;
  };

  return {
    info: { version: report.version, kernels: report.kernels, numerics: report.numerics, threads: report.threads, isolated: report.isolated },

    sgemm({ m, k, n }: { m: number; k: number; n: number }): Job {
      const a = rt.tensor(common.fill(m * k, 1), [m, k]);
      const b = rt.tensor(common.fill(k * n, 2), [k, n]);
      const f = rt.compile((x: Tensor, y: Tensor) => rt.matMul(x, y));
      const run = () => f(a, b);
      return { run: results(run), check: () => mean(run), dispose: () => (a.dispose(), b.dispose()) };
    },

    conv(c: ConvShape): Job {
      const x = rt.tensor(channelsFirst(common.fill(c.n * c.h * c.w * c.cin, 3), c.n, c.h, c.w, c.cin), [c.n, c.cin, c.h, c.w]);
      const ci = c.cin / c.groups;
      const w =
        c.groups > 1 // [k, k, channels, 1] there: one input channel each
          ? rt.tensor(kernelFirst(common.fill(c.k * c.k * c.cin, 4), c.k, c.k, 1, c.cin), [c.cout, 1, c.k, c.k])
          : rt.tensor(kernelFirst(common.fill(c.k * c.k * ci * c.cout, 4), c.k, c.k, ci, c.cout), [c.cout, ci, c.k, c.k]);
      // Weights are constants of the workload, so they are captured and not passed.
      const f = rt.compile((v: Tensor) => rt.op("Conv", [v, w], { attrs: { pads: [c.pad, c.pad, c.pad, c.pad], group: c.groups } }));
      const run = () => f(x);
      return { run: results(run), check: () => mean(run), dispose: () => (x.dispose(), w.dispose()) };
    },

    async lenetInfer({ batch }: { batch: number }): Promise<Job> {
      const model = await lenet(rt);
      const x = common.fill(batch * 784, 5);
      const run = async () => common.meanAbs(await model.predictArray(x));
      return { run: repeat(async () => void (await model.predictArray(x))), check: run, dispose: () => model.dispose() };
    },

    async lenetTrain({ batch }: { batch: number }): Promise<Job> {
      const model = await lenet(rt);
      model.compile({
        optimizer: rt.optimizers.adam({ learningRate: 1e-3 }),
        loss: rt.losses.sparseCategoricalCrossentropy({ fromLogits: true }),
      });
      const x = rt.tensor(common.fill(batch * 784, 5), [batch, 28, 28, 1]);
      const y = rt.tensor(common.labels(batch), [batch]);
      let first: number | undefined;
      return {
        run: repeat(async () => {
          const { loss } = await model.trainOnBatch(x, y);
          first ??= loss;
        }),
        check: () => first,
        dispose: () => (model.dispose(), x.dispose(), y.dispose()),
      };
    },

    transformer({ bwd }: { bwd: boolean }): Job {
      const { B, S, D, H, F } = common.TF;
      const ones = () => rt.variable(rt.tensor(new Float32Array(D).fill(1), [D]));
      const zeros = () => rt.variable(rt.tensor(new Float32Array(D), [D]));
      const P = common.transformerWeights().map((w) => ({
        qkv: rt.variable(rt.tensor(w.qkv, [D, 3 * D])),
        o: rt.variable(rt.tensor(w.o, [D, D])),
        w1: rt.variable(rt.tensor(w.w1, [D, F])),
        w2: rt.variable(rt.tensor(w.w2, [F, D])),
        g1: ones(),
        b1: zeros(),
        g2: ones(),
        b2: zeros(),
      }));
      const vars: Variable[] = P.flatMap((p) => Object.values(p));
      const x0 = rt.tensor(common.fill(B * S * D, 6, 2), [B * S, D]);
      const norm = (x: Tensor, g: Tensor, b: Tensor) => rt.op("LayerNormalization", [x, g, b], { attrs: { axis: -1, epsilon: 1e-5 } });
      const loss = (input: Tensor) => {
        let x = input;
        for (const p of P) {
          const qkv = rt.matMul(norm(x, p.g1, p.b1), p.qkv).reshape([B, S, 3 * D]);
          const o = rt.selfAttention(qkv, { numHeads: H }).reshape([B * S, D]);
          x = x.add(rt.matMul(o, p.o));
          x = x.add(rt.matMul(rt.relu(rt.matMul(norm(x, p.g2, p.b2), p.w1)), p.w2));
        }
        return rt.mean(x.mul(x));
      };
      const both = rt.valueAndGrad(loss, { variables: vars });
      // All results of a run are materialised: the loss, then under bwd the gradients of all parameters.
      const f = rt.compile((x: Tensor): readonly Tensor[] => {
        if (!bwd) return [loss(x)];
        const { value, grads } = both(x);
        return [value, ...grads];
      });
      let value: number | undefined;
      return {
        run: repeat(async () => {
          const out = f(x0);
          value = Number(await out[0]!.item());
          for (const t of out) t.dispose();
        }),
        check: () => value,
        dispose: () => {
          for (const v of vars) v.dispose();
          x0.dispose();
        },
      };
    },

    lstm({ bwd }: { bwd: boolean }): Job {
      const [B, S, D] = [16, 64, 128];
      // The harness's kernels are [D, 4H] with gates i, f, c, o; ONNX's are [4H, D] with gates i, o, f, c.
      const weight = (seed: number) => {
        const from = common.fill(D * 4 * D, seed, 0.17);
        const to = new Float32Array(from.length);
        [0, 3, 1, 2].forEach((gate, g) => {
          for (let j = 0; j < D; j++) for (let k = 0; k < D; k++) to[(g * D + j) * D + k] = from[k * 4 * D + gate * D + j]!;
        });
        return rt.variable(rt.tensor(to, [1, 4 * D, D]));
      };
      const w = weight(21);
      const r = weight(22);
      const b = rt.variable(rt.tensor(new Float32Array(8 * D), [1, 8 * D]));
      const vars: Variable[] = [w, r, b];
      const x0 = rt.tensor(common.fill(B * S * D, 23, 2), [B, S, D]);
      const loss = (x: Tensor) => {
        const y = rt.onnx.lstm(x, w, r, b, { hidden_size: D, layout: 1 });
        return rt.mean(y.mul(y));
      };
      const both = rt.valueAndGrad(loss, { variables: vars });
      const f = rt.compile((x: Tensor): readonly Tensor[] => {
        if (!bwd) return [loss(x)];
        const { value, grads } = both(x);
        return [value, ...grads];
      });
      let value: number | undefined;
      return {
        run: repeat(async () => {
          const out = f(x0);
          value = Number(await out[0]!.item());
          for (const t of out) t.dispose();
        }),
        check: () => value,
        dispose: () => {
          for (const v of vars) v.dispose();
          x0.dispose();
        },
      };
    },

    async onnx({ model, size }: { model: string; size: number }): Promise<Job> {
      const net = await rt.load(new Uint8Array(await fetchModel(`${model}.onnx`)));
      const x = common.fill(3 * size * size, 7, 2);
      return {
        run: repeat(async () => void (await net.predictArray(x))),
        check: async () => common.meanAbs(await net.predictArray(x)),
        dispose: () => net.dispose(),
      };
    },
  };
}
