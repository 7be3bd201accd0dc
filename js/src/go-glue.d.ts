// Go's own glue code, which the build takes from the Go installation and wraps so that it leaves the global scope alone (js/build).

/** The parts of Go's glue that Weft uses. */
export interface Go {
  importObject: WebAssembly.Imports;
  exit: (code: number) => void;
  exited?: boolean;
  run(instance: WebAssembly.Instance): Promise<void>;
}

/** What Go sees as the global object. */
export interface GoHost {
  fs?: unknown;
  [name: string]: unknown;
}

/** Evaluates the glue with that global object and returns the class. */
export function goClass(host: GoHost): new () => Go;
