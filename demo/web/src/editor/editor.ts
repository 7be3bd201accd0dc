// The tab of the network: its layers and the settings of its training, without code.
import type { LayersModel, Runtime } from "@weft-ml/weft";
import { html, nothing, render, type TemplateResult } from "lit/html.js";
import { message, type App } from "../app.js";
import { planTitle, presets, settingsOf, type Augment, type LayerKind, type LayerPlan, type Plan } from "../plan.js";
import { build } from "../training/build.js";

const kinds: { readonly [kind in LayerKind]: { title: string; fresh: LayerPlan } } = {
  conv2d: { title: "Convolution", fresh: { kind: "conv2d", filters: 16, kernelSize: 3, padding: "same", activation: "relu" } },
  maxPooling2d: { title: "Max pooling", fresh: { kind: "maxPooling2d", poolSize: 2 } },
  averagePooling2d: { title: "Average pooling", fresh: { kind: "averagePooling2d", poolSize: 2 } },
  globalAveragePooling2d: { title: "Global average", fresh: { kind: "globalAveragePooling2d" } },
  batchNormalization: { title: "Batch normalisation", fresh: { kind: "batchNormalization" } },
  dropout: { title: "Dropout", fresh: { kind: "dropout", rate: 0.25 } },
  flatten: { title: "Flatten", fresh: { kind: "flatten" } },
  dense: { title: "Dense", fresh: { kind: "dense", units: 64, activation: "relu" } },
};
const activations = ["relu", "tanh", "sigmoid", "elu", "gelu", "linear"];
const optimizers = ["adam", "adamw", "momentum", "sgd", "rmsprop", "adagrad", "lion"];
const count = new Intl.NumberFormat("en");

interface Info {
  shapes: string[];
  params: number[];
  total: number;
}

export class Editor {
  private info: Info | undefined;
  private error = "";
  private asked = 0;

  constructor(
    private readonly app: App,
    private readonly root: HTMLElement,
  ) {
    app.onchange(() => {
      if (!root.hidden) this.draw();
    });
    this.draw();
    void this.measure();
  }

  private get plan(): Plan {
    return this.app.plan;
  }

  /** The plan was changed by hand: it is nobody's preset any more. */
  private edited(): void {
    this.plan.preset = "custom";
    this.settled();
  }

  private settled(): void {
    this.app.changed();
    this.draw();
    void this.measure();
  }

  /** Has the runtime build the network, which tells the shapes or what does not fit. */
  private async measure(): Promise<void> {
    const asked = ++this.asked;
    let model: LayersModel | undefined;
    try {
      const runtime = await this.app.whole();
      model = await build(runtime, this.plan);
      if (asked !== this.asked) return;
      // Built-in networks tell their activations as layers too; the plan's are those with its kinds.
      const layers = this.plan.preset === "custom" ? model.layers : (await this.likeness(runtime)) ?? model.layers;
      // The input is listed by the editor itself.
      const own = layers.filter((l) => !/input/i.test(l.kind));
      this.info = { shapes: own.map((l) => shape(l.outputShape)), params: own.map((l) => l.params), total: model.params };
      this.error = "";
    } catch (err) {
      if (asked !== this.asked) return;
      this.info = undefined;
      this.error = message(err);
    } finally {
      model?.dispose();
    }
    this.draw();
  }

  /** The layers of a preset as if it had been put together by hand, which shows them as the editor lists them. */
  private async likeness(runtime: Runtime) {
    const model = await build(runtime, { ...this.plan, preset: "custom" });
    const { layers } = model;
    model.dispose();
    return layers;
  }

  private draw(): void {
    render(html`<div class="pair network">${this.architecture()} ${this.settings()}</div>`, this.root);
  }

  private architecture(): TemplateResult {
    const { plan, info } = this;
    return html`<section class="card" aria-labelledby="layers-title">
      <div class="row"><h2 id="layers-title">Layers</h2><span class="hint">${info ? `${count.format(info.total)} parameters` : nothing}</span></div>
      <div class="presets" role="group" aria-label="Ready-made networks">
        ${(Object.keys(presets) as Exclude<Plan["preset"], "custom">[]).map(
          (name) => html`<button type="button" aria-pressed=${plan.preset === name} title=${presets[name].about} @click=${() => this.choose(name)}>${presets[name].title}</button>`,
        )}
      </div>
      <ol class="stack-of-layers">
        <li class="ends"><b>Input</b><span class="hint">28 × 28 × 1</span></li>
        ${plan.layers.map((l, i) => this.layer(l, i))}
        <li class="ends"><b>Output</b><span class="hint">10, one for each digit${info ? html` · ${count.format(info.params[plan.layers.length] ?? 0)} parameters` : nothing}</span></li>
      </ol>
      ${this.error ? html`<p class="problem" role="alert">${this.error}</p>` : nothing}
      <label class="add">Add a layer
        <select aria-label="Add a layer" @change=${(e: Event) => this.add(e)}>
          <option value="">choose …</option>
          ${(Object.keys(kinds) as LayerKind[]).map((k) => html`<option value=${k}>${kinds[k].title}</option>`)}
        </select>
      </label>
    </section>`;
  }

  private layer(l: LayerPlan, i: number): TemplateResult {
    const { plan, info } = this;
    const name = `${kinds[l.kind].title}, layer ${i + 1}`;
    return html`<li>
      <div class="row">
        <b><small>${i + 1}</small> ${kinds[l.kind].title}</b>
        <span class="moves">
          <button type="button" class="quiet" aria-label="Move up: ${name}" ?disabled=${i === 0} @click=${() => this.move(i, -1)}>↑</button>
          <button type="button" class="quiet" aria-label="Move down: ${name}" ?disabled=${i === plan.layers.length - 1} @click=${() => this.move(i, 1)}>↓</button>
          <button type="button" class="quiet" aria-label="Remove: ${name}" @click=${() => this.remove(i)}>✕</button>
        </span>
      </div>
      <div class="fields">
        ${l.filters !== undefined ? this.number("filters", l.filters, 1, 256, 1, (v) => (l.filters = v), name) : nothing}
        ${l.kernelSize !== undefined ? this.number("kernel", l.kernelSize, 1, 15, 1, (v) => (l.kernelSize = v), name) : nothing}
        ${l.padding !== undefined ? this.select("padding", l.padding, ["valid", "same"], (v) => (l.padding = v as "valid"), name) : nothing}
        ${l.poolSize !== undefined ? this.number("size", l.poolSize, 1, 14, 1, (v) => (l.poolSize = v), name) : nothing}
        ${l.rate !== undefined ? this.number("rate", l.rate, 0, 0.9, 0.05, (v) => (l.rate = v), name) : nothing}
        ${l.units !== undefined ? this.number("units", l.units, 1, 2048, 1, (v) => (l.units = v), name) : nothing}
        ${l.activation !== undefined ? this.select("activation", l.activation, activations, (v) => (l.activation = v), name) : nothing}
      </div>
      ${info ? html`<p class="hint">${info.shapes[i]}${info.params[i] ? ` · ${count.format(info.params[i]!)} parameters` : ""}</p>` : nothing}
    </li>`;
  }

  private number(label: string, value: number, min: number, max: number, step: number, set: (v: number) => void, of: string): TemplateResult {
    const change = (e: Event) => {
      const input = e.target as HTMLInputElement;
      const v = Number(input.value);
      const ok = input.value !== "" && v >= min && v <= max && (step < 1 || Number.isInteger(v));
      input.setAttribute("aria-invalid", String(!ok));
      if (!ok) {
        this.error = `${of}: ${label} must be ${step < 1 ? "" : "a whole number "}from ${min} to ${max}.`;
        return this.draw();
      }
      set(v);
      this.edited();
    };
    return html`<label>${label} <input type="number" aria-label="${label} of ${of}" min=${min} max=${max} step=${step} .value=${String(value)} @change=${change} /></label>`;
  }

  private select(label: string, value: string, options: string[], set: (v: string) => void, of: string): TemplateResult {
    const change = (e: Event) => {
      set((e.target as HTMLSelectElement).value);
      this.edited();
    };
    return html`<label>${label} <select aria-label="${label} of ${of}" @change=${change}>${options.map((o) => html`<option ?selected=${o === value}>${o}</option>`)}</select></label>`;
  }

  private settings(): TemplateResult {
    const { plan, app } = this;
    const set = (f: () => void) => {
      f();
      app.changed();
      this.draw();
    };
    const field = (label: string, value: number, min: number, max: number, step: string, f: (v: number) => void) => {
      const change = (e: Event) => {
        const input = e.target as HTMLInputElement;
        const v = Number(input.value);
        const ok = input.value !== "" && v >= min && v <= max && (step === "any" || Number.isInteger(v));
        input.setAttribute("aria-invalid", String(!ok));
        input.setCustomValidity(ok ? "" : `from ${min} to ${max}`);
        if (ok) set(() => f(v));
        else input.reportValidity();
      };
      return html`<label>${label} <input type="number" min=${min} max=${max} step=${step} .value=${String(value)} @change=${change} /></label>`;
    };
    const slider = (label: string, key: keyof Augment, max: number, step: number, unit: string) => html`<label class="slider"
      >${label}
      <input type="range" min="0" max=${max} step=${step} .value=${String(plan.augment[key])} @input=${(e: Event) => set(() => (plan.augment[key] = Number((e.target as HTMLInputElement).value)))} />
      <output>${plan.augment[key] ? `${plan.augment[key]} ${unit}` : "off"}</output></label
    >`;
    return html`<section class="card settings" aria-labelledby="settings-title">
      <h2 id="settings-title">How ${plan.preset === "custom" ? "your network" : planTitle(plan)} learns</h2>
      <div class="grid">
        <label>Optimizer <select @change=${(e: Event) => set(() => (plan.optimizer = (e.target as HTMLSelectElement).value))}>${optimizers.map((o) => html`<option ?selected=${o === plan.optimizer}>${o}</option>`)}</select></label>
        ${field("Learning rate", plan.learningRate, 1e-6, 1, "any", (v) => (plan.learningRate = v))}
        ${field("Batch size", plan.batchSize, 1, 512, "1", (v) => (plan.batchSize = v))}
        ${field("Epochs", plan.epochs, 1, 200, "1", (v) => (plan.epochs = v))}
        ${field("Digits per epoch", plan.samples, 100, 60000, "1", (v) => (plan.samples = v))}
        ${field("Seed", plan.seed, 0, 4294967295, "1", (v) => (plan.seed = v))}
      </div>
      <h3>Augmentation</h3>
      ${slider("Shift", "shift", 4, 1, "pixels")} ${slider("Rotate", "rotate", 30, 1, "degrees")} ${slider("Scale", "scale", 0.3, 0.05, "parts")} ${slider("Bend", "elastic", 4, 0.5, "pixels")}
      <h3>Starts from</h3>
      <div class="choices">
        <label><input type="radio" name="start" .checked=${plan.start === "new"} @change=${() => set(() => (plan.start = "new"))} /> <span><b>Random weights</b> of this network</span></label>
        <label><input type="radio" name="start" .checked=${plan.start === "current"} ?disabled=${app.net?.fixed !== undefined} @change=${() => set(() => (plan.start = "current"))} /> <span><b>The model that answers now</b> ${app.net ? html`(${app.net.title})` : nothing}</span></label>
      </div>
    </section>`;
  }

  private choose(name: Exclude<Plan["preset"], "custom">): void {
    Object.assign(this.plan, settingsOf(name));
    this.plan.start = "new";
    this.settled();
  }

  private add(event: Event): void {
    const select = event.target as HTMLSelectElement;
    const kind = select.value as LayerKind | "";
    select.value = "";
    if (!kind) return;
    const { layers } = this.plan;
    // A layer for images belongs before the place where images end.
    const end = layers.findIndex((l) => l.kind === "flatten" || l.kind === "globalAveragePooling2d");
    const spatial = kind === "conv2d" || kind === "maxPooling2d" || kind === "averagePooling2d";
    layers.splice(spatial && end >= 0 ? end : layers.length, 0, { ...kinds[kind].fresh });
    this.edited();
  }

  private move(i: number, by: number): void {
    const { layers } = this.plan;
    const [l] = layers.splice(i, 1);
    layers.splice(i + by, 0, l!);
    this.edited();
  }

  private remove(i: number): void {
    this.plan.layers.splice(i, 1);
    this.edited();
  }
}

function shape(dims: readonly (number | null | string)[]): string {
  return dims
    .slice(1)
    .map((d) => d ?? "any")
    .join(" × ");
}
