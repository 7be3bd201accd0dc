// <weft-digits>: a drawing pad with a network that reads the digit as the ink flows.
import { loadProgram } from "./program.js";

/** What the event "prediction" tells. */
export interface Prediction {
  /** The digit; null on an empty pad. */
  digit: number | null;
  /** Probability of each digit. */
  probabilities: number[];
}

/** What reads a picture: its logits, or null without ink. */
type Reading = (rgba: Uint8ClampedArray) => Float32Array | null | Promise<Float32Array | null>;

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
 * The element. Attributes: `src`, a model that takes pictures [n, 1, 28, 28], as a program file (.weft, which needs no Go) or as ONNX (LeNet trained on
 * MNIST without it), and `base-url`, the folder of the package's files. It sends the event "prediction" with `detail: { digit, probabilities }`.
 *
 * @example
 * ```html
 * <script type="module" src="./weft/digits.js"></script>
 * <weft-digits></weft-digits>
 * ```
 */
export class WeftDigits extends Base {
  /** Resolves when the model is there; rejects with what is wrong with it. */
  readonly ready: Promise<void>;
  private canvas!: HTMLCanvasElement;
  private context!: CanvasRenderingContext2D;
  private output!: HTMLOutputElement;
  private bars: HTMLElement[] = [];
  private start!: () => void;
  private reader: Reading | undefined;
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

  private async load(): Promise<void> {
    try {
      const base = this.getAttribute("base-url");
      const options = base ? { baseURL: new URL(base, document.baseURI) } : {};
      const src = this.getAttribute("src");
      const url = src ? new URL(src, document.baseURI) : base ? new URL("lenet.weft", String(options.baseURL).replace(/\/?$/, "/")) : new URL("./lenet.weft", import.meta.url);
      this.reader = await (url.pathname.endsWith(".onnx") ? readONNX(url, options) : readProgram(url, options));
      void this.read();
    } catch (err) {
      this.output.textContent = "–";
      this.output.title = (err as Error).message;
      this.dispatchEvent(new ErrorEvent("error", { error: err, message: (err as Error).message }));
      throw err;
    }
  }

  /** Reads the pad; ink that comes while it reads is read right after. */
  private async read(): Promise<void> {
    if (!this.reader) return;
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
    for (let i = 0; i < data.length; i += 4) {
      // The ink, whatever its colour, as white on black.
      data[i] = data[i + 1] = data[i + 2] = data[i + 3]!;
      data[i + 3] = 255;
    }
    const logits = await this.reader!(data);
    if (!logits) return none;
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

interface Base {
  baseURL?: URL;
}

/** A program file: read in the page's own thread, in less time than a message takes. */
async function readProgram(url: URL, options: Base): Promise<Reading> {
  const program = await loadProgram(url, options);
  return (rgba) => {
    const x = program.digitImage(rgba, side, side);
    return x && program.run(x);
  };
}

/** An ONNX model: read by the runtime, which is fetched for it. */
async function readONNX(url: URL, options: Base): Promise<Reading> {
  const { init } = await import("./index.js");
  const runtime = await init(options);
  const model = await runtime.load(url);
  return async (rgba) => {
    const x = await runtime.data.preprocess(rgba, { width: side, height: side });
    return x && model.predictArray(x);
  };
}

if (typeof customElements === "object" && !customElements.get("weft-digits")) customElements.define("weft-digits", WeftDigits);
