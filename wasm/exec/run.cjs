// Runs a linked Go program on a memory that the kernel module shares.
// Arguments: wasm_exec.js, the linked program, the initial pages of its memory, the folder of the kernel modules, then the
// program's own arguments.
"use strict";

const fs = require("fs");
const os = require("os");
const path = require("path");
const { Worker } = require("worker_threads");
const [, , wasmExec, linked, pages, kernelDir, ...argv] = process.argv;

Object.assign(globalThis, { require, fs, path });
require(wasmExec);

/** Threads that run the kernel module on the shared memory, besides this one. They must have started before Go blocks. */
const threads = Number(process.env.WEFT_THREADS ?? 1);
const shared = process.env.WEFT_THREADS !== undefined;

const kernelFile = (name) => path.join(kernelDir, `kernels-${name}${shared ? "-shared" : ""}.wasm`);

// The variants from the fastest down; one that this Node cannot compile is passed over. WEFT_KERNELS names one, or "none".
const wanted = process.env.WEFT_KERNELS ? [process.env.WEFT_KERNELS] : ["relaxed", "simd128"];

/** What a program may import from the kernel module; called without SIMD it throws. */
function missing() {
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(fs.readFileSync(linked)));
  const trap = () => {
    throw new Error("a kernel was called without WebAssembly SIMD");
  };
  return Object.fromEntries(imports.filter((i) => i.module === "weft").map((i) => [i.name, trap]));
}

if (shared) {
  // Go's glue code hands views of the program's memory to functions that refuse shared memory.
  const copy = (v) => (v?.buffer instanceof SharedArrayBuffer ? new Uint8Array(v.buffer, v.byteOffset, v.byteLength).slice() : v);
  const { decode } = TextDecoder.prototype;
  TextDecoder.prototype.decode = function (view, options) {
    return decode.call(this, copy(view), options);
  };
  const { getRandomValues } = Crypto.prototype;
  Crypto.prototype.getRandomValues = function (view) {
    view.set(getRandomValues.call(this, copy(view)));
    return view;
  };
}

const threadCode = `
  const { parentPort, workerData: { module, memory, index } } = require("worker_threads");
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  parentPort.on("message", (control) => exports.thread(control, index));
  parentPort.postMessage("ready");`;

/** Starts the threads; what is returned sends them to work at the block where they wait for it. */
async function startThreads(module, memory) {
  const workers = [];
  for (let index = 1; index < threads; index++) {
    const worker = new Worker(threadCode, { eval: true, workerData: { module, memory, index } });
    workers.push(worker);
    await new Promise((resolve, reject) => worker.on("message", resolve).on("error", reject));
    worker.unref();
  }
  return (control) => workers.forEach((w) => w.postMessage(control));
}

async function kernels(memory) {
  if (wanted[0] === "none") return { ...missing(), variant: () => 0 };
  const failures = [];
  for (const name of wanted) {
    try {
      const module = new WebAssembly.Module(fs.readFileSync(kernelFile(name)));
      const { exports } = new WebAssembly.Instance(module, { env: { memory } });
      const fused = exports.fma_probe(1 + 2 ** -12, 1 + 2 ** -12, -(1 + 2 ** -11)) !== 0;
      if (name === "relaxed" && !fused) throw new Error("relaxed multiply-add is not fused on this processor");
      if (process.env.WEFT_SPINS) exports.program_spins?.(); // as in a page's own thread
      const start = await startThreads(module, memory);
      return {
        ...exports,
        program_share(control) {
          if (control && shared) start(control);
          return exports.program_share(control);
        },
      };
    } catch (err) {
      failures.push(`${name}: ${err.message}`);
    }
  }
  throw new Error(`no kernel module runs in Node ${process.version}: ${failures.join("; ")}`);
}

// wasm_exec.js refuses more than 8 KB of arguments and environment together, so only what programs here read is passed.
function environment() {
  const env = { TMPDIR: os.tmpdir() };
  for (const [name, value] of Object.entries(process.env)) {
    if (/^(GO|WEFT_|UPDATE_)/.test(name) || ["HOME", "PATH", "PWD", "TZ"].includes(name)) env[name] = value;
  }
  return env;
}

async function main() {
  const memory = new WebAssembly.Memory({ initial: Number(pages), maximum: 65536, shared });
  const go = new Go();
  go.argv = argv;
  go.env = environment();
  go.exit = process.exit;
  go.importObject.env = { memory };
  go.importObject.weft = await kernels(memory);
  const { instance } = await WebAssembly.instantiate(fs.readFileSync(linked), go.importObject);
  process.on("exit", (code) => {
    // Node ends when no event is pending: a deadlock, which Go reports when it is resumed with nothing to do.
    if (code === 0 && !go.exited) {
      go._pendingEvent = { id: 0 };
      go._resume();
    }
  });
  await go.run(instance);
}

main().catch((err) => {
  console.error(err);
  process.exit(1);
});
