// Data sets that live on Go's side, and readers of files.
import type { Core } from "./core.js";
import { isTypedArray, sizeOf, type TypedArray } from "./dtype.js";
import { DisposedError, WeftError, argument } from "./errors.js";
import { imageData, type PixelSource } from "./pixels.js";
import { Wire, type Value } from "./protocol.js";

/** Facts of a data set. */
interface DatasetFacts {
  samples: number;
  shape: number[];
  classes: number;
}

/** Samples of a data set. */
export interface Samples {
  /** Features, one sample after the other. */
  x: Float32Array;
  /** Classes. */
  y: Int32Array;
  /** Shape of x, the number of samples in front. */
  shape: number[];
}

/**
 * Labelled samples in the runtime.
 *
 * @example
 * ```ts
 * const train = weft.data.digits({ seed: 1, samples: 6400 });
 * const { x, y, shape } = await train.get(0, 10);
 * ```
 */
export class Dataset {
  /** @internal */
  readonly id: number;
  private facts: DatasetFacts | undefined;
  private readonly made: Promise<void>;
  private gone = false;

  /** @internal */
  constructor(
    private readonly core: Core,
    id: number,
    made: Promise<DatasetFacts>,
  ) {
    this.id = id;
    this.made = made.then((facts) => {
      this.facts = { ...facts, shape: [...facts.shape] };
    });
    this.made.catch(() => {});
    core.watch(this, id);
  }

  /** Waits until the data set is there; rejects with what is wrong with it. */
  async ready(): Promise<this> {
    this.use();
    await this.made;
    return this;
  }

  /** @internal */
  use(): this {
    if (this.gone) throw new DisposedError(`dataset ${this.id}`);
    return this;
  }

  private known(): DatasetFacts {
    if (!this.facts) throw new WeftError("state", "weft: the facts of a dataset are known after await dataset.ready()");
    return this.facts;
  }

  /** Number of samples, known after `ready()`. */
  get samples(): number {
    return this.known().samples;
  }
  /** Shape of one sample. */
  get shape(): readonly number[] {
    return this.known().shape;
  }
  /** Number of classes. */
  get classes(): number {
    return this.known().classes;
  }

  /** Reads samples, as an epoch shows them. */
  async get(from: number, count: number, { epoch = 0 }: { epoch?: number } = {}): Promise<Samples> {
    await this.ready();
    const { x, y } = await this.core.call("dataset.get", { id: this.id, from, count, epoch });
    return { x: x.data, y: y.data, shape: [...x.shape] };
  }

  /** Adds samples of one's own. */
  async append(x: Float32Array, y: ArrayLike<number>): Promise<void> {
    await this.ready();
    const labels = Int32Array.from(y);
    const facts = this.known();
    const size = sizeOf(facts.shape);
    if (x.length !== size * labels.length) {
      throw new WeftError("shape", `weft: append: ${labels.length} samples of [${facts.shape.join(", ")}] have ${size * labels.length} elements, not ${x.length}`, { op: "append", shapes: [[...facts.shape]] });
    }
    const grown: DatasetFacts = await this.core.call("dataset.append", { id: this.id, x: new Wire("float32", [labels.length, ...facts.shape], x), y: labels });
    this.facts = { ...grown, shape: [...grown.shape] };
  }

  /** Gives the samples back. */
  dispose(): void {
    if (this.gone) return;
    this.gone = true;
    this.core.free(this, this.id);
  }

  /** For `using data = ...`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Options of the built-in digits. */
export interface DigitsOptions {
  seed?: number;
  /** Samples of one epoch. */
  samples?: number;
  /** Digits that training never sees. */
  test?: boolean;
}

type Bytes = ArrayBuffer | Uint8Array | Blob;

/** Readers of data sets. */
export class Data {
  /** @internal */
  constructor(private readonly core: Core) {}

  private make(method: string, args: { [key: string]: Value }): Dataset {
    const id = this.core.id();
    return new Dataset(this.core, id, this.core.call(method, { id, ...args }));
  }

  /** Digits that the runtime draws itself: nothing is fetched. */
  digits({ seed = 1, samples = 6400, test = false }: DigitsOptions = {}): Dataset {
    return this.make("digits.new", { seed, samples, test });
  }

  /** Samples from arrays: x holds them one after the other. */
  fromArrays(x: Float32Array, y: ArrayLike<number>, { shape, classes }: { shape: readonly number[]; classes?: number }): Dataset {
    const labels = Int32Array.from(y);
    if (x.length !== labels.length * sizeOf(shape)) {
      throw new WeftError("shape", `weft: fromArrays: ${labels.length} samples of [${shape.join(", ")}] have ${labels.length * sizeOf(shape)} elements, not ${x.length}`, { op: "fromArrays", shapes: [[...shape]] });
    }
    return this.make("dataset.new", { x: new Wire("float32", [labels.length, ...shape], x), y: labels, classes });
  }

  /** Data sets one after the other, as one. */
  concat(sets: readonly Dataset[]): Dataset {
    return this.make("dataset.concat", { of: sets.map((d) => d.use().id) });
  }

  /** The two files of an MNIST-like data set, compressed or not. */
  async idx({ images, labels }: { images: Bytes; labels: Bytes }): Promise<Dataset> {
    const [imagesName, labelsName] = [fileName(images) || "images", fileName(labels) || "labels"];
    const [i, l] = await Promise.all([unpacked(images, imagesName), unpacked(labels, labelsName)]);
    return this.make("idx.new", { images: i, labels: l, imagesName, labelsName }).ready();
  }

  /**
   * MNIST from its four files, as a visitor drops them or as URLs; they are told apart by their names.
   *
   * @example
   * ```ts
   * const { train, test } = await weft.data.mnist([...fileInput.files]);
   * ```
   */
  async mnist(files: readonly (File | string | URL)[]): Promise<{ train: Dataset; test: Dataset }> {
    const find = (set: RegExp, kind: RegExp, what: string) => {
      const file = files.find((f) => set.test(fileName(f)) && kind.test(fileName(f)));
      if (!file) throw argument(`mnist: there is no file with the ${what} among ${files.map(fileName).join(", ") || "none"}; its name has "train" or "t10k", and "images" or "labels"`);
      return file;
    };
    const [train, test] = [/train/i, /t10k|test/i];
    const [images, labels] = [/images|idx3/i, /labels|idx1/i];
    const parts = [find(train, images, "training images"), find(train, labels, "training labels"), find(test, images, "test images"), find(test, labels, "test labels")] as const;
    const read = async (images: File | string | URL, labels: File | string | URL) =>
      this.idx({ images: await asFile(images), labels: await asFile(labels) });
    const first = await read(parts[0], parts[1]);
    try {
      return { train: first, test: await read(parts[2], parts[3]) };
    } catch (err) {
      first.dispose();
      throw err;
    }
  }

  /**
   * A drawn digit as the models take it: its ink scaled into a box of 20 x 20 and centred by mass in 28 x 28. Bytes are gray with bright
   * ink. Null when there is no ink.
   */
  async preprocess(pixels: Uint8Array | Uint8ClampedArray | PixelSource, { width, height }: { width?: number; height?: number } = {}): Promise<Float32Array | null> {
    let wire: Wire;
    if (isTypedArray(pixels)) {
      if (!width || !height || pixels.length % (width * height)) throw argument("preprocess: give the width and height of the bytes");
      const channels = pixels.length / (width * height);
      wire = new Wire("uint8", channels === 1 ? [height, width] : [height, width, channels], pixels);
    } else {
      const image = imageData(pixels, width && height ? [height, width] : undefined);
      wire = new Wire("uint8", [image.height, image.width, 4], image.data);
    }
    const { x, blank } = await this.core.call("preprocess.digit", { pixels: wire });
    return blank ? null : x.data;
  }
}

/** Bytes of a file, a URL or a buffer. */
export async function readBytes(source: Bytes | string | URL): Promise<Uint8Array<ArrayBuffer>> {
  if (source instanceof Uint8Array) return source as Uint8Array<ArrayBuffer>;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (typeof Blob === "function" && source instanceof Blob) return new Uint8Array(await source.arrayBuffer());
  if (typeof source !== "string" && !(source instanceof URL)) throw argument(`bytes come as ArrayBuffer, Uint8Array, Blob or URL, not as ${Object.prototype.toString.call(source).slice(8, -1)}`);
  const response = await fetch(source);
  if (!response.ok) throw new WeftError("argument", `weft: ${String(source)}: the server answered ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** The last part of a file's name or address, "" where there is none. */
function fileName(source: Bytes | string | URL): string {
  if (typeof source === "string" || source instanceof URL) return String(source).replace(/[?#].*/, "").replace(/.*\//, "");
  return (source as { name?: string }).name ?? "";
}

/** A file with its name, for errors. */
async function asFile(source: File | string | URL): Promise<Blob> {
  return typeof source === "string" || source instanceof URL ? Object.assign(new Blob([await readBytes(source)]), { name: fileName(source) }) : source;
}

/** Bytes, decompressed when they are gzip. */
async function unpacked(source: Bytes, name: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await readBytes(source);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch (err) {
    throw new WeftError("format", `weft: ${name}: the gzip file is damaged or ends too early; fetch it again`, { cause: err });
  }
}

/** What models take as features: a typed array, nested lists, or several inputs. */
export function isDataset(x: unknown): x is Dataset {
  return x instanceof Dataset;
}

export type { TypedArray };
