/** How long a party has seats, as far as who asked for them can know. */
export interface Tenure {
  /** When they were asked for: they may be theirs. */
  readonly askedMs: number;
  /** When that was answered: they are. */
  readonly heldMs: number;
  /** They are theirs at least until then, and at most; Infinity: sold. */
  sureUntilMs: number;
  untilMs: number;
}

/** From when a request was sent until its answer came: somewhere between it was decided. */
export interface Moment {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * Who had which seat, and when, once all answers have come: what is said of a seat at some moment
 * can then be true or not, however the answers overtook one another.
 *
 * Invariant: whatever the server has given to a party of this load, one of its tenures says.
 */
export class SeatTenures {
  readonly #tenures: Tenure[][];

  constructor(seats: number) {
    this.#tenures = Array.from({ length: seats }, () => []);
  }

  add(seats: readonly number[], tenure: Tenure): void {
    for (const seat of seats) this.#tenures[seat]?.push(tenure);
  }

  /** Whether it may have been somebody's at some time of it. */
  mayBeTaken(seat: number, { fromMs, toMs }: Moment): boolean {
    return this.#of(seat).some(({ askedMs, untilMs }) => askedMs <= toMs && untilMs >= fromMs);
  }

  /** Whether it was somebody's all the while, without a doubt. */
  isTaken(seat: number, { fromMs, toMs }: Moment): boolean {
    return this.#of(seat).some(
      ({ heldMs, sureUntilMs }) => heldMs <= fromMs && sureUntilMs >= toMs,
    );
  }

  /** Since when it is somebody's for good, without a doubt; Infinity: it is not. */
  soldSinceMs(seat: number): number {
    const last = this.#of(seat).find(({ sureUntilMs }) => sureUntilMs === Infinity);
    return last?.heldMs ?? Infinity;
  }

  #of(seat: number): readonly Tenure[] {
    return this.#tenures[seat] ?? [];
  }
}
