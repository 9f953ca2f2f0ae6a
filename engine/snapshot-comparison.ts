/** What is equal in two snapshots of one event, record by record, and a digest of it. */
import type { KnownBooking } from "./booking.ts";
import { type BookingRecord, statusOf } from "./booking.ts";
import type { InventoryDefinition } from "./definition.ts";
import type { Block } from "./facts.ts";
import type { ActiveHold } from "./hold-book.ts";
import type { PlaceItem } from "./place.ts";
import type { Comparable } from "./snapshot.ts";
import { inOneGo, type Steps } from "./steps.ts";
import type { Waiting } from "./waitlist.ts";

export interface Comparison {
  /** Differences as sentences; empty: they agree. */
  readonly drift: string[];
  readonly memoryHash: string;
  readonly databaseHash: string;
}

/** Records that are looked at in one step: some two milliseconds. */
const RECORDS_PER_STEP = 100;

/** Compares two snapshots of one event at one seq. */
export function* comparing(memory: Comparable, database: Comparable): Steps<Comparison> {
  const drift: string[] = [];
  const [ours, theirs] = [new Digest(), new Digest()];
  const others = new Map<string, Line>();
  for (const line of linesOf(database)) {
    others.set(line.name, line);
    if (others.size % (10 * RECORDS_PER_STEP) === 0) yield;
  }
  let count = 0;
  for (const { name, text } of linesOf(memory)) {
    const mine = text();
    ours.add(name, mine);
    const other = others.get(name);
    others.delete(name);
    const stored = other?.text();
    if (stored !== undefined) theirs.add(name, stored);
    if (stored === undefined) drift.push(`${name} is in memory only: ${mine}`);
    else if (stored !== mine) drift.push(`${name} differs: memory ${mine}, database ${stored}`);
    count += 1;
    if (count % RECORDS_PER_STEP === 0) yield;
  }
  for (const { name, text } of others.values()) {
    const stored = text();
    theirs.add(name, stored);
    drift.push(`${name} is in the database only: ${stored}`);
    count += 1;
    if (count % RECORDS_PER_STEP === 0) yield;
  }
  return { drift, memoryHash: ours.hex, databaseHash: theirs.hex };
}

/** Differences of two snapshots of one event at one seq, as sentences; empty: they agree. */
export function driftBetween(memory: Comparable, database: Comparable): string[] {
  return inOneGo(comparing(memory, database)).drift;
}

/**
 * Digest of everything in a snapshot that sells or is sold, 16 hex digits; equal states have equal
 * hashes whatever the order of their records.
 */
export function* hashing(snapshot: Comparable): Steps<string> {
  const digest = new Digest();
  let count = 0;
  for (const { name, text } of linesOf(snapshot)) {
    digest.add(name, text());
    count += 1;
    if (count % RECORDS_PER_STEP === 0) yield;
  }
  return digest.hex;
}

export function snapshotHash(snapshot: Comparable): string {
  return inOneGo(hashing(snapshot));
}

/**
 * The sum of what each line is hashed to, so the order of lines does not matter. Two lanes of
 * FNV-1a with the last mix of MurmurHash3: against accidents, not attackers.
 */
class Digest {
  #a = 0;
  #b = 0;

  get hex(): string {
    return hexOf(this.#a) + hexOf(this.#b);
  }

  add(name: string, text: string): void {
    let a = 0x811c9dc5;
    let b = 0x01234567;
    for (const part of [name, " ", text]) {
      for (let i = 0; i < part.length; i += 1) {
        const unit = part.charCodeAt(i);
        a = Math.imul(a ^ unit, 0x01000193);
        b = Math.imul(b ^ unit, 0x01000197);
      }
    }
    this.#a = (this.#a + mixed(a)) | 0;
    this.#b = (this.#b + mixed(b)) | 0;
  }
}

function mixed(lane: number): number {
  let hash = Math.imul(lane ^ (lane >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

const hexOf = (lane: number): string => (lane >>> 0).toString(16).padStart(8, "0");

/** One record: what it is called in both snapshots, and all that has to be equal of it. */
interface Line {
  readonly name: string;
  readonly text: () => string;
}

function* linesOf(snapshot: Comparable): Generator<Line> {
  yield { name: "seq", text: () => String(snapshot.seq) };
  yield { name: "definition", text: () => definitionText(snapshot.definition) };
  for (const hold of snapshot.holds) {
    yield { name: `hold ${hold.holdId}`, text: () => holdText(hold) };
  }
  for (const booking of snapshot.bookings) {
    yield { name: `booking ${booking.record.bookingId}`, text: () => bookingText(booking) };
  }
  for (const block of snapshot.blocks) yield blockLine(block);
  for (const [index, waiting] of snapshot.waitlist.entries()) {
    yield { name: `waitlist ${waiting.entry.entryId}`, text: () => waitingText(waiting, index) };
  }
}

function definitionText(definition: InventoryDefinition | null): string {
  if (definition === null) return "null";
  const { seatCategories, seatMap, ...rest } = definition;
  return JSON.stringify([ordered(rest), digestOf(seatCategories), digestOf(seatMap)]);
}

/** Of many bytes, that nobody would read. */
function digestOf(bytes: Uint8Array): string {
  let [a, b] = [0x811c9dc5, 0x01234567];
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i] ?? 0;
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(b ^ byte, 0x01000197);
  }
  return `${bytes.length} bytes ${hexOf(mixed(a))}${hexOf(mixed(b))}`;
}

function holdText(hold: ActiveHold): string {
  const { userId, expiresAtMs, extended, paying } = hold;
  return JSON.stringify([userId, expiresAtMs, extended, paying, ...common(hold)]);
}

function bookingText({ record, seq }: KnownBooking): string {
  return JSON.stringify([
    statusOf(record),
    seq,
    record.userId,
    record.email,
    record.code,
    record.ticketCodes,
    ordered(record.later),
    ...common(record),
  ]);
}

const blockLine = ({ place, channel, quantity }: Block): Line => ({
  name: `block of ${place} for "${channel}"`,
  text: () => String(quantity),
});

const waitingText = ({ entry, skips }: Waiting, index: number): string =>
  JSON.stringify([index, skips, ordered(entry)]);

/** What holds and bookings have in common. */
function common({ items, ordinals, terms }: Pick<BookingRecord, "items" | "ordinals" | "terms">) {
  return [items.map(itemFields), ordinals, ordered(terms)];
}

function itemFields({ place, category, priceMinor, charge }: PlaceItem): unknown[] {
  return [place, category, priceMinor, ordered(charge)];
}

/** Equal values in equal order, however their members were written. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => [name, ordered(member)]);
}
