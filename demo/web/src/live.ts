// Answers while the ink flows: one prediction a frame at most, always of the newest ink.
import type { LayersModel, Runtime } from "@weft-ml/weft";
import type { Program } from "@weft-ml/weft/program";
import { argmax, probabilities, type Input, type Net } from "./net.js";
import { pictureSize, type Pad } from "./pad.js";

export interface Answer {
  /** The digit prepared as the network sees it; undefined for models that take other pictures. */
  digit?: Float32Array;
  /** The model's input. */
  x: Float32Array;
  probabilities: Float32Array;
  best: number;
}

export interface Layer {
  name: string;
  kind: string;
  shape: number[];
  data: Float32Array;
}

export interface Insight {
  layers: Layer[];
  saliency?: Float32Array;
}

export class Live {
  /** Prepares digits, in this thread; the runtime does so where it does not run. */
  program: Program | undefined;
  runtime: Runtime | undefined;
  net: Net | undefined;
  /** Whether somebody looks at what is inside. */
  wantsInsight = (): boolean => false;
  onanswer = (_answer: Answer | undefined, _net: Net): void => {};
  oninsight = (_insight: Insight, _answer: Answer, _net: Net): void => {};
  onerror = (_err: unknown): void => {};

  private dirty = false;
  private running = false;

  constructor(private readonly pad: Pad) {}

  /** Asks for an answer to what is on the pad. Requests that come while one is computed become one. */
  wake(): void {
    this.dirty = true;
    if (!this.running) void this.loop();
  }

  private async loop(): Promise<void> {
    this.running = true;
    while (this.dirty) {
      this.dirty = false;
      const net = this.net;
      if (!net) break;
      try {
        await this.answer(net);
      } catch (err) {
        // A model that was replaced in between is no error.
        if (this.net === net) this.onerror(err);
      }
      if (this.dirty) await frame();
    }
    this.running = false;
  }

  private async answer(net: Net): Promise<void> {
    const { digit, x } = await this.input(net.input);
    if (this.net !== net) return;
    if (!x) return this.onanswer(undefined, net);
    const out = net.program ? net.program.run(x) : await predict(this.runtime!, net.model!, net.input, x);
    if (this.net !== net) return;
    const p = probabilities(out.subarray(0, net.classes));
    const answer: Answer = { x, probabilities: p, best: argmax(p) };
    if (digit) answer.digit = digit;
    this.onanswer(answer, net);
    const { model } = net;
    if (!model || net.input.free || !this.wantsInsight() || answer.best < 0) return;
    const [layers, saliency] = await Promise.all([model.activations(x), model.saliency(x, answer.best).catch(() => undefined)]);
    if (this.net !== net) return;
    this.oninsight(saliency ? { layers, saliency } : { layers }, answer, net);
  }

  /** The pad's picture as the model takes it; no x where the pad is blank. */
  async input(input: Input): Promise<{ digit?: Float32Array; x?: Float32Array }> {
    if (this.pad.empty) return {};
    const rgba = this.pad.pixels();
    if (input.kind === "digit") {
      const digit = this.program ? this.program.digitImage(rgba, pictureSize, pictureSize) : await this.runtime!.data.preprocess(rgba, { width: pictureSize, height: pictureSize });
      return digit ? { digit, x: digit } : {};
    }
    const { channels, height, width, last } = input;
    const plane = scale(rgba, pictureSize, width, height);
    const x = new Float32Array(channels * plane.length);
    for (let i = 0; i < plane.length; i++) {
      for (let c = 0; c < channels; c++) x[last ? i * channels + c : c * plane.length + i] = plane[i]!;
    }
    return { x };
  }
}

/** The model's answer to one input. */
export async function predict(runtime: Runtime, model: LayersModel, input: Input, x: Float32Array): Promise<Float32Array> {
  if (!input.free) return model.predictArray(x);
  const tensor = runtime.tensor(x, { shape: input.shape }); // which says what the model leaves open
  try {
    return await model.predictArray(tensor);
  } finally {
    tensor.dispose();
  }
}

/** The square picture's brightness in another size, values 0 to 1: means of areas, or the nearest pixel. */
function scale(rgba: Uint8ClampedArray, side: number, width: number, height: number): Float32Array {
  const out = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const [y0, y1] = [Math.floor((y * side) / height), Math.max(Math.floor((y * side) / height) + 1, Math.floor(((y + 1) * side) / height))];
    for (let x = 0; x < width; x++) {
      const [x0, x1] = [Math.floor((x * side) / width), Math.max(Math.floor((x * side) / width) + 1, Math.floor(((x + 1) * side) / width))];
      let sum = 0;
      for (let v = y0; v < y1; v++) for (let u = x0; u < x1; u++) sum += rgba[4 * (v * side + u)]!;
      out[y * width + x] = sum / ((y1 - y0) * (x1 - x0) * 255);
    }
  }
  return out;
}

/** The next frame, or a twentieth of a second where the page is hidden and has none. */
function frame(): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, 50);
    const request = requestAnimationFrame(done);
    function done() {
      clearTimeout(timer);
      cancelAnimationFrame(request);
      resolve();
    }
  });
}
