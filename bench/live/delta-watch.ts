import { digitsEnd, hasAt, numberIn } from "../load/live-reply.ts";

const SNAPSHOT = Buffer.from('{"op":"snapshot","eventId":"');
const DELTA = Buffer.from('{"op":"delta","eventId":"');
const EPOCH = Buffer.from('","epoch":');
const FROM = Buffer.from(',"from":');
const TO = Buffer.from(',"to":');
const SEQ = Buffer.from(',"seq":');
const EVENT_ID_CHARS = 36;
const FIRST_ARRIVALS = 1_024;

/** One delta, and when each subscriber had it. */
export interface SeenDelta {
  readonly from: number;
  readonly to: number;
  /** Of the clock that the watch was given, ms. */
  readonly arrivalsMs: Float64Array<ArrayBuffer>;
}

export interface WatchFindings {
  readonly deltas: readonly SeenDelta[];
  /** Deltas whose `from` was not their subscriber's last `to`; each is a sentence. */
  readonly gaps: readonly string[];
  readonly gapCount: number;
  /** Messages that were neither snapshot nor delta. */
  readonly strange: number;
}

interface Seen {
  readonly from: number;
  readonly to: number;
  arrivalsMs: Float64Array<ArrayBuffer>;
  count: number;
}

const GAPS_TOLD_MAX = 5;

/**
 * What a crowd of subscribers of one event hears. A subscriber is a number from 0; of a message
 * no more is read than its sequence numbers.
 *
 * Invariant: a subscriber's deltas follow its snapshot and each other without a gap, or the gap is
 * counted; after a gap it goes on from there, so each is counted once.
 */
export class DeltaWatch {
  readonly #lastSeq: Float64Array;
  readonly #epochs: Float64Array;
  readonly #deltas = new Map<number, Seen>();
  readonly #gaps: string[] = [];
  #gapCount = 0;
  #strange = 0;
  #welcomed = 0;
  /** The delta that was heard last: most others hear the same next. */
  #current: Seen = { from: -1, to: -1, arrivalsMs: new Float64Array(0), count: 0 };

  constructor(subscribers: number) {
    this.#lastSeq = new Float64Array(subscribers).fill(-1);
    this.#epochs = new Float64Array(subscribers);
  }

  /** Subscribers that have had their snapshot. */
  get welcomed(): number {
    return this.#welcomed;
  }

  /** Subscribers whose last seq is below. */
  behind(seq: number): number {
    let count = 0;
    for (const last of this.#lastSeq) if (last < seq) count += 1;
    return count;
  }

  hear(subscriber: number, bytes: Buffer, start: number, nowMs: number): void {
    if (hasAt(bytes, start, DELTA)) this.#delta(subscriber, bytes, start, nowMs);
    else if (hasAt(bytes, start, SNAPSHOT)) this.#snapshot(subscriber, bytes, start);
    else this.#strange += 1;
  }

  findings(): WatchFindings {
    const deltas = [...this.#deltas.values()].map(({ from, to, arrivalsMs, count }) => {
      return { from, to, arrivalsMs: arrivalsMs.slice(0, count) };
    });
    return { deltas, gaps: this.#gaps, gapCount: this.#gapCount, strange: this.#strange };
  }

  #snapshot(subscriber: number, bytes: Buffer, start: number): void {
    const epochAt = start + SNAPSHOT.length + EVENT_ID_CHARS + EPOCH.length;
    const epochEnd = digitsEnd(bytes, epochAt);
    if (!hasAt(bytes, epochEnd, SEQ)) {
      this.#strange += 1;
      return;
    }
    const seqAt = epochEnd + SEQ.length;
    if ((this.#lastSeq[subscriber] ?? -1) < 0) this.#welcomed += 1;
    this.#lastSeq[subscriber] = numberIn(bytes, seqAt, digitsEnd(bytes, seqAt));
    this.#epochs[subscriber] = numberIn(bytes, epochAt, epochEnd);
  }

  #delta(subscriber: number, bytes: Buffer, start: number, nowMs: number): void {
    const epochAt = start + DELTA.length + EVENT_ID_CHARS + EPOCH.length;
    const epochEnd = digitsEnd(bytes, epochAt);
    const fromAt = epochEnd + FROM.length;
    const fromEnd = digitsEnd(bytes, fromAt);
    if (!hasAt(bytes, epochEnd, FROM) || !hasAt(bytes, fromEnd, TO)) {
      this.#strange += 1;
      return;
    }
    const toAt = fromEnd + TO.length;
    const epoch = numberIn(bytes, epochAt, epochEnd);
    const from = numberIn(bytes, fromAt, fromEnd);
    const to = numberIn(bytes, toAt, digitsEnd(bytes, toAt));
    if (from !== this.#lastSeq[subscriber] || epoch !== this.#epochs[subscriber]) {
      this.#gap(`subscriber ${subscriber} had ${this.#lastSeq[subscriber]}, got ${from} to ${to}`);
      this.#epochs[subscriber] = epoch;
    }
    this.#lastSeq[subscriber] = to;
    const seen = this.#seen(from, to);
    if (seen.count === seen.arrivalsMs.length) {
      const larger = new Float64Array(2 * seen.count);
      larger.set(seen.arrivalsMs);
      seen.arrivalsMs = larger;
    }
    seen.arrivalsMs[seen.count] = nowMs;
    seen.count += 1;
  }

  #seen(from: number, to: number): Seen {
    if (this.#current.to === to && this.#current.from === from) return this.#current;
    const known = this.#deltas.get(to);
    const isSame = known !== undefined && known.from === from;
    const seen = isSame
      ? known
      : { from, to, arrivalsMs: new Float64Array(FIRST_ARRIVALS), count: 0 };
    if (known === undefined) this.#deltas.set(to, seen);
    else if (!isSame) this.#gap(`${from} to ${to}, where others had ${known.from} to ${to}`);
    this.#current = seen;
    return seen;
  }

  #gap(sentence: string): void {
    this.#gapCount += 1;
    if (this.#gaps.length < GAPS_TOLD_MAX) this.#gaps.push(sentence);
  }
}
