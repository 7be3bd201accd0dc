// The tab of training: figures, curves, confusion matrix, misread digits, and what it learns from.
import { html, nothing, render, type TemplateResult } from "lit/html.js";
import { guard } from "lit/directives/guard.js";
import { ref } from "lit/directives/ref.js";
import type { App } from "../app.js";
import { onColours, paint, ramp } from "../colours.js";
import { receive } from "../files.js";
import { planTitle } from "../plan.js";
import { vars } from "../vars.js";
import { Charts } from "./charts.js";
import { examplesOf, type Example } from "./examples.js";
import { duration, type Session, type Wrong } from "./session.js";

const number = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const digits = [...Array(10).keys()];

export class TrainingPanel {
  private readonly head = document.createElement("div");
  private readonly chartBox = document.createElement("div");
  private readonly foot = document.createElement("div");
  private charts: Charts | undefined;
  private queued = 0;
  private drawn = 0;
  private colours = 0; // how often they have changed

  constructor(
    private readonly app: App,
    private readonly root: HTMLElement,
  ) {
    this.head.className = this.foot.className = "stack";
    this.chartBox.className = "charts";
    root.append(this.head, this.chartBox, this.foot);
    app.onchange(() => this.later());
    onColours(() => {
      this.colours++;
      this.later();
    });
    this.draw();
  }

  /** Draws at the next frame, a few times a second while it learns. */
  private later(): void {
    if (this.queued) return;
    const wait = Math.max(0, this.drawn + 200 - performance.now());
    this.queued = window.setTimeout(() =>
      requestAnimationFrame(() => {
        this.queued = 0;
        if (!this.root.hidden) this.draw();
        else this.drawn = 0;
      }), wait);
  }

  private draw(): void {
    this.drawn = performance.now();
    const { app } = this;
    const s = app.session;
    render(s ? this.figures(s) : this.invitation(), this.head);
    this.chartBox.hidden = !s;
    if (s) {
      this.charts ??= new Charts(this.chartBox);
      this.charts.show(s);
    }
    // What changes with each check only is not compared at every step.
    render(html`${guard([s?.confusion, this.colours], () => (s ? this.errors(s) : nothing))} ${this.source()}`, this.foot);
  }

  private invitation(): TemplateResult {
    const { plan } = this.app;
    return html`<div class="card invite">
      <h2>Watch ${planTitle(plan)} learn in this tab</h2>
      <p class="hint">
        Press <b>Train</b>: it starts from random weights and sees ${plan.data === "mnist" ? "MNIST’s handwritten digits" : `${number.format(plan.samples)} fresh, made-up digits`} in each of ${plan.epochs} epochs. Draw
        meanwhile: the pad answers with the network as it learns.
      </p>
    </div>`;
  }

  private figures(s: Session): TemplateResult {
    const tile = (name: string, value: string, more = "") => html`<div class="card tile"><dt>${name}</dt><dd>${value}<small>${more}</small></dd></div>`;
    const test = s.test;
    return html`<dl class="tiles">
      ${tile("Test accuracy", test ? `${(100 * test.accuracy).toFixed(1)} %` : "–", test ? `of ${number.format(test.images)} images, step ${number.format(test.step)}` : "")}
      ${tile("Loss", Number.isFinite(s.lastLoss) ? s.lastLoss.toFixed(3) : "–", `step ${number.format(s.step)} of ${s.steps ? number.format(s.steps) : "…"}`)}
      ${tile("Speed", s.imagesPerSecond ? number.format(s.imagesPerSecond) : "–", "images/s")}
      ${tile(s.busy ? "Left" : "State", s.busy ? (s.state === "paused" ? "Paused" : Number.isFinite(s.eta) ? duration(s.eta) : "…") : s.state[0]!.toUpperCase() + s.state.slice(1), `epoch ${Math.min(s.epoch + 1, s.epochs)} of ${s.epochs}`)}
    </dl>`;
  }

  private errors(s: Session): TemplateResult {
    const m = s.confusion;
    if (!m) return html``;
    const rows = m.map((r) => r.reduce((a, b) => a + b, 0));
    return html`<div class="pair">
      <section class="card" aria-labelledby="confusion-title">
        <h2 id="confusion-title">Confusion</h2>
        <p class="hint">rows: what it is; columns: what the network reads</p>
        <table class="confusion">
          <thead>
            <tr>
              <td></td>
              ${digits.map((d) => html`<th scope="col">${d}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${digits.map(
              (d) => html`<tr>
                <th scope="row">${d}</th>
                ${digits.map((p) => {
                  const n = m[d]?.[p] ?? 0;
                  const share = rows[d] ? n / rows[d]! : 0;
                  // Errors are few: they are drawn stronger.
                  return html`<td class=${d === p ? "right" : n ? "wrong" : ""} ${vars({ "--v": (d === p ? share : Math.min(1, Math.sqrt(share) * 1.5)).toFixed(3) })}>${n || ""}</td>`;
                })}
              </tr>`,
            )}
          </tbody>
        </table>
      </section>
      <section class="card" aria-labelledby="wrong-title">
        <h2 id="wrong-title">Misread digits</h2>
        <p class="hint">${s.wrong.length ? "what it is → what it reads" : "none of the test images"}</p>
        <ul class="thumbs">
          ${s.wrong.map((w) => this.thumb(w))}
        </ul>
      </section>
    </div>`;
  }

  private thumb(w: Wrong): TemplateResult {
    return html`<li><canvas class="pixels" width="28" height="28" role="img" aria-label="a ${w.label} read as ${w.predicted}" ${ref((c) => c && digit(c, w.x))}></canvas><span aria-hidden="true">${w.label} → ${w.predicted}</span></li>`;
  }

  private source(): TemplateResult {
    const { app } = this;
    const { plan, mnist } = app;
    const own = examplesOf(app);
    const pick = (data: "digits" | "mnist") => () => {
      plan.data = data;
      app.changed();
    };
    return html`<section class="card" aria-labelledby="data-title">
      <h2 id="data-title">It learns from</h2>
      <div class="choices">
        <label><input type="radio" name="data" .checked=${plan.data === "digits"} @change=${pick("digits")} /> <span><b>Built-in digits</b> drawn by a program as they are needed; no download</span></label>
        <label class=${mnist ? "" : "off"}
          ><input type="radio" name="data" .checked=${plan.data === "mnist"} ?disabled=${!mnist} @change=${pick("mnist")} />
          <span><b>MNIST</b> ${mnist ? `${number.format(mnist.train.samples)} training, ${number.format(mnist.test.samples)} test images` : "drop its four files anywhere on this page (.gz or not)"}</span></label
        >
        <span><button type="button" @click=${(e: Event) => (e.target as HTMLElement).parentElement!.querySelector("input")!.click()}>Choose MNIST files</button><input type="file" multiple hidden aria-label="MNIST files" @change=${(e: Event) => this.choose(e)} /></span>
      </div>
      <h3>Your digits</h3>
      ${own.list.length
        ? html`<p class="hint">Learned at once, and mixed into every training with built-in digits. Press one to remove it.</p>
            <ul class="thumbs">
              ${guard([own.list.length, own.list[0], this.colours], () => own.list.map((e) => this.example(e)))}
            </ul>`
        : html`<p class="hint">Draw one and press the digit below its bars: the network learns it on the spot.</p>`}
    </section>`;
  }

  private example(e: Example): TemplateResult {
    const remove = () => {
      examplesOf(this.app).remove(e);
      this.app.changed();
    };
    return html`<li><button type="button" class="quiet" aria-label="Remove your ${e.label}" @click=${remove}><canvas class="pixels" width="28" height="28" ${ref((c) => c && digit(c, e.x))}></canvas><span aria-hidden="true">${e.label}</span></button></li>`;
  }

  private choose(event: Event): void {
    const input = event.target as HTMLInputElement;
    const files = [...(input.files ?? [])];
    input.value = "";
    if (files.length) void receive(this.app, files);
  }
}

function digit(canvas: Element, x: Float32Array): void {
  paint(canvas as HTMLCanvasElement, x, 0, 28, 28, 0, 1, ramp("--ink-ramp"));
}
