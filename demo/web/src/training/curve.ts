// A curve that stays small however long it gets: neighbours are averaged together when there are too many points.

const limit = 800;

export class Curve {
  readonly steps: number[] = [];
  readonly values: number[] = [];
  private stride = 1;
  private sum = 0;
  private count = 0;

  push(step: number, value: number): void {
    this.sum += value;
    if (++this.count < this.stride) return;
    this.steps.push(step);
    this.values.push(this.sum / this.count);
    this.sum = this.count = 0;
    if (this.steps.length < limit) return;
    for (let i = 0; i < limit / 2; i++) {
      this.steps[i] = this.steps[2 * i + 1]!;
      this.values[i] = (this.values[2 * i]! + this.values[2 * i + 1]!) / 2;
    }
    this.steps.length = this.values.length = limit / 2;
    this.stride *= 2;
  }
}

/** A running mean: weights fall with the age in steps. */
export function smooth(values: readonly number[], keep: number): number[] {
  let mean = 0, weight = 0;
  return values.map((v) => {
    mean = keep * mean + (1 - keep) * v;
    weight = keep * weight + (1 - keep);
    return mean / weight;
  });
}
