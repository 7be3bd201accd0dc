// A model as the page knows it: what it takes, what it answers, where it comes from.
import type { LayersModel } from "@weft-ml/weft";
import type { Program } from "@weft-ml/weft/program";

/** How the pad's picture becomes the model's input. */
export interface Input {
  /** "digit": 28x28 values, prepared as MNIST is; "image": any other picture. */
  kind: "digit" | "image";
  channels: number;
  height: number;
  width: number;
  /** Channels last, as Keras has them. */
  last: boolean;
  /** The shape of one sample, with a batch of 1. */
  shape: number[];
  /** Whether the model leaves the size to whoever asks. */
  free: boolean;
}

export interface Net {
  /** The model in the runtime; LeNet answers before it is there. */
  model?: LayersModel;
  /** The model as a program of this thread, as long as its weights are those of the file. */
  program?: Program;
  title: string;
  /** A sentence on where it comes from. */
  note: string;
  input: Input;
  classes: number;
  origin: "given" | "trained" | "loaded";
  /** Why it cannot be taught, or nothing. */
  fixed?: string;
}

type Dim = number | string | null | undefined;

/** Describes what a model takes. The error says why it cannot answer about a drawing. */
export function inputOf(shape: readonly Dim[]): Input {
  const text = `[${shape.map((d) => (typeof d === "number" && d > 0 ? d : "N")).join(", ")}]`;
  const dims = shape.slice(1).map((d) => (typeof d === "number" && d > 0 ? d : 0));
  const refuse = (why: string): never => {
    throw new Error(`The model takes ${text}: ${why}. This page can show models that take one image: [N, channels, height, width], [N, height, width, channels] or [N, 784].`);
  };
  if (shape.length === 0) refuse("a single number");
  const count = dims.reduce((a, b) => a * b, 1);
  const of = (kind: Input["kind"], channels: number, height: number, width: number, last: boolean): Input => ({ kind, channels, height, width, last, shape: [1, ...dims], free: false });
  if (count === 784) return of("digit", 1, 28, 28, false);
  if (dims.length === 3) {
    // A side that is left open gets the size that most models are trained with.
    const side = (d: number) => d || 224;
    const [a, b, c] = dims as [number, number, number];
    const image = (channels: number, h: number, w: number, last: boolean): Input => {
      const [height, width] = [side(h), side(w)];
      if (height * width > 1024 * 1024) refuse("more than a million pixels");
      return { kind: "image", channels, height, width, last, shape: last ? [1, height, width, channels] : [1, channels, height, width], free: dims.includes(0) };
    };
    if (a === 1 || a === 3) return image(a, b, c, false);
    if (c === 1 || c === 3) return image(c, a, b, true);
    refuse("images of neither 1 nor 3 channels");
  }
  return refuse(dims.length === 1 ? `${count || "any number of"} values that are no 28x28 image` : "no image");
}

/** Softmax, unless the values are probabilities already. */
export function probabilities(out: Float32Array): Float32Array {
  let sum = 0, low = Infinity, high = -Infinity;
  for (const v of out) {
    sum += v;
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  if (low >= 0 && Math.abs(sum - 1) < 1e-3) return out;
  const p = out.map((v) => Math.exp(v - high));
  const total = p.reduce((a, b) => a + b, 0);
  return p.map((v) => v / total);
}

/** The place of the largest value; -1 where there is none, as when all are NaN. */
export function argmax(values: ArrayLike<number>): number {
  let best = -1;
  for (let i = 0; i < values.length; i++) if (values[i]! > (best < 0 ? -Infinity : values[best]!)) best = i;
  return best;
}
