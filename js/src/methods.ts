// Operations as methods of tensors: x.matMul(w).relu().
import type { Ops } from "./ops.js";
import { Tensor } from "./tensor.js";

const names = [
  "add", "sub", "mul", "div", "pow", "maximum", "minimum", "equal", "greater", "greaterEqual", "less", "lessEqual", "logicalAnd", "logicalOr",
  "logicalNot", "neg", "abs", "exp", "log", "sqrt", "square", "reciprocal", "floor", "ceil", "round", "sign", "sin", "cos", "erf", "relu", "leakyRelu", "elu",
  "gelu", "sigmoid", "tanh", "softplus", "silu", "softmax", "logSoftmax", "clipByValue", "sum", "mean", "max", "min", "prod", "logSumExp", "argMax",
  "argMin", "matMul", "reshape", "transpose", "expandDims", "squeeze", "split", "slice", "gather", "tile", "pad", "cast", "oneHot", "conv2d",
  "maxPool2d", "avgPool2d",
] as const;

type Rest<F> = F extends (x: any, ...rest: infer R) => infer T ? (...rest: R) => T : never;

/** The operations of the runtime with the tensor as their first operand. */
export type TensorMethods = { [K in (typeof names)[number]]: Rest<Ops[K]> };

/** Puts the operations on the prototype. `ops` gives those of a tensor's runtime. */
export function installMethods(ops: (t: Tensor) => Ops): void {
  const prototype = Tensor.prototype as unknown as { [name: string]: unknown };
  for (const name of names) {
    if (prototype[name]) continue;
    prototype[name] = function (this: Tensor, ...rest: unknown[]) {
      return (ops(this)[name] as (...args: unknown[]) => unknown)(this, ...rest);
    };
  }
}
