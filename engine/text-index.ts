import { assert } from "./assert.ts";

/** Rows that a text each leads to; the index numbers them. */
export interface TextRows {
  /** Whether the row is known by the text. */
  isOf(row: number, text: string): boolean;
}

const ROWS_MIN = 8;
/** A row's number and eight bits of its hash share a slot. */
const ROW_BITS = 24;
const ROW_MASK = (1 << ROW_BITS) - 1;
const ROWS_MAX = ROW_MASK - 1;
/** The slot of a row that is gone: who looks for another one goes on behind it. */
const GONE = ROW_MASK;
/** The next of the last row, and the row of a text that has none. */
const NONE = -1;
const NO_NUMBERS = new Int32Array(0);

/** What is known of a row: its hash (0: it is gone), and who came after and before it. */
const ROW_FIELDS = 3;
const HASH = 0;
const NEXT = 1;
const BEFORE = 2;

const SLOTS_MIN = 16;
/** Rows that move into larger slots with each new one: all have, long before those are full. */
const MOVES_PER_ROW = 4;

/**
 * Which row a text leads to, and in which order rows came.
 *
 * A Map could say so, too. But a text that has just come in a message has no hash yet, for which a
 * Map calls the runtime, and on its way a Map reads a text out of memory for each that it passes:
 * 200 ns. Here are hashes beside each other, and a text is read when it is most likely the right
 * one: 50 ns. And when a Map is full, everybody waits until all that it has is in a larger one,
 * 0.1 s for half a million; here a few rows move with each that is added.
 *
 * Invariants:
 * - A row keeps its number for as long as it is there; then the next new one may have it.
 * - At most half of the slots are in use, so every search ends at a free one.
 * - A row is in the slots, or it is below `#movedEnd`, has not been moved, and is in `#oldSlots`.
 */
export class TextIndex {
  readonly #rows: TextRows;
  readonly #isRouted: boolean;
  #fields = NO_NUMBERS;
  /** By hash: a row's number + 1, and above it the highest bits of its hash; 0: free. */
  #slots = new Int32Array(SLOTS_MIN);
  /** Slots that are not free: of rows, and of those that are gone. */
  #used = 0;
  /** What the slots were before there was more room, while rows move; otherwise empty. */
  #oldSlots = NO_NUMBERS;
  /** Rows that have moved are below it, and all that are to move below the other. */
  #moved = 0;
  #movedEnd = 0;
  #count = 0;
  /** Rows have numbers below this one. */
  #end = 0;
  #oldest = NONE;
  #newest = NONE;
  #gone = NONE;
  /** What was asked for last, and its row: who decides asks for what who applies asks for again. */
  #lastText: string | null = null;
  #lastHash = 0;
  #lastRow = NONE;

  constructor(rows: TextRows, { isRouted = false } = {}) {
    this.#rows = rows;
    this.#isRouted = isRouted;
  }

  get count(): number {
    return this.#count;
  }

  /** The row of the text; -1: there is none. */
  find(text: string): number {
    if (this.#count === 0) return NONE;
    if (text !== this.#lastText) this.#lookUp(text);
    return this.#lastRow;
  }

  /** The number of a new row, behind all others; there must be none of this text. */
  add(text: string): number {
    if (text !== this.#lastText) {
      this.#lastText = text;
      this.#lastHash = hashOf(text, this.#isRouted);
    }
    const hash = this.#lastHash;
    if (2 * this.#used >= this.#slots.length) this.#makeRoom();
    if (this.#oldSlots.length > 0) this.#moveSome(MOVES_PER_ROW);
    const row = this.#newRow();
    const fields = this.#fields;
    const at = row * ROW_FIELDS;
    fields[at + HASH] = hash;
    fields[at + NEXT] = NONE;
    fields[at + BEFORE] = this.#newest;
    if (this.#newest === NONE) this.#oldest = row;
    else fields[this.#newest * ROW_FIELDS + NEXT] = row;
    this.#newest = row;
    this.#count += 1;
    this.#place(row, hash);
    this.#lastRow = row;
    return row;
  }

  /** The row is no more. */
  remove(row: number): void {
    const fields = this.#fields;
    const at = row * ROW_FIELDS;
    const hash = fields[at + HASH] ?? 0;
    assert(hash !== 0, "a row that goes was there");
    // One that has not moved is in the old slots alone, where nobody takes it for what it was.
    const slot = this.#slotOf(row, hash);
    if (this.#slots[slot] !== 0) this.#slots[slot] = GONE;
    const [next, before] = [fields[at + NEXT] ?? NONE, fields[at + BEFORE] ?? NONE];
    if (before === NONE) this.#oldest = next;
    else fields[before * ROW_FIELDS + NEXT] = next;
    if (next === NONE) this.#newest = before;
    else fields[next * ROW_FIELDS + BEFORE] = before;
    fields[at + HASH] = 0;
    fields[at + NEXT] = this.#gone;
    this.#gone = row;
    this.#count -= 1;
    if (row === this.#lastRow) this.#lastRow = NONE;
  }

  /** The row that came first of those that are there; -1: there is none. */
  oldest(): number {
    return this.#oldest;
  }

  /** The row that came next after this one, which is there; -1: none has. */
  after(row: number): number {
    return this.#fields[row * ROW_FIELDS + NEXT] ?? NONE;
  }

  #lookUp(text: string): void {
    const hash = hashOf(text, this.#isRouted);
    let row = this.#search(this.#slots, text, hash);
    if (row === NONE && this.#oldSlots.length > 0) row = this.#search(this.#oldSlots, text, hash);
    this.#lastText = text;
    this.#lastHash = hash;
    this.#lastRow = row;
  }

  #search(slots: Int32Array, text: string, hash: number): number {
    const mask = slots.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const slot = slots[at] ?? 0;
      if (slot === 0) return NONE;
      if ((slot ^ hash) >>> ROW_BITS !== 0) continue;
      const row = (slot & ROW_MASK) - 1;
      if (this.#fields[row * ROW_FIELDS] === hash && this.#rows.isOf(row, text)) return row;
    }
  }

  /** Where the row is in the slots, or where it would be. */
  #slotOf(row: number, hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const slot = slots[at] ?? 0;
      if (slot === 0 || (slot & ROW_MASK) - 1 === row) return at;
    }
  }

  /** Nothing happens where it is already. */
  #place(row: number, hash: number): void {
    const at = this.#slotOf(row, hash);
    if (this.#slots[at] !== 0) return;
    this.#slots[at] = (hash & ~ROW_MASK) | (row + 1);
    this.#used += 1;
  }

  /** The one that went last, or one more. */
  #newRow(): number {
    const row = this.#gone;
    if (row !== NONE) {
      this.#gone = this.after(row);
      return row;
    }
    assert(this.#end < ROWS_MAX, "rows are numbered within their bits");
    if (this.#end * ROW_FIELDS === this.#fields.length) {
      this.#fields = enlarged(
        this.#fields,
        Math.max(ROWS_MIN * ROW_FIELDS, 2 * this.#fields.length),
      );
    }
    this.#end += 1;
    return this.#end - 1;
  }

  /** Half of the slots are in use, by rows or by those that are gone: from here on, rows move. */
  #makeRoom(): void {
    assert(this.#oldSlots.length === 0, "rows have moved before there is no room again");
    const { length } = this.#slots;
    this.#oldSlots = this.#slots;
    this.#slots = new Int32Array(4 * this.#count < length ? length : 2 * length);
    this.#used = 0;
    this.#moved = 0;
    this.#movedEnd = this.#end;
  }

  #moveSome(count: number): void {
    const end = Math.min(this.#moved + count, this.#movedEnd);
    for (let row = this.#moved; row < end; row += 1) {
      const hash = this.#fields[row * ROW_FIELDS + HASH] ?? 0;
      // One that is gone has no hash; who has its number since then is where it belongs.
      if (hash !== 0) this.#place(row, hash);
    }
    this.#moved = end;
    if (end === this.#movedEnd) this.#oldSlots = NO_NUMBERS;
  }
}

function enlarged(numbers: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length);
  larger.set(numbers);
  return larger;
}

/** Of a routed id, the last 24 bits of its time and its counter; its end is its event's tag. */
const ROUTED_FROM = 6;
const ROUTED_END = 18;
const TEXT_END_LENGTH = 8;

/**
 * Never 0. Reading characters is most of what it costs, so it takes those in which two texts of a
 * kind differ (engine/ids.ts): of any other than a routed id the last eight, random in a digest and
 * in a user's id. Against accidents: nobody chooses the ids and digests that are looked for.
 */
function hashOf(text: string, isRouted: boolean): number {
  const { length } = text;
  const end = isRouted && length > ROUTED_END ? ROUTED_END : length;
  let at = isRouted ? ROUTED_FROM : length - TEXT_END_LENGTH;
  if (at < 0 || at > end) at = 0;
  let hash = length;
  for (; at + 3 < end; at += 4) {
    const four =
      text.charCodeAt(at) ^
      (text.charCodeAt(at + 1) << 7) ^
      (text.charCodeAt(at + 2) << 14) ^
      (text.charCodeAt(at + 3) << 21);
    hash = Math.imul(hash ^ four, 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  for (; at < end; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x85ebca6b);
  hash ^= hash >>> 13;
  return hash === 0 ? 1 : hash;
}
