// Tabs whose panels are made when they are first shown.

type Name = "inside" | "training" | "network" | "text";

export class Tabs {
  private readonly made = new Set<Name>();

  constructor(
    private readonly list: HTMLElement,
    /** Makes a panel, when it is shown for the first time. */
    private readonly make: { readonly [name in Name]?: (root: HTMLElement) => unknown },
    /** Called when a tab is shown: what happened meanwhile has to be drawn. */
    private readonly onshow: () => void,
  ) {
    list.addEventListener("click", (e) => {
      const tab = (e.target as Element).closest("[role=tab]");
      if (!tab) return;
      e.preventDefault();
      this.show(nameOf(tab));
      history.replaceState(null, "", tab.getAttribute("href"));
    });
    list.addEventListener("keydown", (e) => {
      const all = this.all();
      const now = all.indexOf(e.target as HTMLElement);
      const next = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: all.length - 1 }[e.key];
      if (now < 0) return;
      if (next !== undefined) {
        const tab = all[(next + all.length) % all.length]!;
        this.show(nameOf(tab));
        tab.focus();
      } else if (e.key === " ") this.show(nameOf(all[now]!));
      else return;
      e.preventDefault();
    });
    const wanted = location.hash.slice(1);
    this.show(wanted === "training" || wanted === "network" || wanted === "text" ? wanted : "inside");
  }

  show(name: Name): void {
    for (const tab of this.all()) {
      const chosen = nameOf(tab) === name;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      document.getElementById(nameOf(tab))!.hidden = !chosen;
    }
    const panel = document.getElementById(name)!;
    if (!this.made.has(name)) this.make[name]?.(panel);
    this.made.add(name);
    this.onshow();
  }

  private all(): HTMLElement[] {
    return [...this.list.querySelectorAll<HTMLElement>("[role=tab]")];
  }
}

const nameOf = (tab: Element) => tab.getAttribute("href")!.slice(1) as Name;
