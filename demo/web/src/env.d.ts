// Modules that the build writes.

declare module "weft:files" {
  /** Names of files with their content's hash. */
  const files: {
    /** Of the runtime, by plain name. */
    runtime: { [name: string]: string };
    /** The LeNet that comes along: as a program file, and as the model that the runtime loads. */
    program: string;
    weights: string;
    /** The language model that comes along. */
    writer: string;
  };
  export default files;
}

declare module "weft:site" {
  /** What the service worker keeps. */
  const site: { version: string; files: string[] };
  export default site;
}

declare module "weft:window" {
  const files: {
    /** The Go program of the window. */
    program: string;
    /** Bytes of the program and its kernels. */
    bytes: number;
    /** Of the runtime that trains, by plain name. */
    runtime: { [name: string]: string };
  };
  export default files;
}
