// What programs did while they were measured.
import type { Core } from "./core.js";
import type { Wire } from "./protocol.js";

/** One operator of a program, or a chain of fused ones. */
export interface ProfileRow {
  /** Number of the program for these shapes. */
  program: number;
  /** Operator: "Conv", or of a chain "Mul+Add+Relu". */
  operator: string;
  /** Name of the node. */
  node: string;
  /** Kernels of its steps. */
  kernels: string;
  inputs: number[][];
  outputs: number[][];
  /** How often it ran. */
  count: number;
  /** Milliseconds of all runs together, and their part of the whole time. */
  ms: number;
  part: number;
  /** Floating-point operations of one run, and bytes that it reads and writes. */
  flops: number;
  bytes: number;
  gflops: number;
  gbs: number;
  /**
   * Part of the machine's limit that it reaches, of arithmetic or of memory, whichever holds it back; more than 1 where operands come from caches.
   * Undefined where the limits are not measured.
   */
  limit?: number;
}

/** Options of a profile. */
export interface ProfileOptions {
  /** Whether to measure the machine's limits first, which takes some 50 ms and 32 MB once. True by default. */
  limits?: boolean;
}

/** What programs did: operators by their time, the longest first. */
export class Profile {
  /** Threads that computed. */
  readonly threads: number;
  /** Runs of programs. */
  readonly runs: number;
  /** Milliseconds of all runs, and of what lies between their steps. */
  readonly ms: number;
  readonly gapMs: number;
  /** What the machine can do at most with these threads and kernels. */
  readonly limits: { gflops: number; gbs: number } | undefined;
  readonly rows: readonly ProfileRow[];
  private readonly trace: Uint8Array;

  /** @internal */
  constructor(wire: any) {
    const { flops, bytes, nanos } = wire;
    this.threads = wire.threads;
    this.runs = wire.runs;
    this.ms = nanos / 1e6;
    this.limits = flops > 0 && bytes > 0 ? { gflops: flops / 1e9, gbs: bytes / 1e9 } : undefined;
    this.rows = wire.rows.map((r: any): ProfileRow => {
      const rate = (n: number) => (r.nanos > 0 ? (n * r.count) / r.nanos : 0);
      const row: ProfileRow = {
        program: r.program,
        operator: r.operator,
        node: r.node,
        kernels: r.kernels,
        inputs: r.inputs,
        outputs: r.outputs,
        count: r.count,
        ms: r.nanos / 1e6,
        part: nanos > 0 ? r.nanos / nanos : 0,
        flops: r.flops,
        bytes: r.bytes,
        gflops: rate(r.flops),
        gbs: rate(r.bytes),
      };
      if (this.limits) row.limit = Math.max(row.gflops / this.limits.gflops, row.gbs / this.limits.gbs);
      return row;
    });
    this.gapMs = this.ms - this.rows.reduce((sum, { ms }) => sum + ms, 0);
    this.trace = (wire.trace as Wire).data as Uint8Array;
  }

  /** The steps as a file for Perfetto and chrome://tracing. */
  toTrace(): string {
    return new TextDecoder().decode(this.trace);
  }

  /** The rows as a table. */
  toString(): string {
    const head = ["part", "us a run", "count", "GFLOP/s", "GB/s", "limit", "operator"];
    const rate = (v: number) => (v ? v.toFixed(1) : "-");
    const table = this.rows.map((r) => [
      `${(100 * r.part).toFixed(1)} %`,
      ((1e3 * r.ms) / Math.max(r.count, 1)).toFixed(1),
      String(r.count),
      rate(r.gflops),
      rate(r.gbs),
      r.limit ? `${(100 * r.limit).toFixed(0)} %` : "-",
      `${r.operator} ${r.node} (${r.kernels}) ${JSON.stringify(r.inputs)} -> ${JSON.stringify(r.outputs)}`,
    ]);
    const widths = head.map((h, i) => Math.max(h.length, ...table.map((line) => line[i]!.length)));
    const lines = [head, ...table].map((line) => line.map((cell, i) => (i === head.length - 1 ? cell : cell.padStart(widths[i]!))).join("  "));
    const limits = this.limits ? `; limits of ${this.threads} threads: ${rate(this.limits.gflops)} GFLOP/s, ${rate(this.limits.gbs)} GB/s` : "";
    return [`${this.runs} runs, ${this.ms.toFixed(2)} ms, ${this.gapMs.toFixed(2)} ms of it between steps${limits}`, ...lines].join("\n");
  }
}

/** Measures what programs do while a function runs. @internal */
export async function profile(core: Core, work: () => unknown, { limits = true }: ProfileOptions): Promise<Profile> {
  core.flushAll();
  await core.call("profile.start", { limits });
  let result: any;
  try {
    await work();
  } finally {
    core.flushAll();
    result = await core.call("profile.stop", {});
  }
  return new Profile(result);
}
