// The wire between JavaScript and Go: one request, one response, little endian. See wasm/api for the other side.
import { arrayClass, dtypeFor, dtypeNumber, dtypeOf, isTypedArray, sizeOf, type DType, type TypedArray } from "./dtype.js";
import { WeftError, fromWire, type WireError } from "./errors.js";

/** A typed array with the shape of the tensor that it holds. */
export class Wire {
  constructor(
    readonly dtype: DType,
    readonly shape: readonly number[],
    readonly data: TypedArray,
  ) {}
}

/** What crosses the wire. `undefined` entries of maps are left out. */
export type Value = null | undefined | boolean | number | string | Wire | TypedArray | readonly Value[] | { readonly [key: string]: Value };

// Tags of values.
const NULL = 0;
const FALSE = 1;
const TRUE = 2;
const NUMBER = 3;
const STRING = 4;
const LIST = 5;
const MAP = 6;
const ARRAY = 7;

const maxDepth = 64;
const utf8 = new TextEncoder();
const decoder = new TextDecoder();
const pad = (at: number) => (at + 7) & ~7;

/**
 * A message of known length that is not written yet, so that it can be written straight into Go's memory. The front is a request's
 * method, or a response's status.
 */
export class Message {
  /** Length in bytes. */
  readonly length: number;
  private readonly strings: (string | Uint8Array)[] = [];

  constructor(
    readonly front: string | number,
    private readonly value: Value,
  ) {
    this.length = this.measure(value, typeof front === "string" ? this.string(front, 1) : 1, 0);
  }

  private string(s: string, at: number): number {
    const bytes = isASCII(s) ? s : utf8.encode(s);
    this.strings.push(bytes);
    return at + 4 + bytes.length;
  }

  private measure(v: Value, at: number, depth: number): number {
    if (depth > maxDepth) throw new WeftError("argument", `weft: ${this.front}: an argument is nested deeper than ${maxDepth} levels`);
    if (v === null || v === undefined || typeof v === "boolean") return at + 1;
    if (typeof v === "number") return at + 9;
    if (typeof v === "string") return this.string(v, at + 1);
    if (v instanceof Wire) return pad(at + 10 + 4 * v.shape.length) + v.data.byteLength;
    if (isTypedArray(v)) return pad(at + 14) + v.byteLength;
    if (typeof v !== "object") throw new WeftError("argument", `weft: ${this.front}: a ${typeof v} cannot be an argument`);
    at += 5;
    if (Array.isArray(v)) {
      for (const entry of v as readonly Value[]) at = this.measure(entry, at, depth + 1);
      return at;
    }
    const map = v as { [key: string]: Value };
    for (const key in map) if (map[key] !== undefined && Object.hasOwn(map, key)) at = this.measure(map[key], this.string(key, at), depth + 1);
    return at;
  }

  /** Writes the message to the first `length` bytes of the target, which lies at a multiple of 8. */
  write(target: Uint8Array): void {
    const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
    let at = 0;
    let next = 0;
    const u32 = (v: number) => {
      view.setUint32(at, v, true);
      at += 4;
    };
    const string = () => {
      const bytes = this.strings[next++]!;
      u32(bytes.length);
      if (typeof bytes === "string") for (let i = 0; i < bytes.length; i++) target[at + i] = bytes.charCodeAt(i);
      else target.set(bytes, at);
      at += bytes.length;
    };
    const array = (dtype: DType, shape: readonly number[], data: TypedArray) => {
      target[at++] = ARRAY;
      target[at++] = dtypeNumber(dtype);
      u32(shape.length);
      for (const d of shape) u32(d);
      u32(data.byteLength);
      const start = pad(at);
      target.fill(0, at, start);
      target.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
      at = start + data.byteLength;
    };
    const write = (v: Value): void => {
      if (v === null || v === undefined) target[at++] = NULL;
      else if (typeof v === "boolean") target[at++] = v ? TRUE : FALSE;
      else if (typeof v === "number") {
        target[at] = NUMBER;
        view.setFloat64(at + 1, v, true);
        at += 9;
      } else if (typeof v === "string") {
        target[at++] = STRING;
        string();
      } else if (v instanceof Wire) array(v.dtype, v.shape, v.data);
      else if (isTypedArray(v)) array(dtypeFor(v), [v.length], v);
      else if (Array.isArray(v)) {
        target[at++] = LIST;
        u32(v.length);
        for (const entry of v as readonly Value[]) write(entry);
      } else {
        target[at++] = MAP;
        const count = at;
        u32(0);
        let n = 0;
        const map = v as { [key: string]: Value };
        for (const key in map) {
          if (map[key] === undefined || !Object.hasOwn(map, key)) continue;
          string();
          write(map[key]);
          n++;
        }
        view.setUint32(count, n, true);
      }
    };
    if (typeof this.front === "string") {
      target[at++] = STRING;
      string();
    } else target[at++] = this.front;
    write(this.value);
  }

  /** The message in a buffer of its own. */
  bytes(): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(this.length);
    this.write(out);
    return out;
  }
}

/** Whether a string is short and of ASCII's characters, which are bytes as they are. */
function isASCII(s: string): boolean {
  if (s.length > 64) return false;
  for (let i = 0; i < s.length; i++) if (s.charCodeAt(i) > 127) return false;
  return true;
}

/** Reads a response that lies in a buffer of its own: returns the value, or throws the error. */
export function readResponse(bytes: Uint8Array): any {
  const reader = new Reader(bytes);
  const status = reader.u8();
  const value = reader.value(0);
  reader.end();
  if (status === 0) return value;
  if (status !== 1) throw reader.corrupt(`its status is ${status}`);
  throw fromWire(value as WireError);
}

/** Reads a request, as tests do in Go's place. */
export function readRequest(bytes: Uint8Array): { method: string; args: any } {
  const reader = new Reader(bytes);
  const method = reader.value(0);
  const args = reader.value(0);
  reader.end();
  return { method, args };
}

/** Reads values; arrays are copied out. */
class Reader {
  private at = 0;
  private readonly view: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  corrupt(why: string): WeftError {
    return new WeftError("internal", `weft: a message from the runtime is corrupt at byte ${this.at}: ${why}`);
  }

  private take(n: number): number {
    const at = this.at;
    if (n > this.bytes.length - at) throw this.corrupt(`${n} bytes more than it has`);
    this.at = at + n;
    return at;
  }

  u8(): number {
    return this.bytes[this.take(1)]!;
  }

  private u32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  string(): string {
    const n = this.u32();
    const at = this.take(n);
    if (n <= 16) {
      let s = "";
      for (let i = at; i < at + n && this.bytes[i]! < 128; i++) s += String.fromCharCode(this.bytes[i]!);
      if (s.length === n) return s;
    }
    return decoder.decode(this.bytes.subarray(at, at + n));
  }

  private array(): Wire {
    const dtype = dtypeOf(this.u8());
    const rank = this.u32();
    if (rank > maxDepth) throw this.corrupt(`a tensor of rank ${rank}`);
    const shape = Array.from({ length: rank }, () => this.u32());
    const n = this.u32();
    this.take(pad(this.at) - this.at);
    const start = this.bytes.byteOffset + this.take(n);
    const cls = arrayClass(dtype);
    if (sizeOf(shape) * cls.BYTES_PER_ELEMENT !== n) throw this.corrupt(`${n} bytes for ${dtype} [${shape.join(", ")}]`);
    const copy = this.bytes.buffer.slice(start, start + n);
    return new Wire(dtype, shape, new cls(copy, 0, n / cls.BYTES_PER_ELEMENT));
  }

  value(depth: number): any {
    if (depth > maxDepth) throw this.corrupt("nested too deep");
    const tag = this.u8();
    switch (tag) {
      case NULL:
        return null;
      case FALSE:
        return false;
      case TRUE:
        return true;
      case NUMBER:
        return this.view.getFloat64(this.take(8), true);
      case STRING:
        return this.string();
      case LIST: {
        const list = [];
        for (let n = this.u32(); n > 0; n--) list.push(this.value(depth + 1));
        return list;
      }
      case MAP: {
        const map: { [key: string]: any } = {};
        for (let n = this.u32(); n > 0; n--) {
          const key = this.string();
          map[key] = this.value(depth + 1);
        }
        return map;
      }
      case ARRAY:
        return this.array();
    }
    throw this.corrupt(`there is no tag ${tag}`);
  }

  end(): void {
    if (this.at !== this.bytes.length) throw this.corrupt(`${this.bytes.length - this.at} bytes follow it`);
  }
}
