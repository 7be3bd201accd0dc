// LeNet with the weights of the comparison.
import { fill } from "./data.mjs";

/** @param {import("../src/index.js").Runtime} weft */
export default async function lenet(weft) {
  const { layers } = weft;
  const model = weft.sequential([
    layers.conv2d({ filters: 6, kernelSize: 5, activation: "relu", inputShape: [28, 28, 1] }),
    layers.maxPooling2d({ poolSize: 2 }),
    layers.conv2d({ filters: 16, kernelSize: 5, activation: "relu" }),
    layers.maxPooling2d({ poolSize: 2 }),
    layers.flatten(),
    layers.dense({ units: 120, activation: "relu" }),
    layers.dense({ units: 10 }),
  ]);
  const weights = (n, seed, fan) => fill(n, seed, 2 * Math.sqrt(3 / fan));
  const zeros = (n) => new Float32Array(n);
  await model.setWeights([weights(150, 11, 25), zeros(6), weights(2400, 12, 150), zeros(16), weights(30720, 13, 256), zeros(120), weights(1200, 14, 120), zeros(10)]);
  return model;
}
