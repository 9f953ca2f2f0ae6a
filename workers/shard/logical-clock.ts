/**
 * A shard's time: the wall clock, except that it never runs backwards, not even across a restart.
 *
 * Invariant: `read` never returns less than it did before, nor less than the time of the last fact
 * that the shard's earlier owner stored.
 */
export class LogicalClock {
  #lastMs: number;
  readonly #wallMs: () => number;

  constructor(wallMs: () => number, atLeastMs: number) {
    this.#wallMs = wallMs;
    this.#lastMs = atLeastMs;
  }

  /** Unix ms. */
  read(): number {
    this.#lastMs = Math.max(this.#lastMs, this.#wallMs());
    return this.#lastMs;
  }

  get lastMs(): number {
    return this.#lastMs;
  }
}
