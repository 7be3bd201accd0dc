import assert from "node:assert/strict";
import test from "node:test";
import { WeftError } from "../src/errors.js";
import { Message, Wire, readRequest, readResponse, type Value } from "../src/protocol.js";

const request = (method: string, args: Value) => readRequest(new Message(method, args).bytes());

test("values cross the wire", () => {
  const args = { none: null, yes: true, no: false, n: -0.5, big: 2 ** 53, text: "Grüße 🙂", list: [1, "two", [3]], map: { a: {} }, gone: undefined };
  const got = request("tensor.new", args);
  assert.equal(got.method, "tensor.new");
  const { gone: _, ...rest } = args;
  assert.deepEqual(got.args, rest);
});

test("arrays keep type, shape and bits", () => {
  const arrays = [
    new Float32Array([1, -0, NaN, Infinity]), new Uint8Array([0, 255, 3]), new Int8Array([-128]), new Uint16Array([65535]), new Int16Array([-1, 2]),
    new Int32Array([-5]), new BigInt64Array([-(2n ** 63n)]), new Float64Array([Math.PI]), new Uint32Array([2 ** 32 - 1]), new BigUint64Array([2n ** 64n - 1n]),
  ];
  const { args } = request("x", { pad: "odd", arrays });
  arrays.forEach((a, i) => {
    const wire = args.arrays[i] as Wire;
    assert.deepEqual(wire.data, a);
    assert.deepEqual(wire.shape, [a.length]);
    assert.equal(wire.data.byteOffset, 0, "an array of the caller's own");
  });
  const { args: one } = request("y", new Wire("bool", [2, 1], new Uint8Array([1, 0])));
  assert.equal(one.dtype, "bool");
  assert.deepEqual(one.shape, [2, 1]);
});

test("a part of a larger buffer is sent, not all of it", () => {
  const part = new Float32Array([1, 2, 3, 4]).subarray(1, 3);
  assert.deepEqual(request("x", part).args.data, new Float32Array([2, 3]));
});

test("clamped bytes are bytes", () => {
  assert.equal(request("x", new Uint8ClampedArray([7])).args.dtype, "uint8");
});

test("array bytes lie at multiples of 8", () => {
  for (let n = 0; n < 9; n++) {
    const bytes = new Message("m".repeat(n), new Float64Array([1])).bytes();
    assert.equal(bytes.length % 8, 0);
    assert.equal(new DataView(bytes.buffer).getFloat64(bytes.length - 8, true), 1);
  }
});

test("errors come back as WeftError", () => {
  const bytes = new Message(1, { code: "shape", message: "weft: MatMul: inner dimensions differ", op: "MatMul", shapes: [[2, 3], [4, 5]] }).bytes();
  assert.throws(() => readResponse(bytes), (err: WeftError) => {
    assert.ok(err instanceof WeftError);
    assert.equal(err.code, "shape");
    assert.equal(err.op, "MatMul");
    assert.deepEqual(err.shapes, [[2, 3], [4, 5]]);
    return true;
  });
});

test("what does not fit the wire is refused with the method's name", () => {
  assert.throws(() => new Message("op", { f: (() => 0) as unknown as Value }), /op: a function cannot be an argument/);
  let deep: Value = 1;
  for (let i = 0; i < 70; i++) deep = [deep];
  assert.throws(() => new Message("op", deep), /nested deeper than 64/);
});

test("a corrupt response is an error, whatever its bytes", () => {
  const good = new Message(0, { x: [1, "a", new Float32Array(3), { y: true }] }).bytes();
  assert.doesNotThrow(() => readResponse(good));
  for (let n = 0; n < good.length; n++) assert.throws(() => readResponse(good.slice(0, n)), WeftError);
  let seed = 1;
  for (let round = 0; round < 2000; round++) {
    const bad = good.slice();
    for (let k = 0; k < 3; k++) {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff;
      bad[seed % bad.length] = (seed >> 8) & 255;
    }
    try {
      readResponse(bad);
    } catch (err) {
      assert.ok(err instanceof WeftError, `round ${round}: ${String(err)}`);
    }
  }
});
