// What the build and the platform give: Go's glue code (js/build), and compiled modules in place of files.
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
declare module "*/go-glue.js" {
  /** Evaluates the glue with that global object and returns the class. */
  export function goClass(host: object): new () => {
    exit(code: number): void;
    importObject: { gojs: { [name: string]: (sp: number) => void } };
    mem: DataView;
    run(instance: WebAssembly.Instance): Promise<void>;
    _resume(): void;
  };
}
