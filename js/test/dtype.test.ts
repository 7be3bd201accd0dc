import assert from "node:assert/strict";
import test from "node:test";
import { toWire } from "../src/creation.js";
import { nest, nestedShape } from "../src/dtype.js";
import { fromPixels } from "../src/pixels.js";
import { broadcast, matMulShape, reduced, reshaped } from "../src/shapes.js";

test("nested lists become arrays", () => {
  const wire = toWire([[1, 2, 3], [4, 5, 6]]);
  assert.deepEqual(wire.shape, [2, 3]);
  assert.deepEqual(wire.data, new Float32Array([1, 2, 3, 4, 5, 6]));
  assert.equal(toWire([true, false]).dtype, "bool");
  assert.equal(toWire([1n]).dtype, "int64");
  assert.deepEqual(toWire(5).shape, []);
  assert.deepEqual(toWire([]).shape, [0]);
  assert.deepEqual(toWire([1, 2, 3, 4], { shape: [2, 2], dtype: "int32" }).data, new Int32Array([1, 2, 3, 4]));
  assert.deepEqual(toWire(new Float32Array([1, 2]), { dtype: "int64" }).data, new BigInt64Array([1n, 2n]));
});

test("what does not fit says where", () => {
  assert.throws(() => toWire([[1, 2], [3]]), /1 entries at \[1\] where the others have 2/);
  assert.throws(() => toWire([[1], 2]), /a number at \[1\]/);
  assert.throws(() => toWire([1, [2]]), /another level at \[1\]/);
  assert.throws(() => toWire(new Float32Array(5), { shape: [2, 3] }), { code: "shape" });
  assert.throws(() => toWire(new Float32Array(5), { shape: [-1] }), { code: "argument" });
  assert.throws(() => toWire([1], { dtype: "float31" as never }), /no element type "float31"/);
});

test("arrays become nested lists", () => {
  assert.deepEqual(nest(new Float32Array([1, 2, 3, 4]), [2, 2]), [[1, 2], [3, 4]]);
  assert.deepEqual(nest(new Uint8Array([1, 0]), [2], true), [true, false]);
  assert.deepEqual(nestedShape([[[1], [2]]]), [1, 2, 1]);
});

test("shapes of results", () => {
  assert.deepEqual(broadcast("Add", [2, 1, 3], [4, 1]), [2, 4, 3]);
  assert.throws(() => broadcast("Add", [2], [3]), { code: "shape", op: "Add" });
  assert.deepEqual(matMulShape([5, 2, 3], [3, 4]), [5, 2, 4]);
  assert.throws(() => matMulShape([2, 3], [4, 5]), /inner dimensions differ: \[2 3\] x \[4 5\]/);
  assert.deepEqual(reduced([2, 3, 4], [-1, 0], false), [3]);
  assert.deepEqual(reduced([2, 3], undefined, true), [1, 1]);
  assert.deepEqual(reshaped([2, 6], [3, -1]), [3, 4]);
});

test("pixels", () => {
  const image = { width: 2, height: 1, data: new Uint8ClampedArray([255, 0, 0, 255, 0, 0, 0, 128]) } as unknown as ImageData;
  assert.deepEqual(fromPixels(image).data, new Uint8Array([255, 0, 0, 0, 0, 0]));
  const gray = fromPixels(image, { channels: 1, normalize: true, invert: true });
  assert.deepEqual(gray.shape, [1, 2, 1]);
  assert.deepEqual(gray.data, new Float32Array([(255 - 76) / 255, 1]));
  assert.deepEqual(fromPixels(image, { channels: 4 }).data, new Uint8Array([255, 0, 0, 255, 0, 0, 0, 128]));
});
