// The page around the window: fetches the Go program and its kernels, puts both on one memory, and starts it. Ebitengine then draws
// into a canvas of its own, which is all of the page but the footer.
import { WeftError } from "../../../../js/src/errors.js";
import { goClass, type GoHost } from "../../../../js/src/go-glue.js";
import { prepare } from "../../../../js/src/loader.js";
import files from "weft:window";
import { onDrop } from "../drop.js";
import { idle, keep, variants } from "../keep.js";
import { Trainer } from "./trainer.js";

/** What the window shows; demo/ebiten/scene describes the fields. */
export interface WindowState {
  scene: "draw" | "inside" | "train";
  theme: "light" | "dark";
  answer: number | null;
  sure: number;
  training: string;
  [field: string]: unknown;
}

/** `globalThis.weftWindow`: between the page and the Go program, and for tests. */
class WeftWindow {
  readonly trainer = new Trainer();
  /** The kernels that the program runs with. */
  kernels = "";
  /** Whether the focus would leave the window's controls by Tab (1) or Shift+Tab (-1); it then does. The program sets this. */
  leaves: ((by: number) => boolean) | undefined;
  /** Called before each frame. */
  onframe: () => void = () => {};

  /** Pixels of the device in one of the page; the program asks before each frame. */
  get ratio(): number {
    this.onframe();
    return devicePixelRatio || 1;
  }

  /** Places of the pointer that were not taken yet. */
  moved = 0;

  private places: number[] = [];
  private now: WindowState | undefined;
  private spoken = "";
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** The way of the pointer since the last call: x and y as float32, little endian. */
  trail(): Uint8Array {
    const places = Float32Array.from(this.places);
    this.places = [];
    this.moved = 0;
    return new Uint8Array(places.buffer);
  }

  /**
   * Keeps where a pointer that is down has been: Ebitengine asks once a frame where it is, which draws corners where frames are slow. Of several
   * pointers nothing is kept.
   */
  follow(canvas: HTMLCanvasElement): void {
    const down = new Set<number>();
    const add = (e: PointerEvent) => {
      if (down.size !== 1 || !down.has(e.pointerId) || this.moved >= 1000) return;
      this.places.push(e.clientX, e.clientY);
      this.moved++;
    };
    canvas.addEventListener("pointerdown", (e) => {
      if (e.button !== 0) return;
      down.add(e.pointerId);
      this.trail();
      add(e);
    });
    canvas.addEventListener("pointermove", (e) => {
      const all = e.getCoalescedEvents?.() ?? [];
      (all.length ? all : [e]).forEach(add);
    });
    document.addEventListener("pointerup", (e) => {
      add(e);
      down.delete(e.pointerId);
    });
    document.addEventListener("pointercancel", (e) => {
      if (down.delete(e.pointerId)) this.trail();
    });
  }

  /** What the window shows now; undefined before its first frame. */
  state(): WindowState | undefined {
    return this.now;
  }

  /** The program tells what it shows, as JSON. */
  tell(json: string): void {
    const state = (this.now = JSON.parse(json) as WindowState);
    const { dataset } = document.documentElement;
    if (dataset["theme"] !== state.theme) dataset["theme"] = state.theme;
    if (document.body.dataset["state"] !== "running") {
      document.body.dataset["state"] = "running";
      idle(offline);
    }
    const text = state.answer === null ? "" : `The network reads ${state.answer}`;
    if (text === this.spoken) return;
    // Not every answer on the way to a digit is worth being heard.
    this.spoken = text;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => ($("live").textContent = text), 400);
  }
}

const $ = (id: string) => document.getElementById(id)!;
const weftWindow = new WeftWindow();
Object.assign(globalThis, { weftWindow });

function fail(text: string): void {
  document.body.dataset["state"] = "failed";
  $("message").textContent = text;
  $("message").setAttribute("role", "alert");
}

/** Leaves keys to the browser that are not the window's: Ebitengine would take them all. */
function keys(canvas: HTMLCanvasElement): void {
  let shift = false; // as Ebitengine knows it
  for (const type of ["keydown", "keyup"] as const) {
    addEventListener(
      type,
      (e: KeyboardEvent) => {
        if (e.target !== canvas) return;
        if (e.key === "Shift") shift = type === "keydown";
        else if (e.shiftKey !== shift) {
          // It went down or up while the focus was elsewhere.
          canvas.dispatchEvent(new KeyboardEvent(e.shiftKey ? "keydown" : "keyup", { key: "Shift", code: "ShiftLeft", shiftKey: e.shiftKey, bubbles: true, cancelable: true }));
        }
        const browsers = e.ctrlKey || e.metaKey || e.altKey || /^F\d+$/.test(e.key);
        const leaving = type === "keydown" && e.key === "Tab" && weftWindow.leaves?.(e.shiftKey ? -1 : 1);
        if (browsers || leaving) e.stopImmediatePropagation();
      },
      { capture: true },
    );
  }
  canvas.addEventListener("blur", () => (shift = false)); // Ebitengine lets go of all keys
  // Ebitengine does not hear of touches that the system takes away.
  canvas.addEventListener("touchcancel", (e) => {
    canvas.dispatchEvent(new TouchEvent("touchend", { cancelable: true, touches: [...e.touches], targetTouches: [...e.targetTouches], changedTouches: [...e.changedTouches] }));
  });
}

/**
 * Ebitengine sizes its canvas by the body's client size and by how many pixels of the device are one of the page's, which it asks once. Told that
 * they are the same, and given a body whose client size is in pixels of the device, it is right after a zoom and on another screen, too, and
 * has no pixel too many or too few where a page's pixel is a fraction of the device's.
 */
function pixels(): void {
  const { body } = document;
  let [width, height] = [body.clientWidth, body.clientHeight]; // in pixels of the page
  let exact: ResizeObserverSize | undefined; // in pixels of the device; Safari does not tell, and emulated screens tell another's
  let known = 0; // pixels of the device in one of the page
  const size = { Width: 0, Height: 0 };
  const measure = () => {
    known = devicePixelRatio || 1;
    const count = (about: number, told = about) => (Math.abs(told - about) < 1 ? told : Math.round(about));
    const [Width, Height] = [count(width * known, exact?.inlineSize), count(height * known, exact?.blockSize)];
    if (Width === size.Width && Height === size.Height) return;
    Object.assign(size, { Width, Height });
    dispatchEvent(new Event("resize")); // upon which Ebitengine asks again
  };
  measure();
  for (const side of ["Width", "Height"] as const) Object.defineProperty(body, `client${side}`, { configurable: true, get: () => size[side] });
  // Not every change of the ratio comes with an event.
  weftWindow.onframe = () => {
    if ((devicePixelRatio || 1) !== known) measure();
  };
  const observer = new ResizeObserver(([entry]) => {
    ({ width, height } = entry!.contentRect);
    exact = entry!.devicePixelContentBoxSize?.[0];
    measure();
  });
  try {
    observer.observe(body, { box: "device-pixel-content-box" });
  } catch {
    observer.observe(body);
  }
}

/** Spares the canvas what nothing is drawn with: without a graphics card samples, depth and stencil of all pixels take most of a frame. */
function plain(): void {
  const { prototype } = HTMLCanvasElement;
  const getContext = prototype.getContext as (this: HTMLCanvasElement, kind: string, options?: object) => RenderingContext | null;
  prototype.getContext = function (this: HTMLCanvasElement, kind: string, options?: object) {
    return getContext.call(this, kind, kind === "webgl2" ? { ...options, antialias: false, depth: false, stencil: false, alpha: false } : options);
  } as typeof prototype.getContext;
}

/** Takes files, dropped or chosen. */
function bring(): void {
  const { trainer } = weftWindow;
  const input = $("files") as HTMLInputElement;
  trainer.choose = () => {
    input.value = "";
    input.click();
  };
  input.addEventListener("change", () => input.files?.length && void trainer.bring([...input.files], ""));
  onDrop(
    (over) => document.body.classList.toggle("dropping", over),
    (list, folder) => void trainer.bring(list, folder),
  );
}

/** Keeps what this page has used for offline use: the window, and the runtime once it has trained. Who never opens the window fetches none of it. */
function offline(): void {
  const page = [...document.querySelectorAll<HTMLScriptElement | HTMLLinkElement>("script[src], link[rel=stylesheet]")].map((e) => ("src" in e ? e.src : e.href));
  const kernels = files.runtime[`kernels-${weftWindow.kernels}.wasm`] ?? [];
  void keep(["window/", ...page, files.program].concat(kernels));
  weftWindow.trainer.onstart = (runtime) => void keep(variants(files.runtime, runtime.report()));
}

async function run(): Promise<void> {
  if (!document.createElement("canvas").getContext("webgl2")) {
    throw new Error("This browser gives no WebGL 2, with which the window is drawn: graphics acceleration may be switched off in its settings. The page itself works without.");
  }
  const kernels = new URLSearchParams(location.search).get("kernels"); // ?kernels=simd128 or generic: what another browser would run
  const urls = Object.fromEntries(Object.entries({ ...files.runtime, "weft.wasm": files.program }).map(([plain, name]) => [plain, new URL(name, import.meta.url).href]));
  const bar = $("progress") as HTMLProgressElement;
  const ground = await prepare(
    { urls, kernels: kernels === "relaxed" || kernels === "simd128" || kernels === "generic" ? kernels : "auto", threads: 1, set: "core", modules: {}, mayBlock: false, debug: false },
    ({ phase, loaded }) => {
      if (phase === "fetch") {
        // Compressed answers do not say how long they are; the build does.
        bar.value = Math.min(1, (loaded ?? 0) / files.bytes);
        $("message").textContent = `Loading, ${((loaded ?? 0) / 1e6).toFixed(1)} of ${(files.bytes / 1e6).toFixed(1)} MB …`;
      } else {
        bar.removeAttribute("value");
        $("message").textContent = "Starting …";
      }
    },
  );
  weftWindow.kernels = ground.kernels.name;
  pixels();
  plain();
  bring();
  const go = new (goClass(globalThis as unknown as GoHost))();
  const instance = await WebAssembly.instantiate(ground.go, { ...go.importObject, ...ground.imports });
  new MutationObserver((_, observer) => {
    const canvas = document.querySelector("canvas");
    if (!canvas) return;
    observer.disconnect();
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-label", "Weft's window: draw a digit, look inside, train");
    canvas.setAttribute("aria-describedby", "about");
    keys(canvas);
    weftWindow.follow(canvas);
  }).observe(document.body, { childList: true });
  await go.run(instance);
  throw new Error("The window has ended; the browser's console says why. Reload the page to start it again.");
}

run().catch((err: unknown) => {
  const text = err instanceof Error ? err.message : String(err);
  fail(err instanceof WeftError ? `The window does not start. ${text.replace(/^weft: /, "")}.` : text);
  if (!(err instanceof WeftError)) console.warn(err);
});
