/** The net effects of a batch as SQL: one statement for each table and kind of change. */
import { itemIdOf } from "../../engine/ids.ts";
import { type PlaceItem, totalMinor } from "../../engine/place.ts";
import { packFact } from "../store/fact-bytes.ts";
import { bytesColumn, plainColumn, textColumn } from "./array-literals.ts";
import type { BookingMade, EventAdvance, NetEffects } from "./net-effects.ts";

export interface Statement {
  /** Prepared under this name. */
  readonly name: string;
  readonly text: string;
  readonly values: (string | Buffer)[];
  /** Rows that it must change; another count means that the database is not what it should be. */
  readonly rowCount: number;
}

/** The statements in the order in which they must run; none for what does not occur. */
export function statementsOf(effects: NetEffects): Statement[] {
  return [
    configureInventories(effects),
    configureAreas(effects),
    advanceInventories(effects),
    countAreas(effects),
    changeHolds(effects),
    insertHolds(effects),
    cancelBookings(effects),
    cancelTickets(effects),
    insertBookings(effects),
    insertTickets(effects),
    keepKeys(effects),
  ].filter((statement) => statement.rowCount > 0);
}

function configuredOf({ events }: NetEffects) {
  return events.flatMap(({ eventId, firstSeq, definition }) =>
    definition === null ? [] : [{ eventId, firstSeq, definition }],
  );
}

/** A new inventory begins as of before the batch; `advanceInventories` moves all of them on. */
function configureInventories(effects: NetEffects): Statement {
  const rows = configuredOf(effects);
  return {
    name: "configure-inventories",
    text: `
      INSERT INTO inventories (event_id, seq, status, definition, seat_categories)
      SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::json[], $5::bytea[])
      ON CONFLICT (event_id) DO UPDATE SET status = EXCLUDED.status,
        definition = EXCLUDED.definition, seat_categories = EXCLUDED.seat_categories`,
    values: [
      plainColumn(rows, (row) => row.eventId),
      plainColumn(rows, (row) => row.firstSeq - 1),
      plainColumn(rows, (row) => row.definition.status),
      textColumn(rows, ({ definition: { eventId: _, seatCategories: __, ...rest } }) =>
        JSON.stringify(rest),
      ),
      bytesColumn(rows, (row) => Buffer.from(row.definition.seatCategories)),
    ],
    rowCount: rows.length,
  };
}

function configureAreas(effects: NetEffects): Statement {
  const rows = configuredOf(effects).flatMap(({ eventId, definition }) =>
    definition.areas.map(({ capacity }, area) => ({ eventId, area, capacity })),
  );
  return {
    name: "configure-areas",
    text: `
      INSERT INTO inventory_areas (event_id, area, capacity)
      SELECT * FROM unnest($1::uuid[], $2::integer[], $3::integer[])
      ON CONFLICT (event_id, area) DO UPDATE SET capacity = EXCLUDED.capacity`,
    values: [
      plainColumn(rows, (row) => row.eventId),
      plainColumn(rows, (row) => row.area),
      plainColumn(rows, (row) => row.capacity),
    ],
    rowCount: rows.length,
  };
}

function advanceInventories({ events }: NetEffects): Statement {
  return {
    name: "advance-inventories",
    text: `
      UPDATE inventories SET seq = u.last_seq
      FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS u (event_id, before_seq, last_seq)
      WHERE inventories.event_id = u.event_id AND inventories.seq = u.before_seq`,
    values: [
      plainColumn(events, (event) => event.eventId),
      plainColumn(events, (event: EventAdvance) => event.firstSeq - 1),
      plainColumn(events, (event) => event.lastSeq),
    ],
    rowCount: events.length,
  };
}

function countAreas({ areas }: NetEffects): Statement {
  return {
    name: "count-areas",
    text: `
      UPDATE inventory_areas SET held = inventory_areas.held + u.held,
        sold = inventory_areas.sold + u.sold
      FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::integer[])
        AS u (event_id, area, held, sold)
      WHERE inventory_areas.event_id = u.event_id AND inventory_areas.area = u.area`,
    values: [
      plainColumn(areas, (area) => area.eventId),
      plainColumn(areas, (area) => area.area),
      plainColumn(areas, (area) => area.held),
      plainColumn(areas, (area) => area.sold),
    ],
    rowCount: areas.length,
  };
}

/**
 * An active hold is found by its missing end: by its status, the planner would read all the active
 * holds of the event in the index that lists them, once for each row.
 */
function changeHolds({ holdChanges }: NetEffects): Statement {
  return {
    name: "change-holds",
    text: `
      UPDATE holds SET status = u.status, seq = u.seq,
        expires_ms = COALESCE(u.expires_ms, holds.expires_ms),
        extended = holds.extended OR u.expires_ms IS NOT NULL,
        ended_ms = u.ended_ms, booking_id = u.booking_id
      FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[],
                  $7::uuid[])
        AS u (event_id, id, status, seq, expires_ms, ended_ms, booking_id)
      WHERE holds.event_id = u.event_id AND holds.id = u.id AND holds.ended_ms IS NULL`,
    values: [
      plainColumn(holdChanges, (change) => change.eventId),
      plainColumn(holdChanges, (change) => change.holdId),
      plainColumn(holdChanges, (change) => change.ended?.end.end ?? "active"),
      plainColumn(holdChanges, (change) => change.seq),
      plainColumn(holdChanges, (change) => change.expiresAtMs),
      plainColumn(holdChanges, (change) => change.ended?.atMs ?? null),
      plainColumn(holdChanges, (change) => change.ended?.end.bookingId ?? null),
    ],
    rowCount: holdChanges.length,
  };
}

/** The items of a row as an array literal within the column's: `"{0,1,4500}"`. */
function itemsLiteral(items: readonly PlaceItem[]): string {
  let text = '"{';
  let separator = "";
  for (const { place, category, priceMinor } of items) {
    text += `${separator}${place},${category},${priceMinor}`;
    separator = ",";
  }
  return `${text}}"`;
}

function insertHolds({ holdsMade }: NetEffects): Statement {
  return {
    name: "insert-holds",
    text: `
      INSERT INTO holds
        (event_id, id, user_id, status, items, created_ms, expires_ms, extended, seq, ended_ms)
      SELECT event_id, id, user_id, status, items::integer[], created_ms, expires_ms, extended,
        seq, ended_ms
      FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint[],
                  $7::boolean[], $8::bigint[], $9::text[], $10::bigint[])
        AS u (event_id, id, user_id, items, created_ms, expires_ms, extended, seq, status,
              ended_ms)`,
    values: [
      plainColumn(holdsMade, (made) => made.eventId),
      plainColumn(holdsMade, (made) => made.hold.holdId),
      plainColumn(holdsMade, (made) => made.hold.userId),
      plainColumn(holdsMade, (made) => itemsLiteral(made.hold.items)),
      plainColumn(holdsMade, (made) => made.hold.createdAtMs),
      plainColumn(holdsMade, (made) => made.hold.expiresAtMs),
      plainColumn(holdsMade, (made) => made.hold.extended),
      plainColumn(holdsMade, (made) => made.ended?.seq ?? made.hold.seq),
      plainColumn(holdsMade, (made) => made.ended?.end.end ?? "active"),
      plainColumn(holdsMade, (made) => made.ended?.atMs ?? null),
    ],
    rowCount: holdsMade.length,
  };
}

function cancelBookings({ bookingsCancelled }: NetEffects): Statement {
  return {
    name: "cancel-bookings",
    text: `
      UPDATE bookings SET status = 'cancelled', cancelled_seq = u.seq, cancelled_ms = u.at_ms,
        cancelled_by = u.cancelled_by, cancel_reason = u.reason
      FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::uuid[], $6::text[])
        AS u (event_id, id, seq, at_ms, cancelled_by, reason)
      WHERE bookings.event_id = u.event_id AND bookings.id = u.id
        AND bookings.status = 'confirmed'`,
    values: [
      plainColumn(bookingsCancelled, (row) => row.eventId),
      plainColumn(bookingsCancelled, (row) => row.fact.booking.bookingId),
      plainColumn(bookingsCancelled, (row) => row.fact.seq),
      plainColumn(bookingsCancelled, (row) => row.fact.atMs),
      plainColumn(bookingsCancelled, (row) => row.fact.cancelledBy),
      textColumn(bookingsCancelled, (row) => row.fact.reason),
    ],
    rowCount: bookingsCancelled.length,
  };
}

function cancelTickets({ bookingsCancelled }: NetEffects): Statement {
  const rows = bookingsCancelled.flatMap(({ eventId, fact: { booking } }) =>
    booking.items.map((_, index) => ({ eventId, id: itemIdOf(booking.holdId, index) })),
  );
  return {
    name: "cancel-tickets",
    text: `
      UPDATE tickets SET status = 'cancelled'
      FROM unnest($1::uuid[], $2::uuid[]) AS u (event_id, id)
      WHERE tickets.event_id = u.event_id AND tickets.id = u.id AND tickets.status = 'valid'`,
    values: [plainColumn(rows, (row) => row.eventId), plainColumn(rows, (row) => row.id)],
    rowCount: rows.length,
  };
}

function insertBookings({ bookingsMade }: NetEffects): Statement {
  const cancelled = (pick: (fact: NonNullable<BookingMade["cancelled"]>) => string | number) =>
    plainColumn(bookingsMade, (made) => (made.cancelled === null ? null : pick(made.cancelled)));
  return {
    name: "insert-bookings",
    text: `
      INSERT INTO bookings
        (event_id, id, hold_id, user_id, email, code, status, total_minor, booked_ms, seq,
         cancelled_seq, cancelled_ms, cancelled_by, cancel_reason)
      SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[],
        $7::text[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[],
        $13::uuid[], $14::text[])`,
    values: [
      plainColumn(bookingsMade, (made) => made.eventId),
      plainColumn(bookingsMade, (made) => made.record.bookingId),
      plainColumn(bookingsMade, (made) => made.record.holdId),
      plainColumn(bookingsMade, (made) => made.record.userId),
      textColumn(bookingsMade, (made) => made.record.email),
      textColumn(bookingsMade, (made) => made.record.code),
      plainColumn(bookingsMade, (made) => (made.cancelled === null ? "confirmed" : "cancelled")),
      plainColumn(bookingsMade, (made) => totalMinor(made.record.items)),
      plainColumn(bookingsMade, (made) => made.record.bookedAtMs),
      plainColumn(bookingsMade, (made) => made.seq),
      cancelled((fact) => fact.seq),
      cancelled((fact) => fact.atMs),
      cancelled((fact) => fact.cancelledBy),
      textColumn(bookingsMade, (made) => made.cancelled?.reason ?? null),
    ],
    rowCount: bookingsMade.length,
  };
}

function insertTickets({ bookingsMade }: NetEffects): Statement {
  const rows = bookingsMade.flatMap(({ eventId, record, cancelled }) =>
    record.items.map((item, position) => ({
      eventId,
      id: itemIdOf(record.holdId, position),
      bookingId: record.bookingId,
      position,
      item,
      code: record.ticketCodes[position] ?? "",
      status: cancelled === null ? "valid" : "cancelled",
    })),
  );
  return {
    name: "insert-tickets",
    text: `
      INSERT INTO tickets
        (event_id, id, booking_id, position, place, category, price_minor, code, status)
      SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::integer[], $5::integer[],
        $6::integer[], $7::bigint[], $8::text[], $9::text[])`,
    values: [
      plainColumn(rows, (row) => row.eventId),
      plainColumn(rows, (row) => row.id),
      plainColumn(rows, (row) => row.bookingId),
      plainColumn(rows, (row) => row.position),
      plainColumn(rows, (row) => row.item.place),
      plainColumn(rows, (row) => row.item.category),
      plainColumn(rows, (row) => row.item.priceMinor),
      textColumn(rows, (row) => row.code),
      plainColumn(rows, (row) => row.status),
    ],
    rowCount: rows.length,
  };
}

/**
 * All facts travel as one parameter, which the driver sends as bytes, and are cut apart there: as
 * an array literal each byte would be two digits, written here and read there.
 */
function keepKeys({ keys }: NetEffects): Statement {
  const facts = keys.map((kept) => packFact(kept.fact));
  let end = 0;
  const starts = facts.map((fact) => {
    const start = end + 1;
    end += fact.length;
    return start;
  });
  return {
    name: "keep-keys",
    text: `
      INSERT INTO idempotency_keys (event_id, digest, fingerprint, seq, at_ms, fact)
      SELECT event_id, digest, fingerprint, seq, at_ms, substring($8::bytea FROM start FOR bytes)
      FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::integer[],
        $7::integer[]) AS u (event_id, digest, fingerprint, seq, at_ms, start, bytes)
      ON CONFLICT (event_id, digest) DO UPDATE SET fingerprint = EXCLUDED.fingerprint,
        seq = EXCLUDED.seq, at_ms = EXCLUDED.at_ms, fact = EXCLUDED.fact`,
    values: [
      plainColumn(keys, (kept) => kept.eventId),
      // base64url needs no quotes.
      plainColumn(keys, (kept) => kept.key.digest),
      plainColumn(keys, (kept) => kept.key.fingerprint),
      plainColumn(keys, (kept) => kept.fact.seq),
      plainColumn(keys, (kept) => kept.fact.atMs),
      plainColumn(starts, (start) => start),
      plainColumn(facts, (fact) => fact.length),
      Buffer.concat(facts),
    ],
    rowCount: keys.length,
  };
}
