// Scopes: tensors made in one are freed together when it ends.
import { Ops } from "./ops.js";
import { Tensor } from "./tensor.js";

/**
 * Makes tensors that are freed when the scope ends, and so are the results of operations on them. It has every operation of the
 * runtime.
 */
export class Scope extends Ops {
  private readonly owned = new Set<Tensor>();

  /** @internal */
  adopt(t: Tensor): void {
    this.owned.add(t);
  }

  /** @internal */
  forget(t: Tensor): void {
    this.owned.delete(t);
  }

  protected override owner(): Scope {
    return this;
  }

  /** Takes tensors out of the scope, so that they outlive it. */
  keep<T extends Tensor>(tensor: T): T {
    this.release(tensor);
    return tensor;
  }

  /** Puts tensors that were made elsewhere under the scope. */
  own<T extends Tensor>(tensor: T): T {
    tensor.scope?.forget(tensor);
    tensor.scope = this;
    this.owned.add(tensor);
    return tensor;
  }

  private release(value: unknown, depth = 0): void {
    if (value instanceof Tensor) {
      if (value.scope === this) {
        this.owned.delete(value);
        value.scope = undefined;
      }
    } else if (value !== null && typeof value === "object" && !ArrayBuffer.isView(value) && depth < 8) {
      for (const entry of Array.isArray(value) ? value : Object.getPrototypeOf(value) === Object.prototype ? Object.values(value) : []) this.release(entry, depth + 1);
    }
  }

  /** Ends the scope: everything but the result is freed. @internal */
  end(result?: unknown): void {
    this.release(result);
    for (const t of [...this.owned]) t.dispose();
    this.owned.clear();
  }
}
