import assert from "node:assert/strict";
import test from "node:test";
import { Engine, type Caller, type JobEvent } from "../src/engine.js";
import { Core } from "../src/core.js";
import { WeftError } from "../src/errors.js";
import { Message, readRequest, type Value } from "../src/protocol.js";
import { LocalTransport, type Transport } from "../src/transport.js";

/** Go's place in these tests: methods by name, and a list of what was called. */
class FakeGo implements Caller {
  readonly calls: { method: string; args: any }[] = [];
  over: WeftError | undefined;

  constructor(private readonly methods: { [name: string]: (args: any) => Value }) {}

  call(request: Message | Uint8Array): Uint8Array<ArrayBuffer> {
    const { method, args } = readRequest(request instanceof Message ? request.bytes() : request);
    this.calls.push({ method, args });
    const f = this.methods[method];
    try {
      if (!f) throw new WeftError("argument", `no method ${method}`);
      return new Message(0, f(args)).bytes();
    } catch (err) {
      return new Message(1, { code: (err as WeftError).code, message: (err as Error).message }).bytes();
    }
  }
  wasmBytes(): number {
    return 65536;
  }
  ended(): WeftError | undefined {
    return this.over;
  }
  end(): void {
    this.over = new WeftError("closed", "closed");
  }
}

const started = { kernels: "generic", threads: 1, isolated: false, maximum: 0, wasmBytes: 0, reasons: [] };
const transportOf = (go: FakeGo): Transport => new LocalTransport(new Engine(go), { ...started });

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; !condition(); i++) {
    assert.ok(i < 1000, "it never came true");
    await sleep(5);
  }
}

/** A fit of n steps, some in each slice. */
function fitting(n: number, perSlice = 3) {
  let step = 0;
  return new FakeGo({
    "fit.run": ({ maxSteps = perSlice }) => {
      const events: Value[] = [];
      for (let k = Math.min(perSlice, maxSteps, n - step); k > 0; k--) events.push({ kind: "batch", step: ++step, loss: 1 / step });
      return { events, done: step >= n, step };
    },
    "fit.stop": () => ({}),
    "fit.checkpoint": () => ({ bytes: new Uint8Array([step]) }),
    "model.predict": () => ({ done: true, outputs: [] }),
    dispose: () => null,
  });
}

const fit = (extra = {}) => ({ kind: "fit", fit: 1, budget: 30, checkpointEvery: 0, step: 0, ...extra }) as const;

test("a fit tells every step, in order and in few messages", async () => {
  const steps: number[] = [];
  let messages = 0;
  const job = transportOf(fitting(1000)).job(fit(), {
    onEvent: (event) => {
      messages++;
      if (event.type === "events") steps.push(...event.events.map((e) => e["step"]));
    },
  });
  const result = await job.result;
  assert.equal(result.done, true);
  assert.deepEqual(steps, Array.from({ length: 1000 }, (_, i) => i + 1));
  assert.ok(messages < 40, `${messages} messages`);
});

test("other calls get in between the slices", async () => {
  const go = fitting(300);
  const transport = transportOf(go);
  const job = transport.job(fit(), {});
  await sleep(1);
  await transport.call("model.predict", {});
  await job.result;
  const at = go.calls.findIndex((c) => c.method === "model.predict");
  assert.ok(at > 0 && at < go.calls.length - 1, `predict was call ${at} of ${go.calls.length}`);
});

test("pause, resume, stop", async () => {
  const go = fitting(1e9);
  const events: JobEvent[] = [];
  const job = transportOf(go).job(fit(), { onEvent: (e) => void events.push(e) });
  await until(() => go.calls.length > 3);
  job.control("pause");
  await sleep(20);
  const n = go.calls.length;
  await sleep(20);
  assert.equal(go.calls.length, n, "nothing is computed while paused");
  job.control("resume");
  await until(() => go.calls.length > n);
  job.control("stop");
  await job.result;
  assert.equal(go.calls.at(-1)!.method, "fit.stop");
  const told = events.flatMap((e) => (e.type === "events" ? e.events : []));
  const made = go.calls.filter((c) => c.method === "fit.run").length * 3;
  assert.equal(told.length, made, "no step is lost");
});

test("an owner that is behind holds the fit back", async () => {
  const go = fitting(1e9);
  let release!: () => void;
  const gate = new Promise<void>((resolve) => (release = resolve));
  const job = transportOf(go).job(fit(), { onEvent: () => gate });
  await sleep(500);
  const n = go.calls.length;
  await sleep(50);
  assert.equal(go.calls.length, n);
  job.control("abort");
  release();
  assert.equal(await job.result, undefined);
});

test("checkpoints come at their steps", async () => {
  const at: number[] = [];
  const job = transportOf(fitting(100, 7)).job(fit({ checkpointEvery: 25 }), {
    onEvent: (e) => {
      if (e.type === "checkpoint") at.push(e.step);
    },
  });
  await job.result;
  assert.deepEqual(at, [25, 50, 75, 100]);
});

test("an error of a callback ends the fit with that error", async () => {
  const job = transportOf(fitting(1e9)).job(fit(), {
    onEvent: () => {
      throw new RangeError("mine");
    },
  });
  await assert.rejects(job.result, RangeError);
});

test("a sliced call sends its arguments once", async () => {
  let n = 0;
  const go = new FakeGo({ "model.evaluate": () => (++n < 4 ? { done: false, progress: n / 4 } : { done: true, loss: 0.5 }) });
  const progress: number[] = [];
  const request = new Message("model.evaluate", { id: 1, in: new Float32Array(10), job: 7, budget: 30 }).bytes();
  const job = transportOf(go).job({ kind: "sliced", method: "model.evaluate", request, again: { id: 1, job: 7, budget: 30 }, progress: true }, {
    onEvent: (e) => {
      if (e.type === "progress") progress.push(e.done);
    },
  });
  assert.equal((await job.result).loss, 0.5);
  assert.deepEqual(progress, [0.25, 0.5, 0.75]);
  assert.ok(go.calls[0]!.args.in && go.calls.slice(1).every((c) => c.args.in === undefined && c.args.job === 7));
});

test("close rejects what waits, and all that comes after", async () => {
  const transport = transportOf(fitting(1e9));
  const job = transport.job(fit(), {});
  await sleep(2);
  transport.close();
  transport.close();
  await assert.rejects(job.result, { code: "closed" });
  await assert.rejects(transport.call("memory", {}), { code: "closed" });
});

test("a runtime that ends rejects later calls with the reason", async () => {
  const go = fitting(10);
  const core = new Core(transportOf(go), false);
  go.over = new WeftError("memory", "out of memory");
  await assert.rejects(core.call("memory", {}), { code: "memory" });
});
