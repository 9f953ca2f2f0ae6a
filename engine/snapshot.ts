import { noteBooking, own } from "./apply.ts";
import type { KnownBooking } from "./booking.ts";
import { type BookingRecord, standingItems, statusOf } from "./booking.ts";
import type { InventoryDefinition } from "./definition.ts";
import { EventState } from "./event-state.ts";
import { type Block, type Move, movesTaking } from "./facts.ts";
import { type ActiveHold, type EndedHold, isDrop } from "./hold-book.ts";
import type { KeptKey } from "./idempotency-keys.ts";
import { BLOCKED, FREE, HELD, Inventory, SOLD } from "./inventory.ts";
import type { PlaceItem } from "./place.ts";
import type { Waiting } from "./waitlist.ts";

/**
 * An actor's state as plain data: what the database's rows amount to, and what memory is compared
 * by.
 */
export interface Snapshot {
  readonly seq: number;
  readonly definition: InventoryDefinition | null;
  readonly holds: readonly ActiveHold[];
  /** Oldest first. */
  readonly endedHolds: readonly EndedHold[];
  readonly bookings: readonly KnownBooking[];
  /** In the order of their time. */
  readonly keys: readonly KeptKey[];
  readonly blocks: readonly Block[];
  readonly waitlist: readonly Waiting[];
}

/** Of an event that nobody has configured. */
export const EMPTY_SNAPSHOT: Snapshot = {
  seq: 0,
  definition: null,
  holds: [],
  endedHolds: [],
  bookings: [],
  keys: [],
  blocks: [],
  waitlist: [],
};

export function snapshotOf(state: EventState): Snapshot {
  return {
    seq: state.seq,
    definition: state.definition,
    holds: [...state.holds.active()],
    endedHolds: [...state.holds.ended()],
    bookings: [...state.bookings.values()],
    keys: [...state.keys.all()],
    blocks: state.blocks.all(),
    waitlist: state.waitlist.line().map(({ entry, skips }) => ({ entry, skips })),
  };
}

/** Builds the state that a snapshot describes. Throws when two records claim one seat. */
export function restore(snapshot: Snapshot): EventState {
  const state = new EventState();
  state.seq = snapshot.seq;
  state.definition = snapshot.definition;
  for (const ended of snapshot.endedHolds) {
    state.holds.remember(ended);
    if (isDrop(ended)) state.churn.dropped(ended.userId, ended.atMs);
  }
  for (const key of snapshot.keys) state.keys.keep(key, key.seq, key.atMs);
  if (snapshot.definition === null) return state;
  const inventory = new Inventory(snapshot.definition);
  state.inventory = inventory;
  const moveAll = (moves: readonly Move[]): void => {
    for (const { places, from, to } of moves) {
      for (const place of places) inventory.move(place, from, to);
    }
  };
  // First what is kept from the sale: what was sold of it is taken from there.
  for (const block of snapshot.blocks) {
    state.blocks.set(block);
    inventory.move(block.place, FREE, BLOCKED, block.quantity);
  }
  for (const hold of snapshot.holds) {
    moveAll(movesTaking(hold.items, hold.terms, HELD));
    state.holds.put(hold);
    own(state, hold, 1);
  }
  for (const booking of snapshot.bookings) {
    const { record } = booking;
    state.bookings.set(record.bookingId, booking);
    noteBooking(state, record);
    const items = standingItems(record);
    moveAll(movesTaking(items, record.terms, SOLD));
    own(state, { ...record, items }, 1);
  }
  for (const { entry, skips } of snapshot.waitlist) state.waitlist.add(entry, skips);
  return state;
}

/** What is compared, part by part. Keys and ended holds may lawfully be fewer in the rows. */
const PARTS = ["seq", "definition", "holds", "bookings", "blocks", "waitlist"] as const;
type Part = (typeof PARTS)[number];

/** Differences of two snapshots of one event at one seq, as sentences; empty: they agree. */
export function driftBetween(memory: Snapshot, database: Snapshot): string[] {
  const drift: string[] = [];
  for (const part of PARTS) {
    const a = new Map(linesOf(memory, part));
    const b = new Map(linesOf(database, part));
    for (const [name, line] of a) {
      const other = b.get(name);
      if (other === undefined) drift.push(`${name} is in memory only: ${line}`);
      else if (other !== line) drift.push(`${name} differs: memory ${line}, database ${other}`);
    }
    for (const [name, line] of b) {
      if (!a.has(name)) drift.push(`${name} is in the database only: ${line}`);
    }
  }
  return drift;
}

/**
 * Digest of everything in a snapshot that sells or is sold, 16 hex digits; equal states have equal
 * hashes whatever the order of their records. Two lanes of FNV-1a: against accidents, not
 * attackers.
 */
export function snapshotHash(snapshot: Snapshot): string {
  let a = 0x811c9dc5;
  let b = 0x01234567;
  for (const part of PARTS) {
    const lines = linesOf(snapshot, part).map(([name, line]) => `${name} ${line}\n`);
    for (const line of lines.sort()) {
      for (let i = 0; i < line.length; i += 1) {
        const unit = line.charCodeAt(i);
        a = Math.imul(a ^ unit, 0x01000193);
        b = Math.imul(b ^ unit, 0x01000197);
      }
    }
  }
  const hex = (lane: number): string => (lane >>> 0).toString(16).padStart(8, "0");
  return hex(a) + hex(b);
}

function linesOf(snapshot: Snapshot, part: Part): [name: string, line: string][] {
  switch (part) {
    case "seq":
      return [["seq", String(snapshot.seq)]];
    case "definition":
      return [["definition", JSON.stringify(definitionFields(snapshot.definition))]];
    case "holds":
      return snapshot.holds.map((hold) => [
        `hold ${hold.holdId}`,
        JSON.stringify([hold.userId, hold.expiresAtMs, hold.extended, hold.paying, ...of(hold)]),
      ]);
    case "bookings":
      return snapshot.bookings.map(({ record, seq }) => [
        `booking ${record.bookingId}`,
        JSON.stringify([
          statusOf(record),
          seq,
          record.userId,
          record.email,
          record.code,
          record.ticketCodes,
          ordered(record.later),
          ...of(record),
        ]),
      ]);
    case "blocks":
      return snapshot.blocks.map(({ place, channel, quantity }) => [
        `block of ${place} for "${channel}"`,
        String(quantity),
      ]);
    case "waitlist":
      return snapshot.waitlist.map(({ entry, skips }, index) => [
        `waitlist ${entry.entryId}`,
        JSON.stringify([index, skips, ordered(entry)]),
      ]);
  }
}

function definitionFields(definition: InventoryDefinition | null): unknown {
  if (definition === null) return null;
  const { seatCategories, seatMap, ...rest } = definition;
  return [ordered(rest), Array.from(seatCategories).join(""), Array.from(seatMap).join(" ")];
}

/** What holds and bookings have in common. */
function of({ items, ordinals, terms }: Pick<BookingRecord, "items" | "ordinals" | "terms">) {
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
