// The smallest page that predicts with LeNet: what the comparison's page-load row measures.
import { loadProgram } from "../src/program.js";
import { fill } from "./data.mjs";

const base = new URL("./", import.meta.url);
const lenet = await loadProgram(new URL("lenet-page.weft", base), { baseURL: base });
const y = lenet.run(fill(784, 5));
Object.assign(globalThis, { peersDone: { t: performance.now(), v: y[0] } });
