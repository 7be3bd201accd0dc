// Element types: names, numbers on the wire (ONNX's), and typed arrays.
import { argument } from "./errors.js";

/** Element type of a tensor. */
export type DType =
  | "float32"
  | "uint8"
  | "int8"
  | "uint16"
  | "int16"
  | "int32"
  | "int64"
  | "bool"
  | "float64"
  | "uint32"
  | "uint64";

/** The typed arrays that hold tensors' elements; `bool` is a Uint8Array of 0 and 1. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** Numbers nested in lists, one level for each dimension. */
export type NestedArray = number | bigint | boolean | readonly NestedArray[];

interface ArrayConstructor {
  new (buffer: ArrayBufferLike, offset: number, length: number): TypedArray;
  new (length: number): TypedArray;
  readonly BYTES_PER_ELEMENT: number;
}

const table: readonly [DType, number, ArrayConstructor][] = [
  ["float32", 1, Float32Array],
  ["uint8", 2, Uint8Array],
  ["int8", 3, Int8Array],
  ["uint16", 4, Uint16Array],
  ["int16", 5, Int16Array],
  ["int32", 6, Int32Array],
  ["int64", 7, BigInt64Array],
  ["bool", 9, Uint8Array],
  ["float64", 11, Float64Array],
  ["uint32", 12, Uint32Array],
  ["uint64", 13, BigUint64Array],
];
const byName = new Map(table.map((row) => [row[0], row]));
const byNumber = new Map(table.map((row) => [row[1], row]));

function row(dtype: DType) {
  const found = byName.get(dtype);
  if (!found) throw argument(`there is no element type ${JSON.stringify(dtype)}; there are ${[...byName.keys()].join(", ")}`);
  return found;
}

/** Number of an element type on the wire. */
export function dtypeNumber(dtype: DType): number {
  return row(dtype)[1];
}

/** Element type with that number on the wire. */
export function dtypeOf(number: number): DType {
  return byNumber.get(number)?.[0] ?? (`type ${number}` as DType);
}

/** The typed array class of an element type. */
export function arrayClass(dtype: DType): ArrayConstructor {
  return row(dtype)[2];
}

/** Element type that a typed array holds. */
export function dtypeFor(data: TypedArray): DType {
  if (data instanceof Uint8ClampedArray) return "uint8";
  for (const [name, , cls] of table) {
    if (data instanceof (cls as unknown as new () => TypedArray)) return name;
  }
  throw argument(`a ${Object.prototype.toString.call(data).slice(8, -1)} holds no tensor's elements`);
}

/** Whether a value is one of the typed arrays. */
export function isTypedArray(value: unknown): value is TypedArray {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((n, d) => n * d, 1);
}

/** Checks a shape: whole numbers, none negative. */
export function checkShape(shape: readonly number[]): number[] {
  for (const d of shape) {
    if (!Number.isInteger(d) || d < 0) throw argument(`a shape holds whole numbers from 0 up, not [${shape.join(", ")}]`);
  }
  return [...shape];
}

/** Shape of nested lists; lists of unequal lengths are an error that says where. */
export function nestedShape(data: NestedArray): number[] {
  const shape: number[] = [];
  for (let level: NestedArray = data; Array.isArray(level); level = level[0] as NestedArray) {
    shape.push(level.length);
    if (level.length === 0) break;
  }
  return shape;
}

/** Elements of nested lists as a typed array of that type. */
export function flatten(data: NestedArray, shape: readonly number[], dtype: DType): TypedArray {
  const out = new (arrayClass(dtype))(sizeOf(shape));
  const big = dtype === "int64" || dtype === "uint64";
  let at = 0;
  const fill = (level: NestedArray, axis: number, path: string) => {
    if (axis === shape.length) {
      if (Array.isArray(level)) throw argument(`the nested list has another level at ${path || "its top"}: every entry must have the same depth`);
      (out as Record<number, unknown>)[at++] = big ? BigInt(level as number) : Number(level);
      return;
    }
    if (!Array.isArray(level) || level.length !== shape[axis]) {
      const got = Array.isArray(level) ? `${level.length} entries` : `a ${typeof level}`;
      throw argument(`the nested list has ${got} at ${path || "its top"} where the others have ${shape[axis]}`);
    }
    for (let i = 0; i < level.length; i++) fill(level[i] as NestedArray, axis + 1, `${path}[${i}]`);
  };
  fill(data, 0, "");
  return out;
}

/** Elements as nested lists of that shape. */
export function nest(data: TypedArray, shape: readonly number[], bool = false): NestedArray {
  let at = 0;
  const build = (axis: number): NestedArray => {
    if (axis === shape.length) {
      const v = data[at++]!;
      return bool ? v !== 0 : v;
    }
    return Array.from({ length: shape[axis]! }, () => build(axis + 1));
  };
  return build(0);
}
