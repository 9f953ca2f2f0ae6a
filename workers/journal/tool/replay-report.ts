/** A replayed event as whoever investigates a disputed sale reads it. */

import type { KnownBooking } from "../../../engine/booking.ts";
import { type BookingStatus, statusOf } from "../../../engine/booking.ts";
import type { InventoryDefinition } from "../../../engine/definition.ts";
import type { Fact } from "../../../engine/facts.ts";
import type { ActiveHold } from "../../../engine/hold-book.ts";
import type { EventId } from "../../../engine/ids.ts";
import type { AreaCounts, Inventory } from "../../../engine/inventory.ts";
import {
  areaIndexOf,
  isSeat,
  type Place,
  type PlaceItem,
  placeOfArea,
  totalMinor,
} from "../../../engine/place.ts";
import { snapshotOf } from "../../../engine/snapshot.ts";
import { snapshotHash } from "../../../engine/snapshot-comparison.ts";
import { unreachable } from "../../../engine/unreachable.ts";
import type { Replayed } from "./replay.ts";

const SEATS_PER_LINE = 100;

/** One event's state as plain data; places are indexes, as in the journal. */
export interface EventReport {
  readonly kind: "state";
  readonly event: EventId;
  readonly seq: number;
  /** Of the last fact applied; null: none was. */
  readonly at: string | null;
  /** The seq of the rows of PostgreSQL that it began with; 0: the event's first fact. */
  readonly baseSeq: number;
  readonly applied: number;
  /** What `GET /ops/events/{id}/audit` calls so; at one seq it is one value. */
  readonly hash: string;
  readonly status: string | null;
  readonly currency: string | null;
  readonly total: AreaCounts;
  readonly areas: readonly (AreaCounts & { readonly key: string })[];
  readonly categories: readonly {
    readonly key: string;
    readonly priceMinor: number;
    readonly free: number;
  }[];
  /** One letter a seat: f free, h held, s sold, b blocked. */
  readonly seats: string;
  readonly holds: readonly ActiveHold[];
  readonly bookings: readonly KnownBooking[];
}

export function reportOf(event: EventId, { state, baseSeq, applied }: Replayed): EventReport {
  const { definition, inventory } = state;
  const snapshot = snapshotOf(state);
  const last = applied.at(-1);
  return {
    kind: "state",
    event,
    seq: state.seq,
    at: last === undefined ? null : iso(last.atMs),
    baseSeq,
    applied: applied.length,
    hash: snapshotHash(snapshot),
    status: definition?.status ?? null,
    currency: definition?.currency ?? null,
    total: {
      capacity: inventory?.capacity ?? 0,
      free: inventory?.free ?? 0,
      held: inventory?.held ?? 0,
      sold: inventory?.sold ?? 0,
      blocked: inventory?.blocked ?? 0,
    },
    areas: (definition?.areas ?? []).map(({ key }, index) => ({
      key,
      ...areaOf(inventory, index),
    })),
    categories: (definition?.categories ?? []).map(({ key, priceMinor }, index) => ({
      key,
      priceMinor,
      free: inventory?.freeIn(index) ?? 0,
    })),
    seats: Buffer.from(inventory?.statuses ?? []).toString("latin1"),
    holds: snapshot.holds,
    bookings: snapshot.bookings,
  };
}

function areaOf(inventory: Inventory | null, index: number): AreaCounts {
  return inventory?.area(index) ?? { capacity: 0, free: 0, held: 0, sold: 0, blocked: 0 };
}

export function* reportLines(
  report: EventReport,
  definition: InventoryDefinition | null,
): Generator<string> {
  const { event, seq, at, baseSeq, applied, hash, total, areas, categories, seats } = report;
  const from =
    baseSeq === 0 ? "from its first fact" : `on the rows of PostgreSQL at seq ${baseSeq}`;
  yield `event     ${event}`;
  yield `state     at seq ${seq}${at === null ? "" : `, ${at}`}; ${applied} facts applied ${from}`;
  yield `hash      ${hash}`;
  yield `status    ${report.status ?? "not configured"}`;
  yield "";
  yield row("places", "capacity", "free", "held", "sold", "blocked");
  yield countsRow("all", total);
  for (const area of areas) yield countsRow(`area ${area.key}`, area);
  yield "";
  for (const { key, priceMinor, free } of categories) {
    yield `category  ${key} at ${price(priceMinor, report)}: ${free} free`;
  }
  if (seats.length > 0) yield* seatLines(seats);
  yield "";
  yield `holds     ${report.holds.length} active`;
  for (const { holdId, userId, items, createdAtMs, expiresAtMs, extended } of report.holds) {
    const until = `${iso(createdAtMs)} to ${iso(expiresAtMs)}${extended ? ", extended" : ""}`;
    yield `  hold ${holdId} user ${userId}: ${placesText(items, definition)}; ${until}`;
  }
  yield "";
  yield `bookings  ${bookingCounts(report)}`;
  for (const { record } of report.bookings) {
    const { bookingId, userId, code, items, bookedAtMs } = record;
    const who = `  booking ${bookingId} user ${userId} code ${code}`;
    const what = `${placesText(items, definition)} for ${price(totalMinor(items), report)}`;
    const { later } = record;
    const now = later === null ? "" : `, ${later.status} ${iso(later.atMs)}`;
    yield `${who}: ${what}; ${iso(bookedAtMs)}${now}`;
  }
}

/** `2 confirmed, 1 cancelled`, and of other statuses those that occur. */
function bookingCounts({ bookings }: EventReport): string {
  const counts = new Map<BookingStatus, number>([
    ["confirmed", 0],
    ["cancelled", 0],
  ]);
  for (const { record } of bookings) {
    const status = statusOf(record);
    counts.set(status, (counts.get(status) ?? 0) + 1);
  }
  return [...counts].map(([status, count]) => `${count} ${status}`).join(", ");
}

function* seatLines(seats: string): Generator<string> {
  yield "";
  yield "seats     f free, h held, s sold, b blocked; from 0 in the order of the seating plan";
  for (let seat = 0; seat < seats.length; seat += SEATS_PER_LINE) {
    yield `${String(seat).padStart(8)}  ${seats.slice(seat, seat + SEATS_PER_LINE)}`;
  }
}

function countsRow(name: string, { capacity, free, held, sold, blocked }: AreaCounts): string {
  return row(name, ...[capacity, free, held, sold, blocked].map(String));
}

function row(name: string, ...columns: readonly string[]): string {
  return name.padEnd(20) + columns.map((column) => column.padStart(10)).join("");
}

/** One fact as one line: what happened when, to whom and to which places. */
export function factLine(fact: Fact, definition: InventoryDefinition | null): string {
  const { seq, atMs, key } = fact;
  const start = `${String(seq).padStart(8)}  ${iso(atMs)}  ${nameOf(fact).padEnd(10)}`;
  const asked = key === null ? "" : ` (key ${key.digest})`;
  return `${start} ${detailsOf(fact, definition)}${asked}`;
}

function nameOf(fact: Fact): string {
  if (fact.kind === "holdEnded") return fact.reason;
  return fact.kind === "bookingChanged" ? fact.change : fact.kind;
}

function detailsOf(fact: Fact, definition: InventoryDefinition | null): string {
  switch (fact.kind) {
    case "configured": {
      const { status, seatCategories, areas } = fact.definition;
      return `${status}, ${seatCategories.length} seats, ${areas.length} areas`;
    }
    case "held":
    case "extended":
    case "holdChanged": {
      const what = `${placesText(fact.items, definition)} until ${iso(fact.expiresAtMs)}`;
      return `hold ${fact.holdId} user ${fact.userId}: ${what}`;
    }
    case "holdEnded":
      return `hold ${fact.holdId} user ${fact.userId}: ${placesText(fact.items, definition)}`;
    case "paymentStarted":
    case "booked": {
      const { bookingId, holdId, userId, code, items } = fact.booking;
      const who = `booking ${bookingId} of hold ${holdId} user ${userId} code ${code}`;
      return `${who}: ${placesText(items, definition)}`;
    }
    case "bookingChanged": {
      const { booking, tickets } = fact;
      const by = `by ${fact.by ?? "nobody"}${fact.reason === null ? "" : ` (${fact.reason})`}`;
      const items = booking.items.filter((_, index) => tickets.includes(index));
      return `booking ${booking.bookingId} ${by}: ${placesText(items, definition)}`;
    }
    case "placesChanged": {
      const blocks = fact.blocks.map(({ place, channel, quantity }) => {
        return `${placeText(place, definition)} for "${channel}": ${quantity}`;
      });
      const sizes = fact.capacities.map(({ area, capacity }) => {
        return `${placeText(placeOfArea(area), definition)} has ${capacity}`;
      });
      return `by ${fact.by}: ${[...blocks, ...sizes].join(", ")}`;
    }
    case "queued": {
      const { entryId, userId, quantity, priority } = fact.entry;
      return `entry ${entryId} user ${userId}: ${quantity} places, priority ${priority}`;
    }
    case "unqueued":
      return `entry ${fact.entryId} user ${fact.userId}: ${fact.reason}`;
    default:
      return unreachable(fact);
  }
}

/** Seats by their number, areas by their key and how many places of them. */
function placesText(items: readonly PlaceItem[], definition: InventoryDefinition | null): string {
  const seats = items.filter(({ place }) => isSeat(place)).map(({ place }) => `seat ${place}`);
  const areas = new Map<string, number>();
  for (const { place } of items) {
    if (isSeat(place)) continue;
    const index = areaIndexOf(place);
    const key = definition?.areas[index]?.key ?? `area ${index}`;
    areas.set(key, (areas.get(key) ?? 0) + 1);
  }
  return [...seats, ...[...areas].map(([key, count]) => `${count} × ${key}`)].join(", ");
}

function placeText(place: Place, definition: InventoryDefinition | null): string {
  if (isSeat(place)) return `seat ${place}`;
  return definition?.areas[areaIndexOf(place)]?.key ?? `area ${areaIndexOf(place)}`;
}

function price(minor: number, { currency }: EventReport): string {
  return `${minor} ${currency ?? ""} minor units`;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
