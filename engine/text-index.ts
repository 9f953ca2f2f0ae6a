import { assert } from "./assert.ts";

/** Rows that a text each leads to; the index numbers them. */
export interface TextRows {
  /** Whether the row is known by the text. */
  isOf(row: number, text: string): boolean;
  /** What was in row `from` is in row `to` from now on, which is before it. */
  move(from: number, to: number): void;
  /** There are rows 0 to `count`, and room for `capacity` is needed. */
  resize(count: number, capacity: number): void;
}

const CAPACITY_MIN = 8;
/** A row's number and eight bits of its hash share a slot. */
const ROW_BITS = 24;
const ROW_MASK = (1 << ROW_BITS) - 1;
const ROWS_MAX = ROW_MASK - 1;
/** The slot of a row that is gone: who looks for another one goes on behind it. */
const GONE = ROW_MASK;
const NONE = new Int32Array(0);

/**
 * Which row a text leads to, where rows lie in the order in which they came.
 *
 * A Map could say so, too. But a text that has just come in a message has no hash yet, for which a
 * Map calls the runtime, and on its way a Map reads a text out of memory for each that it passes:
 * 200 ns. Here are hashes beside each other, and a text is read when it is most likely the right
 * one: 50 ns.
 *
 * Invariants:
 * - Rows are numbered from 0 without repeating. A row that goes leaves its number behind until the
 *   numbers are used up: then those that are left close ranks, in their order.
 * - At most half of the slots are in use, so every search ends at a free one.
 */
export class TextIndex {
  readonly #rows: TextRows;
  /** By row; 0: it is gone. */
  #hashes = NONE;
  /** By hash: a row's number + 1, and above it the highest bits of its hash; 0: free. */
  #slots = NONE;
  #count = 0;
  #first = 0;
  #end = 0;
  #lastText = "";
  #lastHash = hashOf("");

  constructor(rows: TextRows) {
    this.#rows = rows;
  }

  get count(): number {
    return this.#count;
  }

  /** The row of the text; -1: there is none. */
  find(text: string): number {
    if (this.#count === 0) return -1;
    const hash = this.#hash(text);
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const slot = slots[at] ?? 0;
      if (slot === 0) return -1;
      if ((slot ^ hash) >>> ROW_BITS !== 0) continue;
      const row = (slot & ROW_MASK) - 1;
      if (this.#hashes[row] === hash && this.#rows.isOf(row, text)) return row;
    }
  }

  /** The number of a new row, behind all others; there must be none of this text. */
  add(text: string): number {
    if (this.#end === this.#hashes.length) this.#makeRoom();
    const hash = this.#hash(text);
    const row = this.#end;
    this.#end += 1;
    this.#count += 1;
    this.#hashes[row] = hash;
    this.#place(row, hash);
    return row;
  }

  /** The row is no more. */
  remove(row: number): void {
    const hash = this.#hashes[row] ?? 0;
    assert(hash !== 0, "a row that goes was there");
    const slots = this.#slots;
    const mask = slots.length - 1;
    let at = hash & mask;
    while (((slots[at] ?? 0) & ROW_MASK) - 1 !== row) at = (at + 1) & mask;
    slots[at] = GONE;
    this.#hashes[row] = 0;
    this.#count -= 1;
  }

  /** The row that came first of those that are there; -1: there is none. */
  oldest(): number {
    if (this.#count === 0) return -1;
    while (this.#hashes[this.#first] === 0) this.#first += 1;
    return this.#first;
  }

  /** The row that came next after this one; -1: none has. */
  after(row: number): number {
    for (let next = row + 1; next < this.#end; next += 1) {
      if (this.#hashes[next] !== 0) return next;
    }
    return -1;
  }

  /** Closes ranks, with room for a third more than there are: costs O(1) a row, all in all. */
  #makeRoom(): void {
    let capacity = CAPACITY_MIN;
    while (3 * capacity < 4 * (this.#count + 1)) capacity *= 2;
    assert(capacity <= ROWS_MAX, "rows are numbered within their bits");
    const before = this.#hashes;
    const isAsLarge = before.length === capacity;
    const hashes = isAsLarge ? before : new Int32Array(capacity);
    let to = 0;
    for (let from = this.#first; from < this.#end; from += 1) {
      const hash = before[from] ?? 0;
      if (hash === 0) continue;
      if (to !== from) this.#rows.move(from, to);
      hashes[to] = hash;
      to += 1;
    }
    hashes.fill(0, to);
    this.#rows.resize(to, capacity);
    this.#hashes = hashes;
    if (isAsLarge) this.#slots.fill(0);
    else this.#slots = new Int32Array(2 * capacity);
    this.#first = 0;
    this.#end = to;
    for (let row = 0; row < to; row += 1) this.#place(row, hashes[row] ?? 0);
  }

  #place(row: number, hash: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let at = hash & mask;
    while ((slots[at] ?? 0) !== 0) at = (at + 1) & mask;
    slots[at] = (hash & ~ROW_MASK) | (row + 1);
  }

  /** Who decides asks for a text that who applies asks for again. */
  #hash(text: string): number {
    if (text !== this.#lastText) {
      this.#lastText = text;
      this.#lastHash = hashOf(text);
    }
    return this.#lastHash;
  }
}

/** Never 0. Against accidents: nobody chooses the ids and digests that are looked for. */
function hashOf(text: string): number {
  const { length } = text;
  let hash = length;
  let at = 0;
  for (; at + 3 < length; at += 4) {
    const four =
      text.charCodeAt(at) ^
      (text.charCodeAt(at + 1) << 7) ^
      (text.charCodeAt(at + 2) << 14) ^
      (text.charCodeAt(at + 3) << 21);
    hash = Math.imul(hash ^ four, 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  for (; at < length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x85ebca6b);
  hash ^= hash >>> 13;
  return hash === 0 ? 1 : hash;
}
