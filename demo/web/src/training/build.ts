// From a plan to a model that can be trained.
import type { Activation, LayersModel, Runtime } from "@weft-ml/weft";
import type { Plan } from "../plan.js";

/** Builds the plan's network with new weights. The error says which layer does not fit. */
export async function build(runtime: Runtime, plan: Plan): Promise<LayersModel> {
  const seed = plan.seed;
  if (plan.preset !== "custom") return ready(runtime.models[plan.preset]({ seed }));
  const { layers } = runtime;
  const list = plan.layers.map((l, i) => {
    // Errors and files name a layer by its place in the editor's list.
    const first = { name: `${l.kind}_${i + 1}`, ...(i === 0 ? { inputShape: [28, 28, 1] } : {}) };
    switch (l.kind) {
      case "conv2d":
        return layers.conv2d({ ...first, filters: l.filters!, kernelSize: l.kernelSize!, padding: l.padding ?? "valid", activation: (l.activation ?? "relu") as Activation });
      case "maxPooling2d":
        return layers.maxPooling2d({ ...first, poolSize: l.poolSize! });
      case "averagePooling2d":
        return layers.averagePooling2d({ ...first, poolSize: l.poolSize! });
      case "batchNormalization":
        return layers.batchNormalization({ ...first });
      case "dropout":
        return layers.dropout({ ...first, rate: l.rate! });
      case "flatten":
        return layers.flatten({ ...first });
      case "globalAveragePooling2d":
        return layers.globalAveragePooling2d({ ...first });
      case "dense":
        return layers.dense({ ...first, units: l.units!, activation: (l.activation ?? "relu") as Activation });
    }
  });
  list.push(layers.dense({ name: "output", units: 10, ...(plan.layers.length === 0 ? { inputShape: [28, 28, 1] } : {}) }));
  const model = await ready(runtime.sequential({ layers: list, name: "network", seed }));
  const shape = model.outputs[0]!.shape;
  if (shape.length !== 2) {
    model.dispose();
    throw new Error(`The output is [${shape.map((d) => d ?? "N").join(", ")}] and not ten numbers: put a Flatten or a global pooling before the first dense layer.`);
  }
  return model;
}

/** Waits until the runtime has built the model, and disposes of one that it refuses. */
async function ready(model: LayersModel): Promise<LayersModel> {
  try {
    await model.ready();
    return model;
  } catch (err) {
    model.dispose();
    throw err;
  }
}
