// What the network sees and makes of it: its 28x28 pixels, where it looks, and the maps of each layer.
import { onColours, paint, paintOver, ramp } from "./colours.js";
import type { Answer, Insight, Layer } from "./live.js";
import type { Net } from "./net.js";

/** Layers that only hand values on have nothing new to show. */
const silent = /flatten|dropout|reshape|identity|cast|input/i;
const activation = /^(leaky|p)?relu$|^elu$|^tanh$|^sigmoid$|^gelu$|^activation$/i;
const mapLimit = 64;
const layerLimit = 24;

interface Row {
  key: string;
  root: HTMLElement;
  canvases: HTMLCanvasElement[];
}

export class Inside {
  private readonly seen: HTMLCanvasElement;
  private readonly looks: HTMLCanvasElement;
  private readonly layers: HTMLElement;
  private readonly caption: HTMLElement;
  private rows: Row[] = [];
  private last: { insight: Insight; answer: Answer; net: Net } | undefined;

  constructor(private readonly root: HTMLElement) {
    root.innerHTML = `<div class="card eyes">
  <figure><canvas class="pixels" width="28" height="28" role="img" aria-label="The 28 by 28 pixels that the network sees"></canvas><figcaption><b>What it sees</b>28 × 28 pixels: cut out, scaled, centred by mass</figcaption></figure>
  <figure><canvas class="pixels" width="28" height="28" role="img" aria-label="Saliency: the pixels that matter most to the answer"></canvas><figcaption><b>Where it looks</b><span>pixels that move its answer most</span></figcaption></figure>
</div>
<div class="card layers"><h2 class="hidden">Layers</h2></div>`;
    const [seen, looks] = root.querySelectorAll("canvas");
    this.seen = seen!;
    this.looks = looks!;
    this.caption = root.querySelectorAll<HTMLElement>("figcaption span")[0]!;
    this.layers = root.querySelector<HTMLElement>(".layers")!;
    onColours(() => (this.last ? this.show(this.last.insight, this.last.answer, this.last.net) : this.blank()));
    this.blank();
  }

  get visible(): boolean {
    return !this.root.hidden;
  }

  /** Shows that there is nothing to see. */
  blank(): void {
    this.last = undefined;
    const empty = new Float32Array(784);
    for (const c of [this.seen, this.looks]) paint(c, empty, 0, 28, 28, 0, 1, ramp("--ink-ramp"));
    for (const { canvases } of this.rows) {
      for (const c of canvases) paint(c, new Float32Array(c.width * c.height), 0, c.width, c.height, 0, 1, ramp("--map-ramp"));
    }
  }

  /** Shows the prepared digit alone, before the rest is known. */
  digit(digit: Float32Array): void {
    paint(this.seen, digit, 0, 28, 28, 0, 1, ramp("--ink-ramp"));
  }

  show(insight: Insight, answer: Answer, net: Net): void {
    this.last = { insight, answer, net };
    const { input } = net;
    const plane = input.kind === "digit" ? answer.x : firstPlane(answer.x, input.channels, input.height * input.width, input.last);
    const [w, h] = [input.width, input.height];
    paint(this.seen, plane, 0, w, h, 0, 1, ramp("--ink-ramp"));
    if (insight.saliency) paintOver(this.looks, plane, firstPlane(insight.saliency, input.channels, w * h, input.last), w, h);
    this.caption.textContent = `pixels that move the answer “${answer.best}” most`;
    const shown = insight.layers.filter((l) => !silent.test(l.kind) && (l.shape.length === 4 || l.shape.length === 2));
    // A layer is shown after its activation, which files hold as a node of its own.
    const layers: Layer[] = [];
    for (const layer of shown) {
      const before = layers[layers.length - 1];
      if (before && activation.test(layer.kind) && !activation.test(before.kind) && String(before.shape) === String(layer.shape)) {
        layers[layers.length - 1] = { ...layer, kind: before.kind };
      } else if (layers.length < layerLimit) {
        layers.push(layer);
      }
    }
    while (this.rows.length > layers.length) this.rows.pop()!.root.remove();
    for (const [i, layer] of layers.entries()) {
      const key = `${layer.name} ${layer.kind} ${layer.shape}`;
      let row = this.rows[i];
      if (!row || row.key !== key) {
        const made = this.row(layer, key, i === layers.length - 1);
        if (row) row.root.replaceWith(made.root);
        else this.layers.append(made.root);
        row = this.rows[i] = made;
      }
      this.paintRow(row, layer);
    }
  }

  private row(layer: Layer, key: string, last: boolean): Row {
    const root = document.createElement("section");
    root.className = "layer";
    const label = document.createElement("h3");
    const size = layer.shape.slice(1).join(" × ");
    label.innerHTML = `<b></b><span></span>`;
    label.firstElementChild!.textContent = title(layer.kind);
    label.lastElementChild!.textContent = size;
    label.title = layer.name;
    const maps = document.createElement("div");
    const canvases: HTMLCanvasElement[] = [];
    if (layer.shape.length === 4) {
      const [, channels, height] = layer.shape as [number, number, number, number];
      maps.className = "maps";
      maps.style.setProperty("--cell", `${height >= 20 ? 84 : height >= 12 ? 56 : 35}px`);
      maps.style.setProperty("--count", String(Math.min(16, channels)));
      for (let c = 0; c < Math.min(channels, mapLimit); c++) canvases.push(document.createElement("canvas"));
      maps.append(...canvases);
      if (channels > mapLimit) maps.append(Object.assign(document.createElement("span"), { textContent: `+ ${channels - mapLimit}` }));
    } else {
      maps.className = last && layer.shape[1]! <= 10 ? "units few" : "units";
      const canvas = document.createElement("canvas");
      canvases.push(canvas);
      maps.append(canvas);
      if (last && layer.shape[1]! <= 10) {
        const classes = document.createElement("div");
        for (let i = 0; i < layer.shape[1]!; i++) classes.append(Object.assign(document.createElement("span"), { textContent: String(i) }));
        maps.append(classes);
      }
    }
    maps.setAttribute("role", "img");
    maps.setAttribute("aria-label", `${title(layer.kind)} ${layer.name}, ${size}`);
    root.append(label, maps);
    return { key, root, canvases };
  }

  private paintRow(row: Row, layer: Layer): void {
    const { data, shape } = layer;
    let lo = 0, hi = 1e-6;
    for (const v of data) {
      if (v < lo) lo = v;
      if (v > hi) hi = v;
    }
    const colours = ramp("--map-ramp");
    if (shape.length === 4) {
      const [, , h, w] = shape as [number, number, number, number];
      for (const [c, canvas] of row.canvases.entries()) paint(canvas, data, c * h * w, w, h, lo, hi, colours);
    } else {
      const n = shape[1]!;
      const columns = n <= 128 ? n : Math.ceil(n / Math.ceil(n / 128));
      const rows = Math.ceil(n / columns);
      const padded = rows * columns === data.length ? data : Float32Array.from({ length: rows * columns }, (_, i) => data[i] ?? lo);
      paint(row.canvases[0]!, padded, 0, columns, rows, lo, hi, colours);
      row.canvases[0]!.style.setProperty("--rows", String(rows));
    }
  }
}

function firstPlane(x: Float32Array, channels: number, size: number, last: boolean): Float32Array {
  if (channels === 1 || !last) return x.subarray(0, size);
  return Float32Array.from({ length: size }, (_, i) => x[i * channels]!);
}

/** A layer's kind in words: "Conv" and "conv2d" are Convolution. */
function title(kind: string): string {
  const k = kind.toLowerCase();
  if (k.includes("conv")) return "Convolution";
  if (k.includes("maxpool")) return "Max pooling";
  if (k.includes("averagepool")) return "Average pooling";
  if (k.includes("gemm") || k.includes("matmul") || k.includes("dense")) return "Dense";
  if (k.includes("batchnorm")) return "Normalisation";
  if (k.includes("softmax")) return "Softmax";
  return kind;
}
