// The drawing pad: ink by mouse, finger, pen and keyboard.
import { drawStroke, penWidth, sample, type Stroke } from "./ink.js";

/** Width and height of the picture that the network is given to look at. */
export const pictureSize = 140;

/** How far an arrow key moves the pen, in the pad's widths. */
const keyStep = 1 / 28;

export class Pad {
  /** Called when the ink has changed. */
  onink = (): void => {};

  private strokes: Stroke[] = [];
  private live = new Map<number, Stroke>(); // by pointer
  private readonly view: CanvasRenderingContext2D;
  private readonly picture: CanvasRenderingContext2D;
  private pen = { x: 0.5, y: 0.5 };
  private keyStroke: Stroke | undefined;
  private isExample = false;
  private animation = 0;

  constructor(
    readonly canvas: HTMLCanvasElement,
    private readonly cursor: HTMLElement,
  ) {
    this.view = canvas.getContext("2d", { desynchronized: true })!;
    const small = document.createElement("canvas");
    small.width = small.height = pictureSize;
    this.picture = small.getContext("2d", { willReadFrequently: true, alpha: false })!;
    canvas.addEventListener("pointerdown", (e) => this.down(e));
    canvas.addEventListener("pointermove", (e) => this.move(e));
    for (const name of ["pointerup", "pointercancel"] as const) canvas.addEventListener(name, (e) => this.up(e));
    canvas.addEventListener("keydown", (e) => this.keyDown(e));
    canvas.addEventListener("keyup", (e) => this.keyUp(e));
    canvas.addEventListener("focus", () => this.showCursor());
    canvas.addEventListener("blur", () => {
      this.endKeyStroke();
      this.showCursor();
    });
    new ResizeObserver(() => this.resize()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
    this.resize();
  }

  get empty(): boolean {
    return this.strokes.length === 0;
  }

  /** Whether what is on the pad was not drawn by the visitor. */
  get example(): boolean {
    return this.isExample;
  }

  /** The ink as it is given to the network: a small picture in RGBA, white ink on black. */
  pixels(): Uint8ClampedArray {
    return this.picture.getImageData(0, 0, pictureSize, pictureSize).data;
  }

  clear(): void {
    cancelAnimationFrame(this.animation);
    this.isExample = false;
    this.strokes = [];
    this.live.clear();
    this.keyStroke = undefined;
    this.redraw();
    this.onink();
  }

  undo(): void {
    if (this.isExample) return this.clear();
    this.strokes.pop();
    this.redraw();
    this.onink();
  }

  /** Shows a digit that was drawn beforehand, at once or stroke by stroke; the first ink of the visitor replaces it. */
  show(digit: number, animate = false): void {
    cancelAnimationFrame(this.animation);
    const strokes = sample(digit);
    this.live.clear();
    this.isExample = true;
    if (!animate) {
      this.strokes = strokes;
      this.redraw();
      this.onink();
      return;
    }
    this.strokes = [];
    this.redraw();
    const total = strokes.reduce((n, s) => n + s.length, 0);
    const start = performance.now();
    const draw = (now: number) => {
      let left = Math.min(1, Math.max(0, (now - start) / 550)) * total;
      this.strokes = [];
      for (const s of strokes) {
        if (left >= 1) this.strokes.push(s.slice(0, Math.ceil(left)));
        left -= s.length;
      }
      this.redraw();
      this.onink();
      if (now - start < 550) this.animation = requestAnimationFrame(draw);
    };
    this.animation = requestAnimationFrame(draw);
  }

  /** Draws everything again, after a change of size or colours. */
  redraw(): void {
    const { canvas } = this;
    this.view.clearRect(0, 0, canvas.width, canvas.height);
    this.picture.fillStyle = "#000";
    this.picture.fillRect(0, 0, pictureSize, pictureSize);
    const colour = getComputedStyle(canvas).color;
    this.view.strokeStyle = this.view.fillStyle = colour;
    this.picture.strokeStyle = this.picture.fillStyle = "#fff";
    for (const stroke of this.strokes) this.ink(stroke, 0, ![...this.live.values(), this.keyStroke].includes(stroke));
  }

  private ink(stroke: Stroke, from: number, end: boolean): void {
    drawStroke(this.view, stroke, this.canvas.width, from, end);
    drawStroke(this.picture, stroke, pictureSize, from, end);
  }

  private resize(): void {
    const side = Math.round(this.canvas.clientWidth * Math.min(devicePixelRatio || 1, 3)) || 600;
    if (side === this.canvas.width && side === this.canvas.height) return;
    this.canvas.width = this.canvas.height = side;
    this.redraw();
  }

  /** Takes the example away before the visitor's first ink. */
  private own(): void {
    if (!this.isExample) return;
    this.clear();
  }

  private down(e: PointerEvent): void {
    if (e.button !== 0) return;
    e.preventDefault();
    this.canvas.focus({ preventScroll: true });
    try {
      this.canvas.setPointerCapture(e.pointerId);
    } catch {
      // A pointer that has gone, or one of a script: it draws as far as its events come.
    }
    this.own();
    const stroke: Stroke = [];
    this.live.set(e.pointerId, stroke);
    this.strokes.push(stroke);
    this.extend(stroke, [e]);
  }

  private move(e: PointerEvent): void {
    const stroke = this.live.get(e.pointerId);
    if (!stroke) return;
    const all = e.getCoalescedEvents?.() ?? [];
    this.extend(stroke, all.length ? all : [e]);
  }

  private up(e: PointerEvent): void {
    const stroke = this.live.get(e.pointerId);
    if (!stroke) return;
    this.live.delete(e.pointerId);
    this.ink(stroke, stroke.length, true);
    this.onink();
  }

  private extend(stroke: Stroke, events: PointerEvent[]): void {
    const box = this.canvas.getBoundingClientRect();
    const from = stroke.length;
    for (const e of events) {
      const x = (e.clientX - box.left) / box.width, y = (e.clientY - box.top) / box.height;
      const last = stroke[stroke.length - 1];
      if (last && Math.hypot(x - last.x, y - last.y) < 0.002) continue;
      // Only pens tell a pressure that means something.
      const w = e.pointerType === "pen" && e.pressure > 0 ? penWidth * (0.55 + 0.9 * e.pressure) : penWidth;
      stroke.push({ x, y, w: last ? 0.6 * last.w + 0.4 * w : w });
    }
    if (stroke.length === from) return;
    this.pen = { x: stroke[stroke.length - 1]!.x, y: stroke[stroke.length - 1]!.y };
    this.showCursor();
    this.ink(stroke, from, false);
    this.onink();
  }

  private keyDown(e: KeyboardEvent): void {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const far = e.shiftKey ? 3 : 1;
    const moves: { [key: string]: [number, number] } = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const move = moves[e.key];
    if (move) {
      const inside = (v: number) => Math.min(1 - keyStep, Math.max(keyStep, v));
      this.pen = { x: inside(this.pen.x + move[0] * keyStep * far), y: inside(this.pen.y + move[1] * keyStep * far) };
      if (this.keyStroke) this.keyInk();
      this.showCursor();
    } else if (e.key === " ") {
      if (!this.keyStroke) {
        this.own();
        this.keyStroke = [];
        this.strokes.push(this.keyStroke);
        this.keyInk();
      }
    } else if (e.key === "Escape" || e.key === "Delete") {
      this.clear();
    } else if (e.key === "z" || e.key === "Backspace") {
      this.undo();
    } else {
      return;
    }
    e.preventDefault();
  }

  private keyUp(e: KeyboardEvent): void {
    if (e.key === " ") this.endKeyStroke();
  }

  private keyInk(): void {
    const stroke = this.keyStroke!;
    stroke.push({ ...this.pen, w: penWidth });
    this.ink(stroke, stroke.length - 1, false);
    this.onink();
  }

  private endKeyStroke(): void {
    const stroke = this.keyStroke;
    if (!stroke) return;
    this.keyStroke = undefined;
    if (stroke.length > 1) this.ink(stroke, stroke.length, true);
    this.showCursor();
    this.onink();
  }

  private showCursor(): void {
    const { cursor } = this;
    cursor.hidden = !this.canvas.matches(":focus-visible");
    cursor.classList.toggle("inking", this.keyStroke !== undefined);
    cursor.style.setProperty("--x", `${this.pen.x * 100}%`);
    cursor.style.setProperty("--y", `${this.pen.y * 100}%`);
  }
}
