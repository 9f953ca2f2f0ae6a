/** Times in ms, counted in steps of 0.1 ms up to ten seconds: exact enough, and of a fixed size. */
export class Latencies {
  readonly #steps = new Uint32Array(100_001);
  #count = 0;
  #maxMs = 0;

  get count(): number {
    return this.#count;
  }

  get maxMs(): number {
    return this.#maxMs;
  }

  add(ms: number): void {
    const step = Math.min(Math.floor(ms * 10), this.#steps.length - 1);
    this.#steps[step] = (this.#steps[step] ?? 0) + 1;
    this.#count += 1;
    this.#maxMs = Math.max(this.#maxMs, ms);
  }

  /** `share` from 0 to 1; 0 when nothing was added. */
  percentileMs(share: number): number {
    let left = share * this.#count;
    for (let step = 0; step < this.#steps.length; step += 1) {
      left -= this.#steps[step] ?? 0;
      if (left <= 0) return Math.min((step + 1) / 10, this.#maxMs);
    }
    return this.#maxMs;
  }

  toString(): string {
    const [p50, p99, p999] = [0.5, 0.99, 0.999].map((share) => this.percentileMs(share).toFixed(1));
    return `p50 ${p50}, p99 ${p99}, p99.9 ${p999}, max ${this.#maxMs.toFixed(1)}`;
  }
}
