// What the parts of the page share.
import type { Runtime } from "@weft-ml/weft";
import type { AnswerView } from "./answer.js";
import type { Inside } from "./inside.js";
import type { Live } from "./live.js";
import type { Net } from "./net.js";
import type { Pad } from "./pad.js";
import type { Plan } from "./plan.js";
import type { Session } from "./training/session.js";
import type { WritingPanel } from "./writing/panel.js";
import type { Examples } from "./training/examples.js";

export interface App {
  pad: Pad;
  live: Live;
  answer: AnswerView;
  inside: Inside;
  runtime: Runtime | undefined;
  /** Waits for the runtime, and for LeNet in it when it is what answers. */
  whole(): Promise<Runtime>;
  net: Net | undefined;
  /** The network and the settings that Train uses. */
  plan: Plan;
  session: Session | undefined;
  examples: Examples | undefined;
  /** Files of MNIST that the visitor has brought. */
  mnist: import("./training/mnist.js").Mnist | undefined;
  /** Replaces the model that answers; the old one is disposed of. */
  use(net: Net): void;
  /** Tells the views that something of the above has changed. */
  changed(): void;
  onchange(f: () => void): void;
  /** Tells of an error, and starts the runtime again when that has ended. */
  fail(err: unknown, what?: string): void;
  /** Shows a message, or takes it away. */
  notice(text: string, kind?: "bad" | "good"): void;
  /** Shows a tab. */
  show(tab: "inside" | "training" | "network" | "text"): void;
  /** The tab of text, once it was shown or asked for. */
  writing(): Promise<WritingPanel>;
}

/** An error's message as a person reads it. */
export function message(err: unknown): string {
  const text = err instanceof Error ? err.message : String(err);
  return text.replace(/^weft: /, "");
}
