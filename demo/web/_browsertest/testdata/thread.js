// A thread of the kernels: it makes its instance, says so, and gives itself to the kernels where it is told to wait for work.
let thread;

onmessage = ({ data }) => {
  if (data.module) {
    const { exports } = new WebAssembly.Instance(data.module, { env: { memory: data.memory } });
    thread = (control) => exports.thread(control, data.index);
    postMessage("ready");
    return;
  }
  thread(data.control);
};
