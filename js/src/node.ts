// Entry for Node.
import { nodePlatform } from "./node-platform.js";
import { setPlatform } from "./platform.js";

setPlatform(nodePlatform);

export * from "./index.js";
