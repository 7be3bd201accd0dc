// The page at /: draws a digit, asks /v1/digits as the ink flows, and says how programs ask.

const $ = (id) => document.getElementById(id);
const paper = $("paper");
const ink = paper.getContext("2d");
const size = paper.width;

// Asking: one request is under way at a time, and the newest picture is the next.
let asking = false;
let changed = false;
let drawn = false;
let picture = 0; // counts clearings, so that a late answer does not come back to a clean paper

async function ask() {
  changed = true;
  if (asking) return;
  asking = true;
  try {
    while (changed) {
      changed = false;
      if (!drawn) break;
      const of = picture;
      const png = await new Promise((done) => paper.toBlob(done, "image/png"));
      let answer, body;
      try {
        answer = await fetch("v1/digits?model=" + encodeURIComponent($("model").value), { method: "POST", headers: { "Content-Type": "image/png" }, body: png });
        body = await answer.json();
      } catch (e) {
        show(null); // what was answered before was another picture
        say("No answer from the server: " + e.message + ". Draw on to ask again.");
        continue;
      }
      if (of !== picture) continue;
      if (answer.ok) {
        show(body);
      } else if (answer.status === 429 || answer.status === 503) {
        say("The server is busy; asking again.");
        await new Promise((done) => setTimeout(done, 1000 * (Number(answer.headers.get("Retry-After")) || 1)));
        changed = true;
      } else {
        show(null);
        say(body.error);
      }
    }
  } finally {
    asking = false;
  }
}

function say(text) {
  $("said").textContent = text;
}

const bars = [];
for (let d = 0; d < 10; d++) {
  const li = document.createElement("li");
  const name = document.createElement("span");
  const bar = document.createElement("span");
  const fill = document.createElement("i");
  const share = document.createElement("span");
  name.textContent = d;
  bar.className = "bar";
  bar.append(fill);
  li.append(name, bar, share);
  $("bars").append(li);
  bars.push({ li, fill, share });
}

function show(answer) {
  $("digit").textContent = answer ? answer.digit : "";
  bars.forEach(({ li, fill, share }, d) => {
    const p = answer ? answer.probabilities[d] : 0;
    fill.style.width = 100 * p + "%";
    share.textContent = answer ? (100 * p).toFixed(1) + " %" : "";
    li.className = answer && d === answer.digit ? "best" : "";
  });
  say(answer ? `This is a ${answer.digit}, at ${(100 * answer.probabilities[answer.digit]).toFixed(1)} %.` : "Draw a digit.");
}

function clear() {
  ink.fillStyle = "#fff";
  ink.fillRect(0, 0, size, size);
  drawn = false;
  picture++;
  show(null);
}

function line(x0, y0, x1, y1) {
  ink.lineWidth = size / 14;
  ink.lineCap = ink.lineJoin = "round";
  ink.strokeStyle = "#000";
  ink.beginPath();
  ink.moveTo(x0, y0);
  ink.lineTo(x1 + 0.01, y1); // a line of no length is no dot
  ink.stroke();
  drawn = true;
  ask();
}

// Mouse, finger and pen. Only the first of several fingers draws.
let pointer = null;

function at(e) {
  const box = paper.getBoundingClientRect();
  return [((e.clientX - box.left) / box.width) * size, ((e.clientY - box.top) / box.height) * size];
}

paper.addEventListener("pointerdown", (e) => {
  if (pointer || e.button !== 0) return;
  paper.setPointerCapture(e.pointerId);
  const [x, y] = at(e);
  pointer = { id: e.pointerId, x, y };
  line(x, y, x, y);
});
paper.addEventListener("pointermove", (e) => {
  if (!pointer || e.pointerId !== pointer.id) return;
  for (const move of e.getCoalescedEvents?.().length ? e.getCoalescedEvents() : [e]) {
    const [x, y] = at(move);
    line(pointer.x, pointer.y, x, y);
    pointer.x = x;
    pointer.y = y;
  }
});
for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
  paper.addEventListener(end, (e) => {
    if (pointer && e.pointerId === pointer.id) pointer = null;
  });
}

// The keyboard: a pen that arrow keys move, set down and lifted by the space bar.
const pen = { x: size / 2, y: size / 2, down: false };
const step = size / 28;
const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function mark() {
  $("pen").style.left = (100 * pen.x) / size + "%";
  $("pen").style.top = (100 * pen.y) / size + "%";
  $("pen").className = pen.down ? "down" : "";
}

paper.addEventListener("keydown", (e) => {
  if (e.altKey || e.ctrlKey || e.metaKey) return;
  const move = moves[e.key];
  if (move) {
    const x = Math.min(Math.max(pen.x + move[0] * step, step), size - step);
    const y = Math.min(Math.max(pen.y + move[1] * step, step), size - step);
    if (pen.down) line(pen.x, pen.y, x, y);
    pen.x = x;
    pen.y = y;
  } else if (e.key === " ") {
    pen.down = !pen.down;
    if (pen.down) line(pen.x, pen.y, pen.x, pen.y);
  } else if (e.key === "Delete" || e.key === "Backspace" || e.key === "Escape") {
    pen.down = false;
    clear();
  } else {
    return;
  }
  $("pen").hidden = false;
  mark();
  e.preventDefault();
});
paper.addEventListener("blur", () => {
  pen.down = false;
  $("pen").hidden = true;
});
$("clear").addEventListener("click", clear);
$("model").addEventListener("change", ask);

// What is served, and how programs ask it.
function example(title, text) {
  const h = document.createElement("h3");
  const pre = document.createElement("pre");
  h.textContent = title;
  pre.textContent = text;
  $("curl").append(h, pre);
}

const typed = ({ datatype, shape }) => `${datatype} [${shape.map((d) => (d < 0 ? "any" : d)).join(", ")}]`;

async function start() {
  const base = new URL(".", location.href).href;
  const { models } = await (await fetch("v2/models")).json();
  $("names").textContent = models.map((m) => m.name).join(", ") || "no model";
  const readers = models.filter((m) => m.digits);
  for (const m of readers) $("model").append(new Option(m.name));
  $("model").parentElement.hidden = readers.length < 2;
  if (readers.length) {
    clear();
    $("digits").hidden = false;
    example("A picture of a digit", `curl -H 'Content-Type: image/png' --data-binary @digit.png ${base}v1/digits`);
  }
  for (const { name } of models) {
    const about = await (await fetch("v2/models/" + encodeURIComponent(name))).json();
    const inputs = about.inputs.map((t) => ({ name: t.name, shape: t.shape.map((d) => (d < 0 ? 1 : d)), datatype: t.datatype, data: ["..."] }));
    example(name, [
      ...about.inputs.map((t) => `takes  ${t.name}  ${typed(t)}`),
      ...about.outputs.map((t) => `gives  ${t.name}  ${typed(t)}`),
      "",
      `curl ${base}v2/models/${name}/infer -d '${JSON.stringify({ inputs }).replaceAll('["..."]', "[...]")}'`,
    ].join("\n"));
  }
}

start().catch((e) => ($("names").textContent = "nothing: " + e.message));
