// The tab of text: a language model continues what the visitor begins, character by character.
import type { LayersModel } from "@weft-ml/weft";
import { html, nothing, render } from "lit/html.js";
import files from "weft:files";
import { message, type App } from "../app.js";

/** Whether a model continues texts, by what its file says. */
export const writes = (model: LayersModel) => model.metadata["weft.task"] === "text-generation";

/** Characters that are written at the press of the button. */
const length = 1000;

/** What is shown at most; the oldest goes first. */
const keep = 20_000;

/** The model that writes. */
interface Writer {
  model: LayersModel;
  title: string;
  note: string;
}

export class WritingPanel {
  private writer: Writer | undefined;
  private prompt = "ROMEO:";
  private temperature = 0.8;
  private text = "";
  private speed = "";
  private abort: AbortController | undefined;
  private problem = "";
  private queued = false;

  constructor(
    private readonly app: App,
    private readonly root: HTMLElement,
  ) {
    app.onchange(() => this.later());
    this.draw();
  }

  /** Makes a model the one that writes, in place of what is writing. */
  use(model: LayersModel, title: string): void {
    this.abort?.abort();
    this.install(model, title);
  }

  private install(model: LayersModel, title: string): Writer {
    this.forget();
    const loss = Number(model.metadata["weft.validation_loss"]);
    this.writer = { model, title, note: loss > 0 ? `${loss.toFixed(3)} nats a character on text it has not seen` : "" };
    this.text = this.speed = this.problem = "";
    this.later();
    return this.writer;
  }

  private forget(): void {
    try {
      this.writer?.model.dispose();
    } catch {
      // It has ended with its runtime.
    }
    this.writer = undefined;
  }

  /** The model that comes with the page, fetched when it is first asked for. */
  private async given(): Promise<Writer> {
    const runtime = await this.app.whole();
    const answer = await fetch(files.writer);
    if (!answer.ok) throw new Error(`The model cannot be fetched: the server answered ${answer.status}.`);
    const model = await runtime.load(new Uint8Array(await answer.arrayBuffer()));
    return this.install(model, "A small transformer, trained on Shakespeare’s plays");
  }

  private readonly write = async () => {
    if (this.abort) return;
    const abort = (this.abort = new AbortController());
    this.text = this.speed = this.problem = "";
    this.draw();
    try {
      const writer = this.writer ?? (await this.given());
      const begun = performance.now();
      let n = 0;
      this.text = this.prompt;
      for await (const piece of writer.model.generate(this.prompt || "\n", { temperature: this.temperature, maxTokens: length, seed: Math.floor(Math.random() * 2 ** 31), signal: abort.signal })) {
        n += piece.length;
        this.text = (this.text + piece).slice(-keep);
        this.speed = `${Math.round((1000 * n) / Math.max(performance.now() - begun, 1))} characters a second`;
        this.later();
      }
    } catch (err) {
      if (!abort.signal.aborted) {
        if (["worker", "closed", "internal", "memory"].includes((err as { code?: string }).code ?? "")) {
          this.writer = undefined; // what was loaded has ended
          this.app.fail(err);
        } else this.problem = message(err);
      }
    } finally {
      if (this.abort === abort) this.abort = undefined;
      this.later();
    }
  };

  private readonly load = (event: Event) => {
    const input = event.target as HTMLInputElement;
    const chosen = [...(input.files ?? [])];
    input.value = "";
    if (chosen.length) void import("../more.js").then(({ receive }) => receive(this.app, chosen));
  };

  private later(): void {
    if (this.queued) return;
    this.queued = true;
    requestAnimationFrame(() => {
      this.queued = false;
      if (!this.root.hidden) this.draw();
    });
  }

  private draw(): void {
    const busy = this.abort !== undefined;
    const out = this.root.querySelector("output");
    const atEnd = !out || out.scrollTop + out.clientHeight > out.scrollHeight - 40;
    render(
      html`<div class="card writing">
        <div class="row">
          <h2>${this.writer?.title ?? "A network that writes"}</h2>
          <span class="hint">${this.writer ? `${new Intl.NumberFormat("en").format(this.writer.model.params)} parameters` : nothing}</span>
        </div>
        <p class="hint">
          ${this.writer?.note ? html`${this.writer.note}. ` : nothing}It continues what you begin, one character after the other, here on this device. Drop a model that
          <code>weft train char-gpt</code> or <code>char-lstm</code> has made, and it writes in the manner of your text.
        </p>
        <label>Beginning<textarea rows="2" maxlength="4000" spellcheck="false" .value=${this.prompt} @input=${(e: Event) => (this.prompt = (e.target as HTMLTextAreaElement).value)}></textarea></label>
        <label>Temperature <b>${this.temperature.toFixed(1)}</b>
          <input type="range" min="0" max="1.5" step="0.1" aria-label="Temperature" .value=${String(this.temperature)} @input=${(e: Event) => {
            this.temperature = Number((e.target as HTMLInputElement).value);
            this.draw();
          }} />
        </label>
        <div class="buttons">
          ${busy
            ? html`<button type="button" @click=${() => this.abort?.abort()}>Stop writing</button>`
            : html`<button type="button" class="primary" @click=${this.write}>Write</button>`}
          <button type="button" ?disabled=${busy} @click=${() => this.root.querySelector<HTMLInputElement>("input[type=file]")!.click()}>Load text model</button>
          <input type="file" hidden accept=".onnx" aria-label="ONNX file of a text model" @change=${this.load} />
          <span class="hint" role="status">${busy && !this.text ? "fetching the model …" : this.speed}</span>
        </div>
        ${this.problem ? html`<p class="notice bad" role="alert">${this.problem}</p>` : nothing}
        <output aria-label="Written text" ?hidden=${this.text === ""}>${this.text}</output>
      </div>`,
      this.root,
    );
    const now = this.root.querySelector("output");
    if (now && atEnd) now.scrollTop = now.scrollHeight;
  }
}
