// Gradients and compiled functions, for training loops of one's own.
import type { Core, OpNode, Recorder } from "./core.js";
import { isTypedArray, type DType } from "./dtype.js";
import { WeftError, argument } from "./errors.js";
import type { Value } from "./protocol.js";
import type { Scope } from "./scope.js";
import { Tensor, Variable, type TensorFacts } from "./tensor.js";

/** What a function of `grad` returns: one number, as a tensor. */
export type ScalarFunction = (...xs: Tensor[]) => Tensor;

/** By what `valueAndGrad` differentiates: arguments, or variables that the function uses. */
export interface GradOptions {
  /** Positions of the arguments; all of them by default. */
  argnums?: readonly number[];
  /** Variables in place of arguments. */
  variables?: readonly Variable[];
}

/** A value with its gradients. */
export interface ValueAndGrads {
  value: Tensor;
  grads: Tensor[];
}

/** Makes the function that gives value and gradients. */
export function valueAndGrad(core: Core, fn: ScalarFunction, { argnums, variables }: GradOptions = {}): (...xs: Tensor[]) => ValueAndGrads {
  return (...xs) => {
    core.holding++;
    try {
      // An argument that is itself still recorded would be differentiated through; it is a leaf here because the request names it.
      const value = fn(...xs);
      if (!(value instanceof Tensor)) {
        const got = value && typeof (value as { then?: unknown }).then === "function" ? "a promise: it must not be async" : `a ${typeof value}`;
        throw argument(`grad: the function returned ${got}; it returns the loss, a tensor of one element`);
      }
      value.use(core);
      const by: Tensor[] = variables ? [...variables] : (argnums ?? xs.map((_, i) => i)).map((i) => xs[i] ?? missing(i, xs.length));
      const scope = value.scope;
      const traced = core.recorder.tracing;
      const grads = by.map((x) => new Tensor(core, core.id(), { facts: x.known, scope, traced }));
      core.recorder.record({ op: "Gradient", in: [value.id, ...by.map((x) => x.use(core).id)], out: grads.map((g) => g.id) }, grads, [value, ...by]);
      return { value, grads };
    } finally {
      core.holding--;
    }
  };
}

function missing(i: number, n: number): never {
  throw argument(`grad: argnums names argument ${i}, but ${n} were given`);
}

/** Options of `compile`. */
export interface CompileOptions {
  /** Positions of arguments that are plain values: another value makes another program. */
  static?: readonly number[];
}

/** What compiled functions may return. */
export type Results = Tensor | void | readonly Tensor[] | { readonly [name: string]: Tensor };

/** The operations of one function, recorded once. */
class Trace implements Recorder {
  readonly nodes: OpNode[] = [];
  private readonly local = new Set<number>();
  readonly captures = new Map<number, Tensor>();

  constructor(
    readonly tracing: string,
    readonly inputs: readonly Tensor[],
  ) {
    for (const t of inputs) this.local.add(t.id);
  }

  record(node: OpNode, _outputs: readonly Tensor[], inputs: readonly (Tensor | null)[]): void {
    for (const t of inputs) if (t && !this.local.has(t.id)) this.captures.set(t.id, t);
    for (const id of node.out) this.local.add(id);
    this.nodes.push(node);
  }

  has(t: Tensor): boolean {
    return this.local.has(t.id);
  }
}

interface Program {
  id: number;
  trace: Trace;
  /** What it was made for: facts of tensors, other arguments as they are. */
  args: readonly unknown[];
  /** Types of the results, after the first run. */
  facts?: TensorFacts[];
  /** Places of the results: undefined where the function returned a captured tensor as it is. */
  outputs: Tensor[];
  rebuild: (tensors: Tensor[]) => any;
  runs: number;
}

/**
 * Records the function once for each combination of shapes and types, and runs the recording from then on: one message a call,
 * fused, without memory of intermediate results.
 */
export function compile<A extends unknown[], R extends Results>(core: Core, fn: (...args: A) => R, options: CompileOptions = {}): (...args: A) => R {
  const programs = new Map<string, Program>();
  let last: Program | undefined;
  const fixed = new Set(options.static ?? []);
  const name = fn.name ? `compile(${fn.name})` : "compile";
  return (...args: A): R => {
    if (core.recorder !== core || core.holding) return fn(...args); // within another function, or under a gradient, it is recorded with that
    const tensors: Tensor[] = [];
    let program = last;
    if (!program || !fits(core, program.args, args, fixed, tensors)) {
      tensors.length = 0;
      const key = JSON.stringify(args.map((arg, i) => signature(core, name, arg, i, fixed.has(i), tensors)));
      program = programs.get(key);
      if (!program) {
        program = define(core, name, fn as unknown as (...args: unknown[]) => Results, args);
        programs.set(key, program);
      }
      last = program;
    }
    for (const capture of program.trace.captures.values()) capture.use(core);
    // What is recorded comes first: arguments and captured tensors must be there, assignments done.
    core.flushAll();
    const scope = tensors.find((t) => t.scope)?.scope;
    return program.rebuild(direct(core, program, tensors, scope) ?? send(core, program, tensors, scope)) as R;
  };
}

/** Whether the program is for these arguments; gathers the tensors among them. */
function fits(core: Core, args: readonly unknown[], given: readonly unknown[], fixed: ReadonlySet<number>, tensors: Tensor[]): boolean {
  if (args.length !== given.length) return false;
  for (let i = 0; i < args.length; i++) {
    const [known, arg] = [args[i], given[i]];
    if (arg instanceof Tensor && !fixed.has(i)) {
      if (!(known instanceof Facts) || arg.disposed || arg.core !== core || arg.traced || !known.match(arg.known)) return false;
      tensors.push(arg);
    } else if (typeof arg === "object" ? arg !== null || known !== null : arg !== known) return false;
  }
  return true;
}

/** Type of an argument. */
class Facts {
  constructor(private known: Partial<TensorFacts>) {}

  match(facts: Partial<TensorFacts>): boolean {
    const { shape, dtype } = this.known;
    if (facts === this.known) return true;
    if (facts.dtype !== dtype || facts.shape?.length !== shape!.length || !shape!.every((d, i) => d === facts.shape![i])) return false;
    this.known = facts; // the same tensor is likely to come again
    return true;
  }
}

/** Runs a program that ran before the short way; undefined where that is not possible. */
function direct(core: Core, program: Program, tensors: readonly Tensor[], scope: Scope | undefined): Tensor[] | undefined {
  const { quick } = core;
  const { facts } = program;
  if (!quick || !facts) return undefined;
  // Go frees before it runs, so results take the numbers of those that were given back: calls in a loop are the same call.
  const freed = core.takeDoomed();
  core.reuse(freed);
  const ids = facts.map(() => core.id());
  try {
    if (!quick.run(program.id, program.runs, freed, tensors, ids)) {
      core.reuse(ids);
      return undefined;
    }
  } catch (err) {
    const failed = Promise.reject(err);
    const outputs = ids.map((id) => new Tensor(core, id, { scope }));
    for (const t of outputs) t.settle(failed);
    core.failed(failed, outputs);
    return outputs;
  }
  program.runs++;
  return ids.map((id, i) => new Tensor(core, id, { facts: facts[i]!, scope }));
}

function send(core: Core, program: Program, tensors: readonly Tensor[], scope: Scope | undefined): Tensor[] {
  const outputs = program.outputs.map((t) => new Tensor(core, core.id(), { facts: t.known, scope }));
  const types = core.run("function.run", { id: program.id, in: tensors.map((t) => t.id), out: outputs.map((t) => t.id), scalars: { step: program.runs++ } }, outputs);
  types.then(
    (facts) => {
      program.facts = facts;
    },
    () => {},
  );
  return outputs;
}

function signature(core: Core, name: string, arg: unknown, i: number, fixed: boolean, tensors: Tensor[]): Value {
  if (arg instanceof Tensor && !fixed) {
    const { shape, dtype } = arg.use(core).known;
    if (!shape || !dtype) throw new WeftError("state", `weft: ${name}: the shape of argument ${i} is not known yet: await its ready() first`);
    tensors.push(arg);
    return [dtype, ...shape] as Value;
  }
  if (isTypedArray(arg)) throw argument(`${name}: argument ${i} is a typed array; make it a tensor, or its numbers become part of the program`);
  return { static: (arg ?? null) as Value };
}

function define(core: Core, name: string, fn: (...args: unknown[]) => Results, args: readonly unknown[]): Program {
  const inputs: Tensor[] = [];
  const traced = args.map((arg) => {
    if (!(arg instanceof Tensor)) return arg;
    const t = new Tensor(core, core.id(), { facts: { ...arg.known }, traced: name });
    inputs.push(t);
    return t;
  });
  const trace = new Trace(name, inputs);
  core.recorder = trace;
  let result: Results;
  try {
    result = fn(...traced);
  } finally {
    core.recorder = core;
  }
  if (result && typeof (result as { then?: unknown }).then === "function") throw argument(`${name}: the function must not be async: it is recorded, not run`);
  const outputs: Tensor[] = [];
  const place = (t: unknown): number => {
    if (!(t instanceof Tensor)) throw argument(`${name}: the function returned ${typeof t} in place of a tensor`);
    if (!trace.has(t)) throw argument(`${name}: the function returned a tensor that it did not compute; use that tensor directly`);
    outputs.push(t);
    return outputs.length - 1;
  };
  let rebuild: Program["rebuild"];
  if (result === undefined) rebuild = () => undefined;
  else if (result instanceof Tensor) {
    place(result);
    rebuild = ([t]) => t;
  } else if (Array.isArray(result)) {
    result.forEach(place);
    rebuild = (list) => [...list];
  } else {
    const names = Object.keys(result);
    for (const key of names) place((result as { [name: string]: Tensor })[key]);
    rebuild = (list) => Object.fromEntries(names.map((key, i) => [key, list[i]]));
  }
  core.flushAll();
  const id = core.id();
  const defined = core.call("function.define", {
    id,
    inputs: inputs.map((t) => ({ id: t.id, dtype: t.dtype as DType, shape: [...t.shape] })),
    nodes: trace.nodes as unknown as Value,
    outputs: outputs.map((t) => t.id),
    captures: [...trace.captures.keys()],
  });
  defined.catch(() => {}); // the run that follows fails with the same error
  const known = args.map((arg) => (arg instanceof Tensor ? new Facts(arg.known) : arg));
  const program = { id, trace, args: known, outputs, rebuild, runs: 0 };
  core.watch(program, id);
  return program;
}
