// What is not needed for the first answer; fetched when it is, or when the page has nothing else to do.
export { Editor } from "./editor/editor.js";
export { download, receive } from "./files.js";
export { teach } from "./training/examples.js";
export { TrainingPanel } from "./training/panel.js";
export { WritingPanel, writes } from "./writing/panel.js";
export { Session } from "./training/session.js";
