import type { InventoryDefinition } from "./definition.ts";
import { EventState, type KnownBooking } from "./event-state.ts";
import type { ActiveHold, EndedHold } from "./hold-book.ts";
import type { KeptKey } from "./idempotency-keys.ts";
import type { UserId } from "./ids.ts";
import { FREE, HELD, Inventory, SOLD } from "./inventory.ts";

/**
 * An actor's state as plain data: what the database's rows amount to, and what memory is compared
 * by.
 */
export interface Snapshot {
  readonly seq: number;
  readonly definition: InventoryDefinition | null;
  readonly holds: readonly ActiveHold[];
  readonly endedHolds: readonly EndedHold[];
  readonly bookings: readonly KnownBooking[];
  /** In the order of their time. */
  readonly keys: readonly KeptKey[];
}

export function snapshotOf(state: EventState): Snapshot {
  return {
    seq: state.seq,
    definition: state.definition,
    holds: [...state.holds.active()],
    endedHolds: [...state.holds.ended()],
    bookings: [...state.bookings.values()],
    keys: [...state.keys.all()],
  };
}

/** Builds the state that a snapshot describes. Throws when two records claim one seat. */
export function restore(snapshot: Snapshot): EventState {
  const state = new EventState();
  state.seq = snapshot.seq;
  state.definition = snapshot.definition;
  for (const ended of snapshot.endedHolds) state.holds.remember(ended);
  for (const key of snapshot.keys) state.keys.keep(key, key.seq, key.atMs);
  if (snapshot.definition === null) return state;
  const inventory = new Inventory(snapshot.definition);
  state.inventory = inventory;
  for (const hold of snapshot.holds) {
    for (const item of hold.items) inventory.move(item.place, FREE, HELD);
    state.holds.put(hold);
    addPlaces(state, hold.userId, hold.items.length);
  }
  for (const booking of snapshot.bookings) {
    state.bookings.set(booking.record.bookingId, booking);
    if (booking.cancelled !== null) continue;
    for (const item of booking.record.items) inventory.move(item.place, FREE, SOLD);
    addPlaces(state, booking.record.userId, booking.record.items.length);
  }
  return state;
}

function addPlaces(state: EventState, userId: UserId, count: number): void {
  state.placesByUser.set(userId, (state.placesByUser.get(userId) ?? 0) + count);
}

/** Differences of two snapshots of one event at one seq, as sentences; empty: they agree. */
export function driftBetween(memory: Snapshot, database: Snapshot): string[] {
  const parts = ["seq", "definition", "holds", "bookings"] as const;
  const drift: string[] = [];
  for (const part of parts) {
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
  for (const part of ["seq", "definition", "holds", "bookings"] as const) {
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

type Part = "seq" | "definition" | "holds" | "bookings";

function linesOf(snapshot: Snapshot, part: Part): [name: string, line: string][] {
  switch (part) {
    case "seq":
      return [["seq", String(snapshot.seq)]];
    case "definition":
      return [["definition", JSON.stringify(definitionFields(snapshot.definition))]];
    case "holds":
      return snapshot.holds.map((hold) => [
        `hold ${hold.holdId}`,
        JSON.stringify([hold.userId, hold.expiresAtMs, hold.extended, itemFields(hold)]),
      ]);
    case "bookings":
      return snapshot.bookings.map(({ record, cancelled }) => [
        `booking ${record.bookingId}`,
        JSON.stringify([
          cancelled === null ? "confirmed" : "cancelled",
          record.userId,
          record.code,
          record.ticketCodes,
          itemFields(record),
        ]),
      ]);
  }
}

function definitionFields(definition: InventoryDefinition | null): unknown {
  if (definition === null) return null;
  const { seatCategories, ...rest } = definition;
  const ordered = Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1));
  return [ordered, Array.from(seatCategories).join("")];
}

function itemFields({ items }: Pick<ActiveHold, "items">): number[] {
  return items.flatMap((item) => [item.place, item.category, item.priceMinor]);
}
