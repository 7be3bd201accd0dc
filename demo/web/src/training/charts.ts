// Curves of loss and accuracy.
import uPlot from "uplot";
import { onColours } from "../colours.js";
import { smooth } from "./curve.js";
import type { Session } from "./session.js";

const css = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

interface Kind {
  title: string;
  colour: string;
  format: (v: number) => string;
  values: (s: Session) => { steps: number[]; raw: number[]; test: Map<number, number> };
  range: (lo: number, hi: number) => [number, number];
}

const kinds: Kind[] = [
  {
    title: "Loss",
    colour: "--warm",
    format: (v) => v.toFixed(v < 1 ? 3 : 2),
    values: (s) => ({ steps: s.loss.steps, raw: s.loss.values, test: new Map(s.checks.map((c) => [c.step, c.loss])) }),
    range: (_lo, hi) => [0, Math.max(0.1, hi) * 1.04],
  },
  {
    title: "Accuracy",
    colour: "--accent",
    format: (v) => `${(100 * v).toFixed(1)} %`,
    values: (s) => ({ steps: s.accuracy.steps, raw: s.accuracy.values, test: new Map(s.checks.map((c) => [c.step, c.accuracy])) }),
    range: (lo) => [Math.max(0, Math.min(0.9, lo - 0.05)), 1.005],
  },
];

/** Two charts that follow a session. */
export class Charts {
  private plots: uPlot[] = [];
  private session: Session | undefined;

  constructor(private readonly root: HTMLElement) {
    this.make();
    onColours(() => this.make());
    new ResizeObserver(() => {
      for (const [i, p] of this.plots.entries()) p.setSize({ width: this.width(i), height: height });
    }).observe(root);
  }

  show(session: Session): void {
    this.session = session;
    for (const [i, kind] of kinds.entries()) {
      const plot = this.plots[i];
      if (!plot) continue; // about to be made
      const { steps, raw, test } = kind.values(session);
      // Checks lie at steps of their own: the axis has the union.
      const x = [...new Set([...steps, ...test.keys()])].sort((a, b) => a - b);
      const mean = smooth(raw, 0.9);
      const at = new Map(steps.map((s, k) => [s, k]));
      const pick = (list: number[]) => x.map((s) => (at.has(s) ? list[at.get(s)!]! : null));
      plot.setData([x, pick(raw), pick(mean), x.map((s) => test.get(s) ?? null)]);
    }
  }

  private width(i: number): number {
    return (this.root.children[i] as HTMLElement | undefined)?.clientWidth || 300;
  }

  private make(): void {
    for (const p of this.plots) p.destroy();
    this.root.replaceChildren(
      ...kinds.map((k) => {
        const figure = document.createElement("figure");
        figure.className = "card chart";
        const title = document.createElement("h2");
        title.textContent = k.title;
        const box = document.createElement("div");
        figure.append(title, box);
        return figure;
      }),
    );
    this.plots = [];
    // One at a time, so that neither holds the page up.
    const boxes = [...this.root.children].map((figure) => figure.lastElementChild as HTMLElement);
    const next = () => {
      const i = this.plots.length;
      if (i === kinds.length || !boxes[i]!.isConnected) return;
      this.plots.push(this.plot(kinds[i]!, boxes[i]!));
      if (this.session) this.show(this.session);
      setTimeout(next);
    };
    setTimeout(next);
  }

  private plot(kind: Kind, box: HTMLElement): uPlot {
    const [line, grid, quiet, text] = [css(kind.colour), css("--line"), css("--quiet"), css("--text")];
    const font = "12px system-ui, sans-serif";
    const axis = { stroke: quiet, font, grid: { stroke: grid, width: 1 }, ticks: { show: false } };
    const show = (_u: uPlot, v: number | null) => (v == null ? "–" : kind.format(v));
    return new uPlot(
      {
        width: box.clientWidth || 300,
        height,
        legend: { live: true },
        cursor: { y: false, points: { size: 7 } },
        scales: { x: { time: false }, y: { range: (_u, lo, hi) => (lo == null ? kind.range(0, 1) : kind.range(lo, hi)) } },
        axes: [
          { ...axis, space: 60, size: 32, values: (_u, v) => v.map((s) => (s >= 1000 ? `${s / 1000}k` : String(s))) },
          { ...axis, size: 48, values: (_u, v) => v.map((s) => (kind.title === "Loss" ? String(+s.toFixed(2)) : `${Math.round(100 * s)} %`)) },
        ],
        series: [
          { label: "Step", value: (_u, v) => (v == null ? "–" : String(Math.round(v))) },
          { label: "batch", stroke: `${line}44`, width: 1, points: { show: false }, value: show, spanGaps: true },
          { label: "training", stroke: line, width: 2, points: { show: false }, value: show, spanGaps: true },
          { label: "test", stroke: text, width: 1.5, dash: [4, 3], points: { show: true, size: 5, fill: text, stroke: text }, value: show, spanGaps: true },
        ],
      },
      [[], [], [], []],
      box,
    );
  }
}

const height = 230;
