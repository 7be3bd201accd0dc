import { init, losses, WeftError, type Dataset, type LayersModel, type Tensor } from "@weft-ml/weft";

const weft = await init({ threads: "auto", onProgress: ({ phase, loaded = 0 }) => console.log(phase, loaded) });
const data: Dataset = weft.data.digits({ seed: 1, samples: 64 });
const model: LayersModel = weft.sequential([weft.layers.flatten({ inputShape: [28, 28, 1] }), weft.layers.dense({ units: 10, activation: "softmax" })]);
model.compile({ optimizer: weft.optimizers.adam({ learningRate: 1e-3 }), loss: losses.sparseCategoricalCrossentropy(), metrics: ["accuracy"] });
const { history } = await model.fit(data, null, { epochs: 1, callbacks: { onBatchEnd: (batch, logs) => console.log(batch, logs.loss, logs.accuracy?.toFixed(2)) } });
const last: number | undefined = history.valLoss?.at(-1);
for await (const event of model.train(data, null)) {
  if (event.kind === "batch") console.log(event.step, event.lr, last);
}
using x: Tensor = weft.tensor([[1, 2], [3, 4]]);
const y = x.matMul(x, { transposeB: true }).relu().sum(0);
const [values] = weft.onnx.topK(y, weft.tensor([1], { dtype: "int64" }), { axis: -1, outputs: 2 });
const step = weft.compile((a: Tensor, b: Tensor) => ({ loss: a.sub(b).square().mean() }));
const { loss } = step(y, values!);
try {
  console.log(await loss.item());
} catch (err) {
  if (err instanceof WeftError && err.code === "shape") console.log(err.shapes);
}
