// Pictures as tensors.
import { WeftError, argument } from "./errors.js";
import { Wire } from "./protocol.js";

/** Where a picture comes from. */
export type PixelSource = ImageData | HTMLCanvasElement | OffscreenCanvas | HTMLImageElement | HTMLVideoElement | ImageBitmap;

/** Options of `fromPixels`. */
export interface PixelOptions {
  /** 1 (luminance), 3 (red, green, blue; the default) or 4 (with opacity). */
  channels?: 1 | 3 | 4;
  /** Height and width to scale to. */
  size?: readonly [number, number];
  /** White for black: for dark ink on a light ground. */
  invert?: boolean;
  /** Numbers from 0 to 1 in place of bytes. */
  normalize?: boolean;
}

/** The pixels of a source, red, green, blue and opacity. */
export function imageData(source: PixelSource, size?: readonly [number, number]): ImageData {
  const direct = "data" in source && source.data instanceof Uint8ClampedArray;
  if (direct && (!size || (size[0] === source.height && size[1] === source.width))) return source as ImageData;
  const s = source as { naturalWidth?: number; videoWidth?: number; width: number; naturalHeight?: number; videoHeight?: number; height: number };
  const width = s.naturalWidth ?? s.videoWidth ?? s.width;
  const height = s.naturalHeight ?? s.videoHeight ?? s.height;
  if (!width || !height) throw argument("fromPixels: the picture is empty or not loaded yet; wait for its load event");
  const [h, w] = size ?? [height, width];
  if (typeof OffscreenCanvas !== "function" && typeof document !== "object") {
    throw new WeftError("unsupported", "weft: fromPixels: there is no canvas here to scale pictures with; pass ImageData of the right size");
  }
  const make = (mw: number, mh: number) =>
    typeof OffscreenCanvas === "function" ? new OffscreenCanvas(mw, mh) : Object.assign(document.createElement("canvas"), { width: mw, height: mh });
  const canvas = make(w, h);
  const context = canvas.getContext("2d", { willReadFrequently: true }) as OffscreenCanvasRenderingContext2D | null;
  if (!context) throw new WeftError("unsupported", "weft: fromPixels: the canvas gives no 2d context");
  let drawn = source as CanvasImageSource;
  if (direct) {
    const full = make(width, height);
    (full.getContext("2d") as OffscreenCanvasRenderingContext2D).putImageData(source as ImageData, 0, 0);
    drawn = full as CanvasImageSource;
  }
  context.imageSmoothingQuality = "high";
  context.drawImage(drawn, 0, 0, w, h);
  return context.getImageData(0, 0, w, h);
}

/** A picture as [height, width, channels]. */
export function fromPixels(source: PixelSource, { channels = 3, size, invert = false, normalize = false }: PixelOptions = {}): Wire {
  if (channels !== 1 && channels !== 3 && channels !== 4) throw argument(`fromPixels: channels is 1, 3 or 4, not ${String(channels)}`);
  const { data, width, height } = imageData(source, size);
  const n = width * height;
  const out = normalize ? new Float32Array(n * channels) : new Uint8Array(n * channels);
  const scale = normalize ? 1 / 255 : 1;
  for (let i = 0, o = 0; i < n; i++) {
    const at = 4 * i;
    const [r, g, b, a] = [data[at]!, data[at + 1]!, data[at + 2]!, data[at + 3]!];
    const flip = (v: number) => (invert ? 255 - v : v) * scale;
    if (channels === 1) {
      // ITU-R BT.601 luminance, as the command line reads pictures.
      const y = Math.round(0.299 * r + 0.587 * g + 0.114 * b);
      out[o++] = flip(y);
      continue;
    }
    out[o++] = flip(r);
    out[o++] = flip(g);
    out[o++] = flip(b);
    if (channels === 4) out[o++] = a * scale;
  }
  return new Wire(normalize ? "float32" : "uint8", [height, width, channels], out);
}
