// Shapes of results where they follow from the operands' at once; Go has the last word on all of them.
import { WeftError } from "./errors.js";
import { sizeOf } from "./dtype.js";

/** A shape, or undefined where it is not known yet. */
export type MaybeShape = readonly number[] | undefined;

/** Shape of an elementwise operation on two operands. */
export function broadcast(op: string, a: MaybeShape, b: MaybeShape): number[] | undefined {
  if (!a || !b) return undefined;
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new WeftError("shape", `weft: ${op}: shapes do not broadcast: [${a.join(" ")}] and [${b.join(" ")}]`, { op, shapes: [[...a], [...b]] });
    }
    return x === 1 ? y : x;
  });
}

/** Shape of a matrix product, with leading axes broadcast. */
export function matMulShape(a: MaybeShape, b: MaybeShape): number[] | undefined {
  if (!a || !b || a.length < 2 || b.length < 2) return undefined;
  if (a[a.length - 1] !== b[b.length - 2]) {
    throw new WeftError("shape", `weft: MatMul: inner dimensions differ: [${a.join(" ")}] x [${b.join(" ")}]`, { op: "MatMul", shapes: [[...a], [...b]] });
  }
  const batch = broadcast("MatMul", a.slice(0, -2), b.slice(0, -2))!;
  return [...batch, a[a.length - 2]!, b[b.length - 1]!];
}

/** Shape of a reduction over axes, all of them when there are none. */
export function reduced(shape: MaybeShape, axes: readonly number[] | undefined, keepDims: boolean): number[] | undefined {
  if (!shape) return undefined;
  const drop = new Set((axes ?? shape.map((_, i) => i)).map((a) => (a < 0 ? a + shape.length : a)));
  return shape.flatMap((d, i) => (drop.has(i) ? (keepDims ? [1] : []) : [d]));
}

/** Shape with its one -1 filled in. */
export function reshaped(from: MaybeShape, to: readonly number[]): number[] | undefined {
  const free = to.indexOf(-1);
  if (free < 0) return [...to];
  if (!from) return undefined;
  const rest = to.reduce((n, d) => (d === -1 ? n : n * d), 1);
  return to.map((d) => (d === -1 ? sizeOf(from) / rest : d));
}
