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

async function main() {
  const go = new Go();
  go.argv = ["test", ...query.getAll("arg")];
  go.env = Object.fromEntries(query.getAll("env").map((e) => e.split("=")));
  let code = 0;
  go.exit = (c) => (code = c);
  const memory = new WebAssembly.Memory({ initial: Number(query.get("pages")), maximum: 65536, shared });
  const kernels = await WebAssembly.instantiateStreaming(fetch("kernels.wasm"), { env: { memory } });
  const program = await WebAssembly.instantiateStreaming(fetch("test.wasm"), {
    ...go.importObject,
    env: { memory },
    weft: kernels.instance.exports,
  });
  await go.run(program.instance);
  if (text) postMessage({ line: text });
  postMessage({ code });
}

main().catch((err) => postMessage({ line: String(err.stack ?? err), code: 1 }));
