import { init } from "@weft-ml/weft";

const weft = await init({ kernel: "relaxed" }); // wrong: the option is kernels
weft.layers.dense({ activation: "relu" }); // wrong: units are missing
weft.layers.conv2d({ filters: 1, kernelSize: "5" }); // wrong: a string
weft.tensor("text"); // wrong: no numbers
weft.add(weft.ones([1])); // wrong: one operand
