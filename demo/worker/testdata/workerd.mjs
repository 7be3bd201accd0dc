// Serves a built Worker in workerd, at a loopback address that is the first line on standard output, until standard input ends.
// Argument: the folder. It is loaded as wrangler.jsonc says: the script, and the WebAssembly modules beside it.
import { Miniflare } from "miniflare";

const [, , folder, date] = process.argv;
const mf = new Miniflare({
  rootPath: folder,
  modulesRoot: folder,
  scriptPath: `${folder}/worker.mjs`,
  modules: true,
  modulesRules: [
    { type: "ESModule", include: ["*.mjs"] },
    { type: "CompiledWasm", include: ["*.wasm"] },
  ],
  compatibilityDate: date,
  handleRuntimeStdio(stdout, stderr) {
    stdout.pipe(process.stderr);
    stderr.pipe(process.stderr);
  },
});
console.log((await mf.ready).href);
process.stdin.resume().on("end", async () => {
  await mf.dispose();
  process.exit(0);
});
