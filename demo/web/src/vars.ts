// A directive of lit that sets CSS properties of its own: style attributes are not what the page's security policy allows.
import { directive, Directive, type ElementPart } from "lit/directive.js";

class Vars extends Directive {
  render(_values: { [name: `--${string}`]: string | number }): void {}

  override update(part: ElementPart, [values]: [{ [name: `--${string}`]: string | number }]): void {
    for (const [name, value] of Object.entries(values)) (part.element as HTMLElement).style.setProperty(name, String(value));
  }
}

/** Sets custom properties of an element: <p ${vars({ "--share": 0.5 })}>. */
export const vars = directive(Vars);
