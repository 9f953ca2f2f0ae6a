import type { RandomSource } from "../../catalogue/random-source.ts";

/** How many seats from where they began to look buyers look through, before they give up. */
const LOOKED_AT_MAX = 4_096;

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
  /** By seat: until when it is seen as taken; Infinity: sold. */
  readonly #takenUntilMs: Float64Array;
  /** Oldest first: what will be seen, and when. */
  readonly #news: { readonly seenMs: number; readonly seat: number; readonly untilMs: number }[] =
    [];
  #read = 0;
  #sold = 0;

  constructor(options: { seats: number; lagMs: number; random: RandomSource }) {
    this.#count = options.seats;
    this.#lagMs = options.lagMs;
    this.#random = options.random;
    this.#takenUntilMs = new Float64Array(options.seats);
  }

  get isSoldOut(): boolean {
    return this.#sold >= this.#count;
  }

  /** Seats beside each other, mostly far in front, or any one; null: none is seen as free. */
  pick(wanted: number, nowMs: number): number[] | null {
    this.#catchUp(nowMs);
    const favourite = Math.floor(this.#random.next() ** 2 * this.#count);
    const anywhere = Math.floor(this.#random.next() * this.#count);
    return this.#runFrom(favourite, wanted, nowMs) ?? this.#runFrom(anywhere, 1, nowMs);
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
      if (known !== Number.POSITIVE_INFINITY) this.#takenUntilMs[news.seat] = news.untilMs;
    }
    if (this.#read > 10_000) {
      this.#news.splice(0, this.#read);
      this.#read = 0;
    }
  }

  #runFrom(from: number, wanted: number, nowMs: number): number[] | null {
    const lookedAt = wanted === 1 ? this.#count : Math.min(this.#count, LOOKED_AT_MAX);
    let run: number[] = [];
    for (let step = 0; step < lookedAt; step += 1) {
      const seat = (from + step) % this.#count;
      if (seat === 0) run = [];
      if ((this.#takenUntilMs[seat] ?? 0) <= nowMs) run.push(seat);
      else run = [];
      if (run.length === wanted) return run;
    }
    return null;
  }
}
