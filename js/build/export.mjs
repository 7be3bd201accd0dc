// Makes program files, which the page runs without Go:
//
//   node export.mjs DIST KERNELS MODEL.onnx OUT.weft   for the kernels "simd128" or "relaxed", which must run in this Node
//   node export.mjs DIST KERNELS MODEL.mjs OUT.weft    of the model that the module's default function returns, given the runtime
//   node export.mjs DIST join OUT.weft FILE...         one file of files for different kernels
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [dist, what, ...files] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(path.resolve(dist, name)).href);
if (what === "join") {
  const { joinPrograms } = await load("program.js");
  const [out, ...parts] = files;
  await writeFile(out, joinPrograms(...(await Promise.all(parts.map((f) => readFile(f))))));
} else {
  const { init } = await load("node.js");
  const [from, out] = files;
  const weft = await init({ worker: false, kernels: what });
  const model = from.endsWith(".mjs") ? await (await import(pathToFileURL(path.resolve(from)).href)).default(weft) : await weft.load(await readFile(from));
  await writeFile(out, await model.export());
  await weft.close();
}
