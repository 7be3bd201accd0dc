// The answer: the digit and how probable each is.
import type { Answer } from "./live.js";

const percent = (p: number) => (p >= 0.9995 ? "100" : p >= 0.1 ? (100 * p).toFixed(p > 0.99 ? 1 : 0) : (100 * p).toFixed(1));

export class AnswerView {
  /** Called with the digit that the visitor says it is. */
  onteach = (_digit: number): void => {};

  private bars: { button: HTMLButtonElement; label: HTMLElement }[] = [];

  constructor(
    private readonly output: HTMLOutputElement,
    private readonly sure: HTMLElement,
    private readonly group: HTMLElement,
  ) {
    this.setClasses(10, true);
  }

  /** Makes a bar for each of ten classes; more classes than ten are shown by the ten most probable. */
  setClasses(classes: number, teachable: boolean): void {
    const n = Math.min(10, classes);
    while (this.bars.length > n) this.bars.pop()!.button.remove();
    while (this.bars.length < n) {
      const digit = this.bars.length;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "bar";
      const fill = document.createElement("span");
      fill.className = "fill";
      const label = document.createElement("span");
      label.className = "label";
      label.textContent = String(digit);
      button.append(fill, label);
      button.addEventListener("click", () => this.onteach(digit));
      this.group.append(button);
      this.bars.push({ button, label });
    }
    for (const [digit, { button, label }] of this.bars.entries()) {
      button.disabled = !teachable;
      label.textContent = String(digit);
    }
    this.show(undefined);
  }

  /** Shows an answer, or that there is none. */
  show(answer: Answer | undefined): void {
    const text = answer && answer.best >= 0 ? String(answer.best) : "";
    if (this.output.textContent !== text) this.output.textContent = text;
    this.sure.textContent = answer ? (answer.best >= 0 ? `${percent(answer.probabilities[answer.best]!)} %` : "no number") : "\u00a0";
    this.output.classList.toggle("long", text.length > 2);
    const p = answer?.probabilities;
    const many = p && p.length > 10;
    const order = many ? [...p.keys()].sort((a, b) => p[b]! - p[a]!) : undefined;
    for (const [i, { button, label }] of this.bars.entries()) {
      const cls = order ? order[i]! : i;
      const v = p ? p[cls]! || 0 : 0;
      button.style.setProperty("--p", v.toFixed(4));
      button.classList.toggle("best", answer?.best === cls);
      if (many) label.textContent = String(cls);
      button.setAttribute("aria-label", button.disabled ? `${cls}: ${percent(v)} %` : `This is a ${cls} (${percent(v)} %)`);
    }
  }
}
