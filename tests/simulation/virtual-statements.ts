/**
 * The net effects of a batch on the virtual tables: the statements of
 * workers/projector/projection-statements.ts one by one, under their names and in their order, with
 * the constraints of sql/ checked row by row as PostgreSQL does.
 */
import { type BookingRecord, fateOf, statusOf, ticketIdOf } from "../../engine/booking.ts";
import type { EventId } from "../../engine/ids.ts";
import { isSeat, totalMinor } from "../../engine/place.ts";
import type { NetEffects } from "../../workers/projector/effects.ts";
import { detailOf, reasonOf, requesterOf } from "../../workers/projector/history-detail.ts";
import { InvariantViolated } from "../../workers/projector/projection-store.ts";
import { factsOf } from "../../workers/store/key-blocks.ts";
import type { UndoLog } from "./undo-log.ts";
import {
  type AreaRow,
  type EventRows,
  type InventoryRow,
  storedJson,
  storedText,
  type TicketRow,
} from "./virtual-rows.ts";

/** What the statements change, and only through `undo`. */
export interface Target {
  readonly inventories: Map<EventId, InventoryRow>;
  rowsOf(eventId: EventId): EventRows;
  readonly undo: UndoLog;
}

type Statement = (target: Target, effects: NetEffects) => number;

/** Throws InvariantViolated, and leaves what it has done until then to the undo log. */
export function applyEffects(target: Target, effects: NetEffects): void {
  const configured = configuredOf(effects);
  const areas = configured.flatMap(({ definition }) => definition.areas);
  const ticketsMade = effects.bookingsMade.flatMap(({ record }) => record.items);
  const blocked = effects.blocks.filter(({ quantity }) => quantity > 0);
  const run = (name: string, wanted: number, statement: Statement): void => {
    const changed = wanted === 0 ? 0 : statement(target, effects);
    if (changed === wanted) return;
    throw new InvariantViolated(`${name} changed ${changed} rows, not ${wanted}`);
  };
  run("configure-inventories", configured.length, configureInventories);
  run("configure-areas", areas.length, configureAreas);
  run("advance-inventories", effects.events.length, advanceInventories);
  run("count-areas", effects.areas.length, countAreas);
  deleteBlocks(target, effects);
  run("put-blocks", blocked.length, putBlocks);
  run("change-holds", effects.holdChanges.length, changeHolds);
  run("delete-booked-holds", effects.holdsBooked.length, deleteBookedHolds);
  run("insert-holds", effects.holdsMade.length, insertHolds);
  run("change-bookings", effects.bookingChanges.length, changeBookings);
  const moved = ticketsIn(effects, "moved").filter(isValid);
  run("vacate-tickets", moved.length, () => vacateTickets(target, moved));
  const changed = ticketsIn(effects, "tickets");
  for (const group of [changed.filter((ticket) => !isValid(ticket)), changed.filter(isValid)]) {
    run("change-tickets", group.length, () => writeTickets(target, group));
  }
  run("insert-bookings", effects.bookingsMade.length, insertBookings);
  run("insert-tickets", ticketsMade.length, insertTickets);
  run("end-entries", effects.entriesEnded.length, endEntries);
  run("insert-entries", effects.entriesQueued.length, insertEntries);
  insertRefunds(target, effects);
  run("write-history", effects.history.length, writeHistory);
  run("write-outbox", effects.outbox.length, writeOutbox);
  run("keep-keys", effects.keyBlocks.length, keepKeys);
}

function configuredOf({ events }: NetEffects) {
  return events.flatMap(({ eventId, firstSeq, definition }) =>
    definition === null ? [] : [{ eventId, firstSeq, definition }],
  );
}

function configureInventories({ inventories, undo }: Target, effects: NetEffects): number {
  const configured = configuredOf(effects);
  for (const { eventId, firstSeq, definition } of configured) {
    const { eventId: _, seatCategories, seatMap, ...rest } = definition;
    undo.set(inventories, eventId, {
      seq: inventories.get(eventId)?.seq ?? firstSeq - 1,
      status: definition.status,
      currency: definition.currency,
      definition: JSON.stringify(storedJson(rest)),
      seatCategories: Uint8Array.from(seatCategories),
      seatMap: Uint8Array.from(seatMap),
    });
  }
  return configured.length;
}

function configureAreas(target: Target, effects: NetEffects): number {
  let count = 0;
  for (const { eventId, definition } of configuredOf(effects)) {
    for (const [area, { capacity }] of definition.areas.entries()) {
      const row = target.rowsOf(eventId).areas.get(area);
      const made = { capacity, held: 0, sold: 0, blocked: 0 };
      putArea(target, { eventId, area, row: row ?? made });
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
  for (const { eventId, area, held, sold, blocked, capacity } of areas) {
    const before = target.rowsOf(eventId).areas.get(area);
    if (before === undefined) continue;
    const row = {
      capacity: capacity ?? before.capacity,
      held: before.held + held,
      sold: before.sold + sold,
      blocked: before.blocked + blocked,
    };
    putArea(target, { eventId, area, row });
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
  const { capacity, held, sold, blocked } = row;
  if (held < 0 || sold < 0 || blocked < 0 || held + sold + blocked > capacity) {
    violated(
      "inventory_areas_check",
      'new row for relation "inventory_areas" violates check constraint',
    );
  }
  undo.set(rowsOf(eventId).areas, area, row);
}

const blockKey = (place: number, channel: string): string => `${place} ${channel}`;

function deleteBlocks({ rowsOf, undo }: Target, effects: NetEffects): void {
  for (const { eventId, place, channel, quantity } of effects.blocks) {
    const key = blockKey(place, storedText(channel));
    if (quantity === 0) undo.delete(rowsOf(eventId).blocks, key);
  }
}

function putBlocks({ rowsOf, undo }: Target, effects: NetEffects): number {
  let count = 0;
  for (const { eventId, place, channel: named, quantity } of effects.blocks) {
    if (quantity === 0) continue;
    const { blocks } = rowsOf(eventId);
    const channel = storedText(named);
    const key = blockKey(place, channel);
    const isTaken = [...blocks].some(([other, row]) => other !== key && row.place === place);
    if (isSeat(place) && isTaken) twice("blocked_places_one_per_seat");
    undo.set(blocks, key, { place, channel, quantity });
    count += 1;
  }
  return count;
}

function changeHolds({ rowsOf, undo }: Target, { holdChanges }: NetEffects): number {
  let count = 0;
  for (const { eventId, holdId, seq, update, ended } of holdChanges) {
    const { holds } = rowsOf(eventId);
    const row = holds.get(holdId);
    if (row === undefined || row.endedMs !== null) continue;
    const { expiresAtMs, extended, items, ordinals, terms, paying } = update;
    const contents =
      items === undefined
        ? {}
        : { items, ordinals: ordinals ?? null, terms: storedJson(terms ?? null) };
    undo.set(holds, holdId, {
      ...row,
      ...contents,
      status: ended?.end.end ?? "active",
      seq,
      expiresMs: expiresAtMs ?? row.expiresMs,
      extended: row.extended || extended === true,
      paying: paying === undefined ? row.paying : paying,
      endedMs: ended?.end.atMs ?? null,
      bookingId: ended?.end.bookingId ?? null,
    });
    count += 1;
  }
  return count;
}

function deleteBookedHolds({ rowsOf, undo }: Target, { holdsBooked }: NetEffects): number {
  let count = 0;
  for (const { eventId, holdId } of holdsBooked) {
    const { holds } = rowsOf(eventId);
    const row = holds.get(holdId);
    if (row === undefined || row.endedMs !== null) continue;
    undo.delete(holds, holdId);
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
      ordinals: hold.ordinals,
      terms: storedJson(hold.terms),
      paying: hold.paying,
      createdMs: hold.createdAtMs,
      expiresMs: hold.expiresAtMs,
      extended: hold.extended,
      seq: ended?.seq ?? hold.seq,
      endedMs: ended?.end.atMs ?? null,
      bookingId: ended?.end.bookingId ?? null,
    });
  }
  return holdsMade.length;
}

/** The columns of a booking that may change. */
function changingColumns(record: BookingRecord) {
  const { userId, email, terms, later } = record;
  return {
    userId,
    email: email === null ? null : storedText(email),
    status: statusOf(record),
    totalMinor: totalMinor(record.items),
    terms: storedJson(terms),
    later: storedJson(later),
    changedSeq: later === null ? null : later.seq,
  };
}

function changeBookings({ rowsOf, undo }: Target, { bookingChanges }: NetEffects): number {
  let count = 0;
  for (const { eventId, record } of bookingChanges) {
    const { bookings } = rowsOf(eventId);
    const row = bookings.get(record.bookingId);
    const changed = changingColumns(record);
    if (row === undefined || (row.changedSeq ?? row.seq) >= (changed.changedSeq ?? 0)) continue;
    const buyerId = row.userId === changed.userId ? row.buyerId : (row.buyerId ?? row.userId);
    undo.set(bookings, row.id, { ...row, ...changed, buyerId });
    count += 1;
  }
  return count;
}

function insertBookings({ rowsOf, undo }: Target, { bookingsMade }: NetEffects): number {
  for (const { eventId, seq, record, buyerId } of bookingsMade) {
    const { bookings } = rowsOf(eventId);
    unique(bookings, record.bookingId, "bookings_pkey");
    undo.set(bookings, record.bookingId, {
      id: record.bookingId,
      holdId: record.holdId,
      buyerId,
      code: storedText(record.code),
      bookedMs: record.bookedAtMs,
      seq,
      ordinals: record.ordinals,
      ...changingColumns(record),
    });
  }
  return bookingsMade.length;
}

interface Ticket {
  readonly eventId: EventId;
  readonly row: TicketRow;
}

function ticketOf(eventId: EventId, record: BookingRecord, index: number): Ticket[] {
  const item = record.items[index];
  if (item === undefined) return [];
  const { cancelledAtMs, checkedInAtMs } = fateOf(record, index);
  const status = statusOf(record);
  const isOver = status !== "confirmed" || cancelledAtMs !== null;
  const row: TicketRow = {
    ...item,
    id: ticketIdOf(record, index),
    bookingId: record.bookingId,
    position: record.ordinals?.[index] ?? index,
    code: storedText(record.ticketCodes[index] ?? ""),
    status: status === "pending_payment" ? "pending" : isOver ? "cancelled" : "valid",
    checkedInMs: checkedInAtMs,
    cancelledMs: cancelledAtMs,
  };
  return [{ eventId, row }];
}

function ticketsIn({ bookingChanges }: NetEffects, which: "tickets" | "moved"): Ticket[] {
  return bookingChanges.flatMap((change) =>
    change[which].flatMap((index) => ticketOf(change.eventId, change.record, index)),
  );
}

const isValid = ({ row }: Ticket): boolean => row.status === "valid";

function vacateTickets(target: Target, tickets: readonly Ticket[]): number {
  let count = 0;
  for (const { eventId, row } of tickets) {
    const before = target.rowsOf(eventId).tickets.get(ticketKey(row));
    if (before === undefined) continue;
    putTicket(target, eventId, { ...before, status: "pending" });
    count += 1;
  }
  return count;
}

function writeTickets(target: Target, tickets: readonly Ticket[]): number {
  let count = 0;
  for (const { eventId, row } of tickets) {
    const { tickets, ticketByCode } = target.rowsOf(eventId);
    const before = tickets.get(ticketKey(row));
    if (before === undefined) continue;
    if (row.code !== before.code) unique(ticketByCode, row.code, "tickets_code");
    putTicket(target, eventId, { ...row, id: before.id });
    count += 1;
  }
  return count;
}

function insertTickets(target: Target, { bookingsMade }: NetEffects): number {
  let count = 0;
  for (const { eventId, record } of bookingsMade) {
    for (const { row } of record.items.flatMap((_, n) => ticketOf(eventId, record, n))) {
      const { tickets, ticketByCode } = target.rowsOf(eventId);
      // The indexes are checked in the order in which the schema makes them.
      unique(tickets, ticketKey(row), "tickets_pkey");
      unique(ticketByCode, row.code, "tickets_code");
      putTicket(target, eventId, row);
      count += 1;
    }
  }
  return count;
}

const ticketKey = ({ bookingId, position }: TicketRow): string => `${bookingId} ${position}`;

/** A new row, or the next version of one. */
function putTicket({ rowsOf, undo }: Target, eventId: EventId, ticket: TicketRow): void {
  const { tickets, ticketByCode, ticketBySeat } = rowsOf(eventId);
  const key = ticketKey(ticket);
  const before = tickets.get(key);
  if (before !== undefined && ticketBySeat.get(before.place) === key) {
    undo.delete(ticketBySeat, before.place);
  }
  if (before !== undefined) undo.delete(ticketByCode, before.code);
  const takesSeat = isSeat(ticket.place) && ticket.status === "valid";
  if (takesSeat) unique(ticketBySeat, ticket.place, "tickets_one_per_seat");
  undo.set(tickets, key, ticket);
  undo.set(ticketByCode, ticket.code, key);
  if (takesSeat) undo.set(ticketBySeat, ticket.place, key);
}

function endEntries({ rowsOf, undo }: Target, { entriesEnded }: NetEffects): number {
  let count = 0;
  for (const { eventId, entryId, ended } of entriesEnded) {
    const { entries } = rowsOf(eventId);
    const row = entries.get(entryId);
    if (row === undefined || row.endedSeq !== null) continue;
    const { status, seq: endedSeq, atMs: endedMs, holdId } = ended;
    undo.set(entries, entryId, { ...row, status, endedSeq, endedMs, holdId });
    count += 1;
  }
  return count;
}

function insertEntries({ rowsOf, undo }: Target, { entriesQueued }: NetEffects): number {
  for (const { eventId, entry, ended } of entriesQueued) {
    const { entries } = rowsOf(eventId);
    unique(entries, entry.entryId, "waitlist_entries_pkey");
    const isTwice = [...entries.values()].some(
      (other) => other.status === "waiting" && other.entry.userId === entry.userId,
    );
    if (ended === null && isTwice) twice("waitlist_one_per_user");
    undo.set(entries, entry.entryId, {
      entry,
      status: ended?.status ?? "waiting",
      endedSeq: ended?.seq ?? null,
      endedMs: ended?.atMs ?? null,
      holdId: ended?.holdId ?? null,
    });
  }
  return entriesQueued.length;
}

function insertRefunds({ rowsOf, inventories, undo }: Target, effects: NetEffects): void {
  for (const { eventId, bookingId, payment, refund, atMs } of effects.refunds) {
    const { refunds } = rowsOf(eventId);
    const currency = inventories.get(eventId)?.currency;
    if (currency === undefined || refunds.has(refund.refundId)) continue;
    undo.set(refunds, refund.refundId, {
      id: refund.refundId,
      bookingId,
      intentId: payment.intentId,
      provider: payment.provider,
      amountMinor: refund.amountMinor,
      currency,
      reason: storedText(refund.reason),
      createdMs: atMs,
    });
  }
}

function writeHistory({ rowsOf, undo }: Target, effects: NetEffects): number {
  for (const { eventId, fact } of effects.history) {
    const { history } = rowsOf(eventId);
    const { seq, atMs, kind } = fact;
    const reason = reasonOf(fact);
    unique(history, seq, "event_history_pkey");
    undo.set(history, seq, {
      seq,
      atMs,
      kind,
      change: fact.kind === "bookingChanged" ? fact.change : null,
      bookingId: "booking" in fact ? fact.booking.bookingId : null,
      byUser: requesterOf(fact),
      reason: reason === null ? null : storedText(reason),
      detail: storedJson(detailOf(fact)),
    });
  }
  return effects.history.length;
}

function writeOutbox({ rowsOf, undo }: Target, effects: NetEffects): number {
  for (const row of effects.outbox) {
    const { outbox } = rowsOf(row.eventId);
    unique(outbox, row.seq, "one row a fact");
    undo.set(outbox, row.seq, row);
  }
  return effects.outbox.length;
}

function keepKeys({ rowsOf, undo }: Target, { keyBlocks }: NetEffects): number {
  for (const block of keyBlocks) {
    const { keys: kept } = rowsOf(block.eventId);
    unique(kept, block.lastSeq, "key_blocks_pkey");
    const { lastSeq, lastMs } = block;
    undo.set(kept, lastSeq, { lastSeq, lastMs, facts: factsOf(block) });
  }
  return keyBlocks.length;
}

function unique<Key>(index: ReadonlyMap<Key, unknown>, key: Key, constraint: string): void {
  if (index.has(key)) twice(constraint);
}

function twice(constraint: string): never {
  violated(constraint, "duplicate key value violates unique constraint");
}

function violated(constraint: string, what: string): never {
  throw new InvariantViolated(`${what} "${constraint}" (${constraint})`);
}
