// A worker that runs a Go test binary, linked by weftlink, with a kernel module on its memory. It reports lines of output as
// {line} and the end as {code}.
importScripts("wasm_exec.js");

const query = new URLSearchParams(location.search);
const shared = query.get("shared") === "true";

// Go's glue code hands views of the program's memory to functions that refuse shared memory.
if (shared) {
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

const decoder = new TextDecoder();
let text = "";
globalThis.fs.writeSync = (fd, bytes) => {
  text += decoder.decode(bytes);
  const lines = text.split("\n");
  text = lines.pop();
  for (const line of lines) postMessage({ line });
  return bytes.length;
};

/** Starts the threads that WEFT_THREADS asks for, besides this one: all have answered when it returns. */
async function startThreads(count, module, memory) {
  const workers = [];
  for (let index = 1; index < count; index++) {
    const worker = new Worker("thread.js");
    const ready = new Promise((resolve, reject) => {
      worker.onmessage = resolve;
      worker.onerror = (event) => reject(new Error(event.message));
    });
    worker.postMessage({ module, memory, index });
    await ready;
    workers.push(worker);
  }
  return workers;
}

async function main() {
  const go = new Go();
  go.argv = ["test", ...query.getAll("arg")];
  go.env = Object.fromEntries(query.getAll("env").map((e) => e.split("=")));
  let code = 0;
  go.exit = (c) => (code = c);
  const memory = new WebAssembly.Memory({ initial: Number(query.get("pages")), maximum: 65536, shared });
  const kernels = await WebAssembly.instantiateStreaming(fetch("kernels.wasm"), { env: { memory } });
  const workers = await startThreads(Number(go.env.WEFT_THREADS ?? 1), kernels.module, memory);
  const program = await WebAssembly.instantiateStreaming(fetch("test.wasm"), {
    ...go.importObject,
    env: { memory },
    weft: {
      ...kernels.instance.exports,
      program_share(control) {
        if (control) for (const worker of workers) worker.postMessage({ control });
        return kernels.instance.exports.program_share(control);
      },
    },
  });
  await go.run(program.instance);
  if (text) postMessage({ line: text });
  postMessage({ code });
}

main().catch((err) => postMessage({ line: String(err.stack ?? err), code: 1 }));
