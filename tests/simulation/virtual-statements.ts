/**
 * The net effects of a batch on the virtual tables: the statements of
 * workers/projector/projection-statements.ts one by one, under their names and in their order, with
 * the constraints of sql/ checked row by row as PostgreSQL does.
 */
import { type EventId, itemIdOf } from "../../engine/ids.ts";
import { isSeat } from "../../engine/place.ts";
import type { BookingMade, NetEffects } from "../../workers/projector/net-effects.ts";
import { InvariantViolated } from "../../workers/projector/projection-store.ts";
import { packFact } from "../../workers/store/fact-bytes.ts";
import type { UndoLog } from "./undo-log.ts";
import {
  type AreaRow,
  type EventRows,
  type InventoryRow,
  storedText,
  type TicketRow,
} from "./virtual-rows.ts";

/** What the statements change, and only through `undo`. */
export interface Target {
  readonly inventories: Map<EventId, InventoryRow>;
  rowsOf(eventId: EventId): EventRows;
  readonly undo: UndoLog;
}

/** Throws InvariantViolated, and leaves what it has done until then to the undo log. */
export function applyEffects(target: Target, effects: NetEffects): void {
  const configured = configuredOf(effects);
  const areas = configured.flatMap(({ definition }) => definition.areas);
  const cancelled = effects.bookingsCancelled;
  const ticketsCancelled = cancelled.flatMap(({ fact }) => fact.booking.items);
  const ticketsMade = effects.bookingsMade.flatMap(({ record }) => record.items);
  const run = (name: string, wanted: number, statement: Statement): void => {
    const changed = wanted === 0 ? 0 : statement(target, effects);
    if (changed === wanted) return;
    throw new InvariantViolated(`${name} changed ${changed} rows, not ${wanted}`);
  };
  run("configure-inventories", configured.length, configureInventories);
  run("configure-areas", areas.length, configureAreas);
  run("advance-inventories", effects.events.length, advanceInventories);
  run("count-areas", effects.areas.length, countAreas);
  run("change-holds", effects.holdChanges.length, changeHolds);
  run("insert-holds", effects.holdsMade.length, insertHolds);
  run("cancel-bookings", cancelled.length, cancelBookings);
  run("cancel-tickets", ticketsCancelled.length, cancelTickets);
  run("insert-bookings", effects.bookingsMade.length, insertBookings);
  run("insert-tickets", ticketsMade.length, insertTickets);
  run("keep-keys", effects.keys.length, keepKeys);
}

/** Returns how many rows it changed. */
type Statement = (target: Target, effects: NetEffects) => number;

function configuredOf({ events }: NetEffects) {
  return events.flatMap(({ eventId, firstSeq, definition }) =>
    definition === null ? [] : [{ eventId, firstSeq, definition }],
  );
}

function configureInventories({ inventories, undo }: Target, effects: NetEffects): number {
  const configured = configuredOf(effects);
  for (const { eventId, firstSeq, definition } of configured) {
    const { eventId: _, seatCategories, ...rest } = definition;
    undo.set(inventories, eventId, {
      seq: inventories.get(eventId)?.seq ?? firstSeq - 1,
      definition: JSON.stringify(rest),
      seatCategories: Uint8Array.from(seatCategories),
    });
  }
  return configured.length;
}

function configureAreas(target: Target, effects: NetEffects): number {
  let count = 0;
  for (const { eventId, definition } of configuredOf(effects)) {
    for (const [area, { capacity }] of definition.areas.entries()) {
      const row = target.rowsOf(eventId).areas.get(area) ?? { held: 0, sold: 0 };
      putArea(target, { eventId, area, row: { ...row, capacity } });
      count += 1;
    }
  }
  return count;
}

function advanceInventories({ inventories, undo }: Target, { events }: NetEffects): number {
  let count = 0;
  for (const { eventId, firstSeq, lastSeq } of events) {
    const row = inventories.get(eventId);
    if (row === undefined || row.seq !== firstSeq - 1) continue;
    undo.set(inventories, eventId, { ...row, seq: lastSeq });
    count += 1;
  }
  return count;
}

function countAreas(target: Target, { areas }: NetEffects): number {
  let count = 0;
  for (const { eventId, area, held, sold } of areas) {
    const row = target.rowsOf(eventId).areas.get(area);
    if (row === undefined) continue;
    const moved = { ...row, held: row.held + held, sold: row.sold + sold };
    putArea(target, { eventId, area, row: moved });
    count += 1;
  }
  return count;
}

interface AreaPut {
  readonly eventId: EventId;
  readonly area: number;
  readonly row: AreaRow;
}

function putArea({ rowsOf, undo }: Target, { eventId, area, row }: AreaPut): void {
  const { capacity, held, sold } = row;
  if (held < 0 || sold < 0 || held + sold > capacity) {
    violated(
      "inventory_areas_check",
      'new row for relation "inventory_areas" violates check constraint',
    );
  }
  undo.set(rowsOf(eventId).areas, area, row);
}

function changeHolds({ rowsOf, undo }: Target, { holdChanges }: NetEffects): number {
  let count = 0;
  for (const { eventId, holdId, seq, expiresAtMs, ended } of holdChanges) {
    const { holds } = rowsOf(eventId);
    const row = holds.get(holdId);
    if (row === undefined || row.endedMs !== null) continue;
    undo.set(holds, holdId, {
      ...row,
      status: ended?.end.end ?? "active",
      seq,
      expiresMs: expiresAtMs ?? row.expiresMs,
      extended: row.extended || expiresAtMs !== null,
      endedMs: ended?.atMs ?? null,
      bookingId: ended?.end.bookingId ?? null,
    });
    count += 1;
  }
  return count;
}

function insertHolds({ rowsOf, undo }: Target, { holdsMade }: NetEffects): number {
  for (const { eventId, hold, ended } of holdsMade) {
    const { holds } = rowsOf(eventId);
    unique(holds, hold.holdId, "holds_pkey");
    undo.set(holds, hold.holdId, {
      id: hold.holdId,
      userId: hold.userId,
      status: ended?.end.end ?? "active",
      items: hold.items,
      createdMs: hold.createdAtMs,
      expiresMs: hold.expiresAtMs,
      extended: hold.extended,
      seq: ended?.seq ?? hold.seq,
      endedMs: ended?.atMs ?? null,
      bookingId: null,
    });
  }
  return holdsMade.length;
}

function cancelBookings({ rowsOf, undo }: Target, { bookingsCancelled }: NetEffects): number {
  let count = 0;
  for (const { eventId, fact } of bookingsCancelled) {
    const { bookings } = rowsOf(eventId);
    const row = bookings.get(fact.booking.bookingId);
    if (row === undefined || row.cancelled !== null) continue;
    undo.set(bookings, row.id, { ...row, cancelled: cancellationOf(fact) });
    count += 1;
  }
  return count;
}

function cancelTickets({ rowsOf, undo }: Target, { bookingsCancelled }: NetEffects): number {
  let count = 0;
  for (const { eventId, fact } of bookingsCancelled) {
    const { tickets, ticketBySeat } = rowsOf(eventId);
    for (const index of fact.booking.items.keys()) {
      const row = tickets.get(itemIdOf(fact.booking.holdId, index));
      if (row === undefined || row.status !== "valid") continue;
      undo.set(tickets, row.id, { ...row, status: "cancelled" });
      if (isSeat(row.place)) undo.delete(ticketBySeat, row.place);
      count += 1;
    }
  }
  return count;
}

function insertBookings({ rowsOf, undo }: Target, { bookingsMade }: NetEffects): number {
  for (const { eventId, seq, record, cancelled } of bookingsMade) {
    const { bookings } = rowsOf(eventId);
    unique(bookings, record.bookingId, "bookings_pkey");
    undo.set(bookings, record.bookingId, {
      id: record.bookingId,
      holdId: record.holdId,
      userId: record.userId,
      email: record.email === null ? null : storedText(record.email),
      code: storedText(record.code),
      bookedMs: record.bookedAtMs,
      seq,
      cancelled: cancelled === null ? null : cancellationOf(cancelled),
    });
  }
  return bookingsMade.length;
}

function cancellationOf(fact: NonNullable<BookingMade["cancelled"]>) {
  const { seq, atMs, cancelledBy, reason } = fact;
  return { seq, atMs, by: cancelledBy, reason: reason === null ? null : storedText(reason) };
}

function insertTickets(target: Target, { bookingsMade }: NetEffects): number {
  let count = 0;
  for (const { eventId, record, cancelled } of bookingsMade) {
    for (const [position, item] of record.items.entries()) {
      putTicket(target, eventId, {
        ...item,
        id: itemIdOf(record.holdId, position),
        bookingId: record.bookingId,
        position,
        code: storedText(record.ticketCodes[position] ?? ""),
        status: cancelled === null ? "valid" : "cancelled",
      });
      count += 1;
    }
  }
  return count;
}

/** The indexes are checked in the order in which the schema makes them. */
function putTicket({ rowsOf, undo }: Target, eventId: EventId, ticket: TicketRow): void {
  const { tickets, ticketByCode, ticketBySeat } = rowsOf(eventId);
  const takesSeat = isSeat(ticket.place) && ticket.status === "valid";
  unique(tickets, ticket.id, "tickets_pkey");
  unique(ticketByCode, ticket.code, "tickets_code");
  if (takesSeat) unique(ticketBySeat, ticket.place, "tickets_one_per_seat");
  undo.set(tickets, ticket.id, ticket);
  undo.set(ticketByCode, ticket.code, ticket.id);
  if (takesSeat) undo.set(ticketBySeat, ticket.place, ticket.id);
}

function keepKeys({ rowsOf, undo }: Target, { keys }: NetEffects): number {
  for (const { eventId, key, fact } of keys) {
    const { digest, fingerprint } = key;
    const { seq, atMs } = fact;
    undo.set(rowsOf(eventId).keys, digest, {
      digest,
      fingerprint,
      seq,
      atMs,
      fact: packFact(fact),
    });
  }
  return keys.length;
}

function unique<Key>(index: ReadonlyMap<Key, unknown>, key: Key, constraint: string): void {
  if (index.has(key)) violated(constraint, "duplicate key value violates unique constraint");
}

function violated(constraint: string, what: string): never {
  throw new InvariantViolated(`${what} "${constraint}" (${constraint})`);
}
