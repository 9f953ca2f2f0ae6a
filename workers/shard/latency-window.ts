const SAMPLES = 512;

/** Percentiles over the last samples; for operators, not for proof. */
export class LatencyWindow {
  readonly #samples = new Float64Array(SAMPLES);
  #count = 0;

  add(latencyMs: number): void {
    this.#samples[this.#count % SAMPLES] = latencyMs;
    this.#count += 1;
  }

  /** `quantile` in [0, 1]; 0 while there are no samples. Milliseconds. */
  percentile(quantile: number): number {
    const size = Math.min(this.#count, SAMPLES);
    if (size === 0) return 0;
    const sorted = this.#samples.slice(0, size).sort();
    return sorted[Math.min(size - 1, Math.floor(quantile * size))] ?? 0;
  }
}
