// <weft-digits>: a drawing pad with a network that reads the digit as the ink flows.
import { init, type InitOptions, type LayersModel, type Runtime } from "./index.js";

/** What the event "prediction" tells. */
export interface Prediction {
  /** The digit; null on an empty pad. */
  digit: number | null;
  /** Probability of each digit. */
  probabilities: number[];
}

const side = 280;

const css = `
:host { display: inline-block; font: inherit; color: inherit; --weft-ink: currentColor; --weft-accent: #2563eb; }
:host([hidden]) { display: none; }
.pad { display: grid; grid-template-columns: auto auto; gap: 12px; align-items: stretch; }
canvas { width: min(280px, 70vw); aspect-ratio: 1; border: 1px solid color-mix(in srgb, currentColor 30%, transparent); border-radius: 12px; touch-action: none; cursor: crosshair; }
canvas:focus-visible, button:focus-visible { outline: 2px solid var(--weft-accent); outline-offset: 2px; }
.side { display: flex; flex-direction: column; gap: 4px; min-width: 96px; }
output { font-size: 40px; line-height: 48px; min-height: 48px; text-align: center; font-variant-numeric: tabular-nums; }
ol { list-style: none; margin: 0; padding: 0; flex: 1; display: flex; flex-direction: column; justify-content: space-between; font-size: 12px; font-variant-numeric: tabular-nums; }
li { display: grid; grid-template-columns: 1em 1fr; gap: 6px; align-items: center; }
li i { display: block; height: 8px; border-radius: 4px; background: var(--weft-accent); transform-origin: left; transform: scaleX(0); }
button { font: inherit; padding: 6px 12px; border-radius: 8px; border: 1px solid color-mix(in srgb, currentColor 30%, transparent); background: transparent; color: inherit; cursor: pointer; }
`;

// Node and other places without a document may import the package: the class is made where there are elements.
const Base = (globalThis as { HTMLElement?: typeof HTMLElement }).HTMLElement ?? (class {} as typeof HTMLElement);

/**
 * The element. Attributes: `src`, an ONNX model that takes pictures [n, 1, 28, 28] (LeNet trained on MNIST without it), and `base-url`, the folder
 * of the package's .wasm files. It sends the event "prediction" with `detail: { digit, probabilities }`.
 *
 * @example
 * ```html
 * <script type="module" src="./weft/digits.js"></script>
 * <weft-digits></weft-digits>
 * ```
 */
export class WeftDigits extends Base {
  /** The runtime and the model, once they are there. */
  readonly ready: Promise<LayersModel>;
  private canvas!: HTMLCanvasElement;
  private context!: CanvasRenderingContext2D;
  private output!: HTMLOutputElement;
  private bars: HTMLElement[] = [];
  private start!: () => void;
  private runtime: Runtime | undefined;
  private model: LayersModel | undefined;
  private last: { x: number; y: number } | undefined;
  private inked = false;
  private reading = false;
  private stale = false;

  constructor() {
    super();
    this.ready = new Promise<void>((resolve) => {
      this.start = resolve;
    }).then(() => this.load());
    this.ready.catch(() => {}); // shown in the element
    this.build();
  }

  /** Starts the runtime when the element comes into a page. */
  connectedCallback(): void {
    this.start();
  }

  /** Wipes the pad. */
  clear(): void {
    this.context.clearRect(0, 0, side, side);
    this.inked = false;
    this.last = undefined;
    void this.read();
  }

  private build(): void {
    const root = this.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
    const make = <K extends keyof HTMLElementTagNameMap>(tag: K, label: string | undefined, parent: Node) => {
      const el = document.createElement(tag);
      if (label !== undefined) el.setAttribute("aria-label", label);
      parent.appendChild(el);
      return el;
    };
    const pad = make("div", undefined, root);
    pad.className = "pad";
    this.canvas = make("canvas", "Drawing pad", pad);
    this.canvas.width = this.canvas.height = side;
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "img");
    this.context = this.canvas.getContext("2d", { willReadFrequently: true })!;
    const column = make("div", undefined, pad);
    column.className = "side";
    this.output = make("output", "Prediction", column);
    const list = make("ol", "Probabilities", column);
    for (let digit = 0; digit < 10; digit++) {
      const row = make("li", undefined, list);
      row.append(String(digit));
      this.bars.push(make("i", undefined, row));
    }
    const clear = make("button", undefined, column);
    clear.type = "button";
    clear.textContent = "Clear";
    clear.addEventListener("click", () => this.clear());
    this.listen();
  }

  private listen(): void {
    const { canvas } = this;
    const point = (event: PointerEvent) => {
      const box = canvas.getBoundingClientRect();
      return { x: ((event.clientX - box.left) / box.width) * side, y: ((event.clientY - box.top) / box.height) * side };
    };
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      this.last = point(event);
      this.stroke([this.last]);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!this.last) return;
      const events = event.getCoalescedEvents?.() ?? [];
      this.stroke((events.length ? events : [event]).map(point));
    });
    for (const kind of ["pointerup", "pointercancel"] as const) canvas.addEventListener(kind, () => (this.last = undefined));
    canvas.addEventListener("keydown", (event) => {
      if (event.key === "Delete" || event.key === "Backspace" || event.key === "Escape") this.clear();
    });
  }

  private stroke(points: { x: number; y: number }[]): void {
    const { context } = this;
    context.lineWidth = side / 12;
    context.lineCap = context.lineJoin = "round";
    context.strokeStyle = getComputedStyle(this.canvas).color;
    for (const p of points) {
      const from = this.last ?? p;
      context.beginPath();
      context.moveTo(from.x, from.y);
      context.lineTo(p.x, p.y);
      context.stroke();
      this.last = p;
    }
    this.inked = true;
    void this.read();
  }

  private async load(): Promise<LayersModel> {
    try {
      const baseURL = this.getAttribute("base-url");
      const options: InitOptions = baseURL ? { baseURL: new URL(baseURL, document.baseURI) } : {};
      this.runtime = await init(options);
      const src = this.getAttribute("src");
      this.model = await this.runtime.load(src ? new URL(src, document.baseURI) : new URL("./lenet.onnx", import.meta.url));
      void this.read();
      return this.model;
    } catch (err) {
      this.output.textContent = "–";
      this.output.title = (err as Error).message;
      this.dispatchEvent(new ErrorEvent("error", { error: err, message: (err as Error).message }));
      throw err;
    }
  }

  /** Reads the pad; ink that comes while it reads is read right after. */
  private async read(): Promise<void> {
    if (!this.runtime || !this.model) return;
    if (this.reading) {
      this.stale = true;
      return;
    }
    this.reading = true;
    try {
      do {
        this.stale = false;
        this.show(await this.predict());
      } while (this.stale);
    } catch (err) {
      this.dispatchEvent(new ErrorEvent("error", { error: err, message: (err as Error).message }));
    } finally {
      this.reading = false;
    }
  }

  private async predict(): Promise<Prediction> {
    const none: Prediction = { digit: null, probabilities: Array<number>(10).fill(0) };
    if (!this.inked) return none;
    const { data } = this.context.getImageData(0, 0, side, side);
    const ink = Uint8Array.from({ length: side * side }, (_, i) => data[4 * i + 3]!);
    const x = await this.runtime!.data.preprocess(ink, { width: side, height: side });
    if (!x) return none;
    const logits = await this.model!.predictArray(x);
    const top = Math.max(...logits);
    const weights = Array.from(logits, (v) => Math.exp(v - top));
    const sum = weights.reduce((a, b) => a + b, 0);
    return { digit: logits.indexOf(top), probabilities: weights.map((w) => w / sum) };
  }

  private show(prediction: Prediction): void {
    this.output.textContent = prediction.digit === null ? "" : String(prediction.digit);
    prediction.probabilities.forEach((p, i) => {
      if (this.bars[i]) this.bars[i].style.transform = `scaleX(${p.toFixed(3)})`;
    });
    this.dispatchEvent(new CustomEvent<Prediction>("prediction", { detail: prediction, bubbles: true, composed: true }));
  }
}

if (typeof customElements === "object" && !customElements.get("weft-digits")) customElements.define("weft-digits", WeftDigits);
