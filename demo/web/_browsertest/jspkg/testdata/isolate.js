import { isolate } from "/weft/index.js";

document.title = await isolate();
