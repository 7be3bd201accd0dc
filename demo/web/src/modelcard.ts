// The card of the model that answers: its name, training at the press of a button, download and load.
import { html, nothing, render } from "lit/html.js";
import type { App } from "./app.js";
import { planTitle } from "./plan.js";
import { vars } from "./vars.js";

const number = new Intl.NumberFormat("en");

export class ModelCard {
  private queued = false;

  constructor(
    private readonly app: App,
    private readonly root: HTMLElement,
    private readonly original: () => Promise<void>,
  ) {
    app.onchange(() => {
      if (this.queued) return;
      this.queued = true;
      requestAnimationFrame(() => {
        this.queued = false;
        this.draw();
      });
    });
    this.draw();
  }

  private readonly train = async () => {
    const { app } = this;
    if (app.session?.busy) return;
    app.show("training");
    try {
      const { Session } = await import("./more.js");
      await Session.start(app);
    } catch (err) {
      app.fail(err, "Training did not start");
    }
  };

  private readonly download = async () => {
    const { app } = this;
    try {
      const { download } = await import("./more.js");
      await download(app);
    } catch (err) {
      app.fail(err, "The model cannot be saved");
    }
  };

  private readonly load = (event: Event) => {
    const input = event.target as HTMLInputElement;
    const files = [...(input.files ?? [])];
    input.value = "";
    if (files.length) void import("./more.js").then(({ receive }) => receive(this.app, files));
  };

  private draw(): void {
    const { app } = this;
    const { net, session: s } = app;
    const busy = s?.busy ?? false;
    const paused = s?.state === "paused";
    const ready = net !== undefined;
    render(
      html`
        <div class="row">
          <h2 id="model-name">${net?.title ?? "LeNet"}</h2>
          <span class="hint">${net?.model ? `${number.format(net.model.params)} parameters` : nothing}</span>
        </div>
        <p class="note">${net?.note ?? "loading …"}</p>
        <div class="buttons">
          ${busy
            ? html`<button type="button" class="primary" @click=${() => (paused ? s!.resume() : s!.pause())} ?disabled=${s!.state === "preparing"}>${paused ? "Resume" : "Pause"}</button>
                <button type="button" @click=${() => s!.stop()}>Stop</button>`
            : html`<button type="button" class="primary wide" @click=${this.train} ?disabled=${!ready} title="Train ${planTitle(app.plan)} in this tab">Train</button>`}
          <button type="button" @click=${this.download} ?disabled=${!ready}>Download model</button>
          <button type="button" @click=${() => this.root.querySelector<HTMLInputElement>("input[type=file]")!.click()} ?disabled=${!ready}>Load model</button>
          <input type="file" hidden accept=".onnx" aria-label="ONNX file" @change=${this.load} />
          ${net && net.origin !== "given" && !busy ? html`<button type="button" class="quiet wide" @click=${this.original}>Back to the original LeNet</button>` : nothing}
        </div>
        ${s
          ? html`<div class="progress" role="progressbar" aria-label="Progress" aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(100 * s.share)}>
                <span ${vars({ "--share": s.share.toFixed(4) })}></span>
              </div>
              <p class="hint" id="progress-text">${s.line}</p>`
          : nothing}
      `,
      this.root,
    );
  }
}
