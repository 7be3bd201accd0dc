// Colours of pictures: ramps from the style sheet's own colours, so that they follow the theme.

export type Ramp = Uint32Array; // 256 colours as ImageData holds them

let cache = new Map<string, Ramp>();
const listeners: (() => void)[] = [];

/** Calls f when the colours of the page have changed. */
export function onColours(f: () => void): void {
  listeners.push(f);
}

/** Tells everyone that the colours have changed. */
export function coloursChanged(): void {
  cache = new Map();
  for (const f of listeners) f();
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", coloursChanged);

/** The ramp that the style sheet names: --ink-ramp (paper to ink), --map-ramp (features), --heat-ramp. */
export function ramp(name: "--ink-ramp" | "--map-ramp" | "--heat-ramp"): Ramp {
  let r = cache.get(name);
  if (r) return r;
  const stops = getComputedStyle(document.documentElement).getPropertyValue(name).trim().split(/\s+/).map(parse);
  r = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    const at = (i / 255) * (stops.length - 1);
    const k = Math.min(stops.length - 2, Math.floor(at));
    const [a, b, t] = [stops[k]!, stops[k + 1]!, at - k];
    const mix = (c: number) => Math.round(a[c]! + (b[c]! - a[c]!) * t);
    r[i] = (255 << 24) | (mix(2) << 16) | (mix(1) << 8) | mix(0);
  }
  cache.set(name, r);
  return r;
}

function parse(hex: string): number[] {
  const v = parseInt(hex.slice(1), 16);
  return [(v >> 16) & 255, (v >> 8) & 255, v & 255];
}

/** Paints w x h values, lo to hi along the ramp, into the canvas, one pixel each. */
export function paint(canvas: HTMLCanvasElement, data: ArrayLike<number>, offset: number, w: number, h: number, lo: number, hi: number, colours: Ramp): void {
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const c = canvas.getContext("2d")!;
  const image = c.createImageData(w, h);
  const out = new Uint32Array(image.data.buffer);
  const scale = hi > lo ? 255 / (hi - lo) : 0;
  for (let i = 0; i < out.length; i++) {
    const v = (data[offset + i]! - lo) * scale;
    out[i] = colours[v > 0 ? Math.min(255, Math.round(v)) : 0]!;
  }
  c.putImageData(image, 0, 0);
}

/** Paints a digit with a heat map of the same size over it. */
export function paintOver(canvas: HTMLCanvasElement, digit: ArrayLike<number>, heat: ArrayLike<number>, w: number, h: number): void {
  const ink = ramp("--ink-ramp"), hot = ramp("--heat-ramp");
  let top = 0;
  for (let i = 0; i < w * h; i++) top = Math.max(top, Math.abs(heat[i]!));
  canvas.width = w;
  canvas.height = h;
  const c = canvas.getContext("2d")!;
  const image = c.createImageData(w, h);
  for (let i = 0; i < w * h; i++) {
    const share = top > 0 ? Math.abs(heat[i]!) / top : 0;
    const a = ink[Math.round(Math.min(1, Math.max(0, digit[i]!)) * 140)]!, b = hot[Math.round(share * 255)]!;
    const t = Math.min(1, share * 1.4);
    for (let k = 0; k < 3; k++) {
      const [u, v] = [(a >> (8 * k)) & 255, (b >> (8 * k)) & 255];
      image.data[4 * i + k] = u + (v - u) * t;
    }
    image.data[4 * i + 3] = 255;
  }
  c.putImageData(image, 0, 0);
}
