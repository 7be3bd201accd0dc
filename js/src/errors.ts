// Errors: one class with a code, so that programs decide by the code and people read the message.

/** What went wrong, in one word. */
export type ErrorCode =
  | "shape"
  | "dtype"
  | "argument"
  | "op"
  | "format"
  | "memory"
  | "nan"
  | "label"
  | "disposed"
  | "state"
  | "closed"
  | "worker"
  | "unsupported"
  | "version"
  | "abort"
  | "storage"
  | "internal";

/** Facts that come with an error. */
export interface ErrorFacts {
  /** Operator, layer or method. */
  op?: string;
  /** Shapes of the operands. */
  shapes?: number[][];
  cause?: unknown;
}

/**
 * Every error of Weft. The message names the thing (operator, layer, file, offset) and the way out; the code is for programs.
 *
 * @example
 * ```ts
 * try {
 *   await weft.matMul(a, b).data();
 * } catch (err) {
 *   if (err instanceof WeftError && err.code === "shape") console.log(err.op, err.shapes);
 * }
 * ```
 */
export class WeftError extends Error {
  /** What went wrong, in one word. */
  readonly code: ErrorCode;
  /** Operator, layer or method. */
  readonly op?: string;
  /** Shapes of the operands. */
  readonly shapes?: number[][];

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = "WeftError";
    this.code = code;
    if (facts.op !== undefined) this.op = facts.op;
    if (facts.shapes !== undefined) this.shapes = facts.shapes;
  }
}

/** A tensor, model or dataset was used after its `dispose()`. */
export class DisposedError extends WeftError {
  constructor(what: string) {
    super("disposed", `weft: ${what} was disposed of; use it before dispose(), or return it from the scope to keep it`);
    this.name = "DisposedError";
  }
}

/** The form in which errors cross threads. */
export interface WireError {
  code: ErrorCode;
  message: string;
  op?: string;
  shapes?: number[][];
}

/** Makes an error fit for a message. */
export function toWire(err: unknown): WireError {
  if (err instanceof WeftError) {
    const wire: WireError = { code: err.code, message: err.message };
    if (err.op !== undefined) wire.op = err.op;
    if (err.shapes !== undefined) wire.shapes = err.shapes;
    return wire;
  }
  return { code: "internal", message: err instanceof Error ? err.message : String(err) };
}

/** Makes an error of what came over the wire. */
export function fromWire(wire: WireError): WeftError {
  return new WeftError(wire.code ?? "internal", wire.message, { op: wire.op, shapes: wire.shapes });
}

/** The error of a bad argument. */
export function argument(message: string, facts?: ErrorFacts): WeftError {
  return new WeftError("argument", `weft: ${message}`, facts);
}

/** What a rejected signal rejects with. */
export function abortReason(signal: AbortSignal): unknown {
  return signal.reason ?? new WeftError("abort", "weft: the call was aborted");
}
