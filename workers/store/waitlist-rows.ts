import type { UserId, WaitlistEntryId } from "../../engine/ids.ts";
import type { Waiting, WaitlistEntry } from "../../engine/waitlist.ts";

/** The line, as its rows tell of it. */
export interface WaitingRow {
  readonly id: string;
  readonly user_id: string;
  readonly quantity: number;
  readonly categories: readonly number[] | null;
  readonly priority: number;
  readonly seq: string;
  readonly at_ms: string;
}
export const WAITING = `
  SELECT id, user_id, quantity, array_to_json(categories) AS categories, priority, seq, at_ms
  FROM waitlist_entries WHERE event_id = $1 AND status = 'waiting' ORDER BY priority DESC, seq`;

/** An offer: the place in the line of who got it, and when it was made. */
export interface OfferRow {
  readonly priority: number;
  readonly seq: string;
  readonly ended_seq: string;
}
/** Those that were made since `seq`, from the end of the line. */
export const OFFERS_SINCE = `
  SELECT priority, seq, ended_seq FROM waitlist_entries
  WHERE event_id = $1 AND status = 'offered' AND ended_seq > $2 ORDER BY priority, seq DESC`;

/** When the first of those who wait came; null: nobody waits. */
export function firstSeqOf(rows: readonly WaitingRow[]): number | null {
  let first: number | null = null;
  for (const { seq } of rows) first = Math.min(first ?? Number(seq), Number(seq));
  return first;
}

/**
 * Who waits, each with the number of offers that were made behind them since they came: from the
 * end of the line to its beginning, every offer is counted before those who stand in front of it.
 */
export function lineOf(waiting: readonly WaitingRow[], offers: readonly OfferRow[]): Waiting[] {
  const made = new SeqCounts(offers.map((offer) => Number(offer.ended_seq)));
  let behind = 0;
  const line = waiting.toReversed().map((row) => {
    const entry = entryOf(row);
    for (let offer = offers[behind]; offer !== undefined; offer = offers[behind]) {
      const isBehind =
        offer.priority !== entry.priority
          ? offer.priority < entry.priority
          : Number(offer.seq) > entry.seq;
      if (!isBehind) break;
      made.add(Number(offer.ended_seq));
      behind += 1;
    }
    return { entry, skips: made.countAfter(entry.seq) };
  });
  return line.reverse();
}

function entryOf(row: WaitingRow): WaitlistEntry {
  return {
    entryId: row.id as WaitlistEntryId,
    userId: row.user_id as UserId,
    quantity: row.quantity,
    categories: row.categories,
    priority: row.priority,
    seq: Number(row.seq),
    atMs: Number(row.at_ms),
  };
}

/** Counts the added seqs after a given one: a Fenwick tree over all there may be. */
class SeqCounts {
  readonly #seqs: readonly number[];
  readonly #counts: Int32Array;
  #total = 0;

  constructor(seqs: readonly number[]) {
    this.#seqs = seqs.toSorted((a, b) => a - b);
    this.#counts = new Int32Array(seqs.length + 1);
  }

  add(seq: number): void {
    this.#total += 1;
    for (let at = this.#upTo(seq); at < this.#counts.length; at += at & -at) {
      this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    }
  }

  countAfter(seq: number): number {
    let count = this.#total;
    for (let at = this.#upTo(seq); at > 0; at -= at & -at) count -= this.#counts[at] ?? 0;
    return count;
  }

  /** How many of all seqs are not after this one. */
  #upTo(seq: number): number {
    let low = 0;
    let high = this.#seqs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#seqs[middle] ?? seq) <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
