import { assert } from "./assert.ts";
import type { UserId, WaitlistEntryId } from "./ids.ts";
import { Line } from "./line.ts";

/** What somebody waits for. */
export interface Wish {
  /** Places wanted, all at once. */
  readonly quantity: number;
  /** Categories that will do; null: any. */
  readonly categories: readonly number[] | null;
}

/** Somebody who waits for places. */
export interface WaitlistEntry extends Wish {
  readonly entryId: WaitlistEntryId;
  readonly userId: UserId;
  /** Higher ones come first. */
  readonly priority: number;
  /** seq and time of arrival. */
  readonly seq: number;
  readonly atMs: number;
}

/** An entry in the line, with what happened around it. */
export interface Waiting {
  readonly entry: WaitlistEntry;
  /** How many behind it were offered places since it came, because what was free did not fit it. */
  readonly skips: number;
}

export interface InLine extends Waiting {
  /** The same object for all whom the same places would do for. */
  readonly wish: Wish;
}

interface SharedWish extends Wish {
  readonly text: string;
  /** Entries that have it. */
  count: number;
}

/**
 * Who waits, in the order in which they are served: priority, then arrival.
 *
 * Invariants:
 * - A buyer is in it once at most.
 * - `skips` counts the offers made to entries behind this one since it came.
 * - The line is sorted, so an entry's place in it is found without walking along.
 * - A wish is there as long as somebody in the line has it, once.
 */
export class Waitlist {
  readonly #line = new Line<InLine & { skips: number; wish: SharedWish }>();
  readonly #wishes = new Map<string, SharedWish>();
  readonly #byUser = new Map<UserId, WaitlistEntry>();
  readonly #byId = new Map<WaitlistEntryId, WaitlistEntry>();

  get count(): number {
    return this.#line.count;
  }

  /** Only good until the line changes. */
  inOrder(): Iterable<InLine> {
    return this.#line;
  }

  /** A list of its own: at most so many, from this place on, which counts from 0. */
  line(from = 0, limit = this.count): readonly InLine[] {
    return this.#line.part(from, limit);
  }

  /** What is waited for, each once: in a long line many want the same. */
  wishes(): Iterable<Wish> {
    return this.#wishes.values();
  }

  ofUser(userId: UserId): WaitlistEntry | undefined {
    return this.#byUser.get(userId);
  }

  /** From 1; 0: it does not wait. */
  positionOf(entryId: WaitlistEntryId): number {
    const entry = this.#byId.get(entryId);
    return entry === undefined ? 0 : this.#countBefore(entry) + 1;
  }

  add(entry: WaitlistEntry, skips = 0): void {
    assert(!this.#byUser.has(entry.userId), "a buyer waits once");
    const wish = this.#wishOf(entry);
    wish.count += 1;
    this.#line.insert(this.#countBefore(entry), { entry, skips, wish });
    this.#byUser.set(entry.userId, entry);
    this.#byId.set(entry.entryId, entry);
  }

  remove(entryId: WaitlistEntryId): void {
    const at = this.positionOf(entryId) - 1;
    assert(at >= 0, "an entry that leaves was waiting");
    this.#drop(at);
  }

  /** The entry got its offer: it waits no longer, and those before it have been skipped. */
  offered(entryId: WaitlistEntryId): void {
    const at = this.positionOf(entryId) - 1;
    assert(at >= 0, "who is offered places was waiting");
    for (let n = 0; n < at; n += 1) {
      const skipped = this.#line.at(n);
      if (skipped !== undefined) skipped.skips += 1;
    }
    this.#drop(at);
  }

  /** How many are served before it, whether it is in the line or not. */
  #countBefore(entry: WaitlistEntry): number {
    let low = 0;
    let high = this.#line.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#line.at(middle)?.entry;
      if (other !== undefined && isBefore(other, entry)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #wishOf({ quantity, categories }: Wish): SharedWish {
    const text = `${quantity} of ${categories?.join() ?? "any"}`;
    const known = this.#wishes.get(text);
    if (known !== undefined) return known;
    const wish = { quantity, categories, text, count: 0 };
    this.#wishes.set(text, wish);
    return wish;
  }

  #drop(at: number): void {
    const gone = this.#line.take(at);
    if (gone === undefined) return;
    gone.wish.count -= 1;
    if (gone.wish.count === 0) this.#wishes.delete(gone.wish.text);
    this.#byUser.delete(gone.entry.userId);
    this.#byId.delete(gone.entry.entryId);
  }
}

export function isBefore(a: WaitlistEntry, b: WaitlistEntry): boolean {
  return a.priority !== b.priority ? a.priority > b.priority : a.seq < b.seq;
}
