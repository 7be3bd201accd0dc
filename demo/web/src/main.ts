// The page: puts its parts together. LeNet's own answers, microseconds each, are computed in this thread, everything else in the worker.
import type { LayersModel, Runtime } from "@weft-ml/weft";
import type { Program } from "@weft-ml/weft/program";
import { runtime, starting, weights } from "./start.js";
import { AnswerView } from "./answer.js";
import { message, type App } from "./app.js";
import { onColours } from "./colours.js";
import { onDrop } from "./drop.js";
import { Inside } from "./inside.js";
import { Live } from "./live.js";
import { ModelCard } from "./modelcard.js";
import { inputOf, type Net } from "./net.js";
import { Pad } from "./pad.js";
import { firstPlan } from "./plan.js";
import { idle } from "./keep.js";
import { offline } from "./offline.js";
import { status } from "./status.js";
import { Tabs } from "./tabs.js";
import { theme } from "./theme.js";
import type { WritingPanel } from "./writing/panel.js";

const $ = <E extends HTMLElement>(id: string) => document.getElementById(id) as E;
const say = status($("status"));
theme($("theme"));

const pad = new Pad($<HTMLCanvasElement>("pad"), $("cursor"));
const answer = new AnswerView($<HTMLOutputElement>("prediction"), $("sure"), $("bars"));
const inside = new Inside($("inside"));
const live = new Live(pad);
const listeners: (() => void)[] = [];
const noticeBox = $("notice");

const app: App = {
  pad,
  live,
  answer,
  inside,
  runtime: undefined,
  whole: () => (completed ??= complete()),
  net: undefined,
  plan: firstPlan(),
  session: undefined,
  examples: undefined,
  mnist: undefined,
  use(net) {
    const old = app.net;
    app.net = live.net = net;
    answer.setClasses(net.classes, net.fixed === undefined);
    $("teach").textContent = net.fixed ?? teachHint;
    inside.blank();
    if (old?.model && old.model !== net.model) dispose(old.model);
    app.changed();
    live.wake();
  },
  changed() {
    for (const f of listeners) f();
  },
  onchange(f) {
    listeners.push(f);
  },
  fail(err, what) {
    app.notice(what ? `${what}: ${message(err)}` : message(err));
    void revive(err);
  },
  notice(text, kind = "bad") {
    noticeBox.hidden = text === "";
    noticeBox.textContent = text;
    noticeBox.className = `notice ${kind}`;
  },
  show(tab) {
    tabs.show(tab);
  },
  writing: () => (writing ??= import("./more.js").then(({ WritingPanel }) => new WritingPanel(app, $("text")))),
};

let writing: Promise<WritingPanel> | undefined;
const teachHint = $("teach").textContent;

const tabs = new Tabs(
  document.querySelector<HTMLElement>("[role=tablist]")!,
  {
    training: (root) => import("./more.js").then(({ TrainingPanel }) => void new TrainingPanel(app, root)),
    network: (root) => import("./more.js").then(({ Editor }) => void new Editor(app, root)),
    text: () => app.writing(),
  },
  () => {
    app.changed();
    live.wake();
  },
);

live.wantsInsight = () => inside.visible;
let first = true;
live.onanswer = (a, net) => {
  answer.show(a);
  if (!a) inside.blank();
  else if (a.digit && inside.visible) inside.digit(a.digit);
  if (first && a && net === app.net) {
    first = false;
    performance.mark("first-prediction");
    document.body.dataset["state"] = "ready";
    say.first(performance.now(), live.program?.kernels);
    // What is wanted next is fetched when there is nothing else to do.
    idle(() => {
      void import("./more.js");
      app.whole().then(
        () => offline(app),
        (err: unknown) => app.notice(`Training does not work here: ${message(err)}`),
      );
    });
  }
};
live.oninsight = (insight, a, net) => inside.show(insight, a, net);
live.onerror = (err) => app.fail(err);

function hints(): void {
  $<HTMLButtonElement>("undo").disabled = pad.empty;
  $("pad-hint").hidden = !pad.empty;
}
pad.onink = () => {
  hints();
  live.wake();
};
onColours(() => pad.redraw());
$("clear").addEventListener("click", () => pad.clear());
$("undo").addEventListener("click", () => pad.undo());
let example = 3;
$("example").addEventListener("click", () => {
  example = (example + 1 + Math.floor(Math.random() * 8)) % 10;
  pad.show(example, !matchMedia("(prefers-reduced-motion: reduce)").matches);
});
answer.onteach = (digit) => {
  void import("./more.js").then(({ teach }) => teach(app, digit)).then(
    (text) => ($("teach").textContent = text),
    (err: unknown) => app.fail(err),
  );
};
pad.show(example);
new ModelCard(app, $("model"), original);

// Files may be dropped anywhere on the page.
onDrop(
  (over) => document.body.classList.toggle("dropping", over),
  (files) => void import("./more.js").then(({ receive }) => receive(app, files)),
);

/** The LeNet that comes with the page, answered by its program where there is one. */
function given(program: Program | undefined, model?: LayersModel): Net {
  const accuracy = Number((program?.metadata ?? model?.metadata ?? {})["weft.test_accuracy"]);
  const note = accuracy > 0 ? `trained on MNIST, reads ${(100 * accuracy).toFixed(2)} % of its test images` : "trained on MNIST";
  return { title: "LeNet", note, input: inputOf([1, 1, 28, 28]), classes: 10, origin: "given", ...(program && { program }), ...(model && { model }) };
}

async function original(): Promise<void> {
  try {
    const runtime = await app.whole();
    const model = await runtime.load(await weights());
    app.use(given(live.program, model));
    app.session = undefined;
    app.changed();
  } catch (err) {
    app.notice(message(err));
  }
}

/** Gives a model back; its runtime may have ended before it. */
function dispose(model: { dispose(): void }): void {
  try {
    model.dispose();
  } catch {
    // Then the model has ended with it.
  }
}

let completed: Promise<Runtime> | undefined;

/** Starts the runtime and loads LeNet into it. */
async function complete(): Promise<Runtime> {
  try {
    const [next, bytes] = await Promise.all([runtime(), weights()]);
    const model = await next.load(bytes);
    app.runtime = live.runtime = next;
    const { net } = app;
    if (net && !net.model) net.model = model;
    else app.use(given(undefined, model));
    say.runtime(next);
    app.changed();
    live.wake();
    return next;
  } catch (err) {
    completed = undefined; // it can be tried again
    throw err;
  }
}

/** Starts the runtime again if it has ended: by force, or by a lack of memory. */
async function revive(err: unknown): Promise<void> {
  const old = app.runtime;
  if (!old || !["worker", "closed", "internal", "memory"].includes((err as { code?: string }).code ?? "")) return;
  try {
    await old.memory();
    return; // it lives: the error was about one call
  } catch {
    if (app.runtime !== old) return; // somebody else has seen it
  }
  app.runtime = live.runtime = completed = undefined;
  app.mnist = undefined; // what the runtime held is lost
  app.plan.data = "digits";
  app.plan.start = "new";
  if (live.program) app.use(given(live.program));
  try {
    await app.whole();
    app.notice("The part that computes had ended and was started again. What it had learned or been given is lost.");
  } catch (again) {
    app.notice(`The part that computes has ended and does not start again: ${message(again)}`);
  }
}

async function begin(): Promise<void> {
  try {
    const program = await starting;
    if (program) {
      live.program = program;
      app.use(given(program));
    } else {
      await app.whole();
    }
  } catch (err) {
    document.body.dataset["state"] = "error";
    app.notice(message(err));
    say.failed();
  }
}

void begin();
