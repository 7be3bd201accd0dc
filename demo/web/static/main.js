// The page: starts the worker and shows what it reports. Nothing is computed on this thread.

const $ = (id) => document.getElementById(id);
const results = { kernel: new Map(), go: new Map(), checks: [], expected: 0, name: "", fused: "" };

const kernelTitles = {
  relaxed: "Relaxed SIMD",
  simd128: "128-bit SIMD",
  none: "Plain Go loops",
};
const classNotes = {
  fma: "multiply and add round once, as natively",
  muladd: "multiply and add round separately",
};

function say(text, state) {
  $("status").textContent = text;
  document.body.dataset.state = state;
}

function fail(text) {
  say(text, "error");
  $("again").hidden = true;
  $("results").hidden = true;
}

const rate = (v) => (v >= 10 ? v.toFixed(1) : v.toFixed(2));
const peak = (map) => Math.max(0, ...map.values());

function showRates() {
  const kernel = peak(results.kernel);
  const go = peak(results.go);
  if (kernel) $("kernel-rate").textContent = rate(kernel);
  if (go) $("go-rate").textContent = rate(go);
  if (kernel && go) $("speedup").textContent = `${Math.round(kernel / go)} times the plain loop`;
  const top = Math.max(kernel, go);
  const sizes = [...new Set([...results.kernel.keys(), ...results.go.keys()])].sort((a, b) => a - b);
  const cell = (value, what) => {
    const td = document.createElement("td");
    if (value === undefined) {
      td.textContent = "–";
      return td;
    }
    const bar = document.createElement("span");
    bar.className = `bar ${what}`;
    bar.style.setProperty("--share", String(value / top));
    bar.setAttribute("aria-hidden", "true");
    const number = document.createElement("span");
    number.textContent = rate(value);
    td.append(number, bar);
    return td;
  };
  $("rows").replaceChildren(
    ...sizes.map((n) => {
      const tr = document.createElement("tr");
      const th = document.createElement("th");
      th.scope = "row";
      th.textContent = `${n} × ${n}`;
      tr.append(th, cell(results.kernel.get(n), "kernel"), cell(results.go.get(n), "go"));
      return tr;
    }),
  );
}

function showChecks() {
  const equal = results.checks.filter((c) => c.equal).length;
  const wrong = results.checks.filter((c) => !c.equal).map((c) => `${c.m}×${c.n}×${c.k}`);
  $("bits").textContent = `${equal} of ${results.expected}`;
  $("bits-note").textContent = wrong.length
    ? `differ from the plain loop: ${wrong.join(", ")}`
    : "products equal the plain loop in every bit";
  $("bits").closest(".card").classList.toggle("bad", wrong.length > 0);
}

const on = {
  start({ kernels, class: fused, checks }) {
    Object.assign(results, { kernel: new Map(), go: new Map(), checks: [], expected: checks, name: kernels });
    $("results").hidden = false;
    $("kernel-name").textContent = kernelTitles[kernels];
    $("kernel-name").dataset.kernel = kernels;
    $("class-note").textContent = kernels === "none" ? "this browser has no WebAssembly SIMD" : `class ${fused}: ${classNotes[fused]}`;
    for (const id of ["kernel-rate", "go-rate"]) $(id).textContent = "…";
    $("speedup").textContent = "";
    if (kernels === "none") {
      $("bits").textContent = "–";
      $("bits-note").textContent = "there are no kernels to compare";
      $("kernel-rate").textContent = "–";
    } else {
      showChecks();
    }
    say("Measuring …", "busy");
  },
  check(message) {
    results.checks.push(message);
    showChecks();
  },
  rate({ what, size, gflops }) {
    results[what].set(size, gflops);
    showRates();
  },
  done() {
    const right = results.checks.every((c) => c.equal);
    say(right ? "Ready." : "The kernels are wrong on this device. Please report it.", right ? "done" : "error");
    $("again").hidden = false;
    $("again").disabled = false;
  },
  error({ message }) {
    fail(`Something went wrong: ${message}`);
  },
};

function start() {
  if (typeof WebAssembly !== "object" || typeof WebAssembly.compileStreaming !== "function") {
    fail("This browser has no WebAssembly, which this page computes with. Any browser from 2021 on has it; in a private or lockdown mode it may be switched off.");
    return;
  }
  let worker;
  try {
    const url = new URL("./worker.js", import.meta.url);
    url.search = location.search; // ?kernels=simd128 or none: compare what another browser would run
    worker = new Worker(url, { type: "module" });
  } catch (err) {
    fail(`This browser cannot start a worker: ${err.message}`);
    return;
  }
  worker.onmessage = ({ data }) => on[data.type](data);
  worker.onerror = (event) => fail(`The worker did not start${event.message ? `: ${event.message}` : ". A browser from 2023 on is needed for module workers."}`);
  $("again").addEventListener("click", () => {
    $("again").disabled = true;
    worker.postMessage("measure");
  });
}

start();
