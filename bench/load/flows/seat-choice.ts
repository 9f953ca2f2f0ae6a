import type { RandomSource } from "../../catalogue/random-source.ts";

/** Where buyers look at a glance, so often in front; and seats that they see there. */
const LOOKS = 12;
const LOOKED_AT = 40;
/** Seats that the thorough look through, before they take a single one. */
const LOOKED_AT_MAX = 4_096;

export interface SeatChoiceOptions {
  readonly seats: number;
  /** How late buyers see what others have taken. */
  readonly lagMs: number;
  /** Who finds nothing at a glance looks on, and takes a single seat in the end. */
  readonly isThorough: boolean;
  readonly random: RandomSource;
}

/**
 * The seat map as buyers see it: a little late. What one of them has just taken, the others still
 * see free for a moment, and that is how they come to want the same seats.
 *
 * Invariant: a seat that is seen as sold stays so.
 */
export class SeatChoice {
  readonly #count: number;
  readonly #random: RandomSource;
  readonly #lagMs: number;
  readonly #isThorough: boolean;
  /** By seat: until when it is seen as taken; Infinity: sold. */
  readonly #takenUntilMs: Float64Array;
  /** Oldest first: what will be seen, and when. */
  readonly #news: { readonly seenMs: number; readonly seat: number; readonly untilMs: number }[] =
    [];
  #read = 0;
  #sold = 0;

  constructor(options: SeatChoiceOptions) {
    this.#count = options.seats;
    this.#lagMs = options.lagMs;
    this.#isThorough = options.isThorough;
    this.#random = options.random;
    this.#takenUntilMs = new Float64Array(options.seats);
  }

  get isSoldOut(): boolean {
    return this.#sold >= this.#count;
  }

  /** Seats beside each other, mostly far in front; null: none is seen as free. */
  pick(wanted: number, nowMs: number): number[] | null {
    this.#catchUp(nowMs);
    for (let look = 0; look < LOOKS; look += 1) {
      const favourite = Math.floor(this.#random.next() ** 2 * this.#count);
      const run = this.#runFrom(favourite, { wanted, lookedAt: LOOKED_AT }, nowMs);
      if (run !== null) return run;
    }
    if (!this.#isThorough) return null;
    const anywhere = Math.floor(this.#random.next() * this.#count);
    return (
      this.#runFrom(anywhere, { wanted, lookedAt: LOOKED_AT_MAX }, nowMs) ??
      this.#runFrom(anywhere, { wanted: 1, lookedAt: this.#count }, nowMs)
    );
  }

  /** Others see it `lagMs` later. */
  taken(seats: readonly number[], nowMs: number, untilMs: number): void {
    for (const seat of seats) this.#news.push({ seenMs: nowMs + this.#lagMs, seat, untilMs });
  }

  sold(seats: readonly number[], nowMs: number): void {
    this.#sold += seats.length;
    this.taken(seats, nowMs, Number.POSITIVE_INFINITY);
  }

  #catchUp(nowMs: number): void {
    for (;;) {
      const news = this.#news[this.#read];
      if (news === undefined || news.seenMs > nowMs) break;
      this.#read += 1;
      const known = this.#takenUntilMs[news.seat] ?? 0;
      const isGivenBack = news.untilMs === 0 && known !== Number.POSITIVE_INFINITY;
      this.#takenUntilMs[news.seat] = isGivenBack ? 0 : Math.max(known, news.untilMs);
    }
    if (this.#read > 10_000) {
      this.#news.splice(0, this.#read);
      this.#read = 0;
    }
  }

  #runFrom(
    from: number,
    { wanted, lookedAt }: { readonly wanted: number; readonly lookedAt: number },
    nowMs: number,
  ): number[] | null {
    let run: number[] = [];
    for (let step = 0; step < Math.min(lookedAt, this.#count); step += 1) {
      const seat = (from + step) % this.#count;
      if (seat === 0) run = [];
      if ((this.#takenUntilMs[seat] ?? 0) <= nowMs) run.push(seat);
      else run = [];
      if (run.length === wanted) return run;
    }
    return null;
  }
}
