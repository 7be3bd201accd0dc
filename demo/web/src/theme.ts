// Dark and light: as the system says, until the visitor chooses.
import { coloursChanged } from "./colours.js";

const names = { system: "as the system", light: "light", dark: "dark" } as const;
type Theme = keyof typeof names;
const key = "weft-theme";

function stored(): Theme {
  try {
    const t = localStorage.getItem(key);
    return t === "light" || t === "dark" ? t : "system";
  } catch {
    return "system"; // storage is switched off
  }
}

/** Sets up the button that goes through the themes. */
export function theme(button: HTMLElement): void {
  let now = stored();
  const apply = () => {
    if (now === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = now;
    button.setAttribute("aria-label", `Colours: ${names[now]}`);
    button.title = `Colours: ${names[now]}`;
    coloursChanged();
  };
  button.addEventListener("click", () => {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    // The first press always changes what is seen.
    const order: Theme[] = dark ? ["system", "light", "dark"] : ["system", "dark", "light"];
    now = order[(order.indexOf(now) + 1) % 3]!;
    try {
      if (now === "system") localStorage.removeItem(key);
      else localStorage.setItem(key, now);
    } catch {
      // It holds for this visit.
    }
    apply();
  });
  if (now !== "system") apply();
}
