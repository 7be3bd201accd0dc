// The plan of a training: architecture and settings, as the editor shows them.

export type LayerKind = "conv2d" | "maxPooling2d" | "averagePooling2d" | "batchNormalization" | "dropout" | "flatten" | "globalAveragePooling2d" | "dense";

export interface LayerPlan {
  kind: LayerKind;
  filters?: number;
  kernelSize?: number;
  padding?: "valid" | "same";
  activation?: string;
  poolSize?: number;
  rate?: number;
  units?: number;
}

export interface Augment {
  shift: number;
  rotate: number;
  scale: number;
  elastic: number;
}

export interface Plan {
  /** Architectures that Weft brings along are built by it, with the same bits as its command line. */
  preset: "lenet" | "lenet5" | "mlp" | "cnn" | "custom";
  /** All layers but the last, which has one unit for each digit. */
  layers: LayerPlan[];
  optimizer: string;
  learningRate: number;
  batchSize: number;
  epochs: number;
  augment: Augment;
  seed: number;
  start: "new" | "current";
  data: "digits" | "mnist";
  /** Built-in digits of an epoch. */
  samples: number;
}

const conv = (filters: number, kernelSize: number, activation = "relu", padding: "valid" | "same" = "valid"): LayerPlan => ({ kind: "conv2d", filters, kernelSize, padding, activation });
const pool: LayerPlan = { kind: "maxPooling2d", poolSize: 2 };
const mean: LayerPlan = { kind: "averagePooling2d", poolSize: 2 };
const flat: LayerPlan = { kind: "flatten" };
const dense = (units: number, activation = "relu"): LayerPlan => ({ kind: "dense", units, activation });
const norm: LayerPlan = { kind: "batchNormalization" };
const drop = (rate: number): LayerPlan => ({ kind: "dropout", rate });

interface Preset {
  title: string;
  about: string;
  layers: LayerPlan[];
  optimizer: string;
  learningRate: number;
  batchSize: number;
}

export const presets: { readonly [name in Exclude<Plan["preset"], "custom">]: Preset } = {
  lenet: { title: "LeNet", about: "two convolutions, ReLU, max pooling", optimizer: "adam", learningRate: 0.002, batchSize: 32, layers: [conv(6, 5), pool, conv(16, 5), pool, flat, dense(120)] },
  lenet5: {
    title: "LeNet-5 (1998)",
    about: "tanh and average pooling, in the paper's sizes",
    optimizer: "adam",
    learningRate: 0.002,
    batchSize: 32,
    layers: [conv(6, 5, "tanh", "same"), mean, conv(16, 5, "tanh"), mean, conv(120, 5, "tanh"), flat, dense(84, "tanh")],
  },
  mlp: { title: "Perceptron", about: "dense layers only", optimizer: "adam", learningRate: 0.001, batchSize: 32, layers: [flat, dense(256), dense(128)] },
  cnn: {
    title: "Small CNN",
    about: "3 × 3 convolutions, batch normalisation, dropout",
    optimizer: "adamw",
    learningRate: 0.004,
    batchSize: 64,
    layers: [conv(24, 3), norm, conv(24, 3), norm, pool, conv(48, 3), norm, conv(48, 3), norm, pool, drop(0.2), conv(64, 3), norm, flat, dense(96), norm, drop(0.3)],
  },
};

/** The plan that the page starts with. */
export function firstPlan(): Plan {
  return {
    ...settingsOf("lenet"),
    epochs: 5,
    augment: { shift: 0, rotate: 0, scale: 0, elastic: 0 },
    seed: 1,
    start: "new",
    data: "digits",
    samples: 12000,
  };
}

/** What a preset decides. */
export function settingsOf(name: Exclude<Plan["preset"], "custom">): Pick<Plan, "preset" | "layers" | "optimizer" | "learningRate" | "batchSize"> {
  const { layers, optimizer, learningRate, batchSize } = presets[name];
  return { preset: name, layers: layers.map((l) => ({ ...l })), optimizer, learningRate, batchSize };
}

/** The network's name. */
export function planTitle(plan: Plan): string {
  return plan.preset === "custom" ? "Your network" : presets[plan.preset].title;
}

/** The augmentation as the runtime takes it: "shift=2,rotate=10". */
export function augmentSpec(a: Augment): string {
  return (Object.entries(a) as [string, number][])
    .filter(([, v]) => v > 0)
    .map(([name, v]) => `${name}=${v}`)
    .join(",");
}
