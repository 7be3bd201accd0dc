import type { LayersModel, Runtime } from "../src/index.js";

/** LeNet with the weights of the comparison. */
export default function lenet(weft: Runtime): Promise<LayersModel>;
