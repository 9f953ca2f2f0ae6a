import type { BookingId, EventId, UserId } from "../../engine/ids.ts";
import type { Identity } from "../identity/tokens.ts";
import type { Database } from "../tenancy/database.ts";
import { asker } from "../tenancy/scope.ts";

/** One thing that happened to an event. */
export interface HistoryRow {
  readonly seq: number;
  readonly atMs: number;
  /** Of the fact (engine/facts.ts). */
  readonly kind: string;
  /** Of a bookingChanged: which. */
  readonly change: string | null;
  readonly bookingId: BookingId | null;
  /** null: nobody asked for it. */
  readonly by: UserId | null;
  readonly reason: string | null;
  /** workers/projector/history-detail.ts. */
  readonly detail: Readonly<Record<string, unknown>> | null;
}

interface Row {
  readonly seq: string;
  readonly at_ms: string;
  readonly kind: string;
  readonly change: string | null;
  readonly booking_id: string | null;
  readonly by_user: string | null;
  readonly reason: string | null;
  readonly detail: Readonly<Record<string, unknown>> | null;
}

const CHANGES = `
  SELECT seq, at_ms, kind, change, booking_id, by_user, reason, detail FROM event_history`;
/** A booking that was confirmed at once is told of by its own row. */
const BOOKINGS = `
  SELECT b.seq, b.booked_ms AS at_ms, 'booked' AS kind, NULL AS change, b.id AS booking_id,
         coalesce(b.buyer_id, b.user_id) AS by_user, NULL AS reason, NULL::json AS detail
  FROM bookings b`;
const UNTOLD = `
  NOT EXISTS (SELECT FROM event_history h WHERE h.event_id = b.event_id AND h.seq = b.seq)`;

/** Which part of what happened is read. */
export interface SeqPage {
  readonly limit: number;
  /** The last seq of the page before; 0: from the start. */
  readonly afterSeq: number;
}

interface NamedBooking {
  readonly eventId: EventId;
  readonly bookingId: BookingId;
}

/** Reads what happened to an event and its bookings, in the order in which it did. */
export class HistoryReader {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async ofBooking(
    identity: Identity,
    { eventId, bookingId }: NamedBooking,
    { limit, afterSeq }: SeqPage,
  ): Promise<HistoryRow[]> {
    const { rows } = await this.#database.in(asker(identity)).query<Row>({
      name: "booking-history",
      text: `${CHANGES} WHERE event_id = $1 AND booking_id = $2 AND seq > $3
        UNION ALL ${BOOKINGS} WHERE b.event_id = $1 AND b.id = $2 AND b.seq > $3 AND ${UNTOLD}
        ORDER BY seq LIMIT $4`,
      values: [eventId, bookingId, afterSeq, limit],
    });
    return rows.map(historyRow);
  }

  /** Who of `users` was ever given the booking: on a page that may be told elsewhere. */
  async ownersAmong(
    identity: Identity,
    { eventId, bookingId }: NamedBooking,
    users: readonly (UserId | null)[],
  ): Promise<UserId[]> {
    const { rows } = await this.#database.in(asker(identity)).query<{ user_id: UserId }>({
      name: "booking-owners",
      text: `SELECT DISTINCT detail ->> 'userId' AS user_id FROM event_history
        WHERE event_id = $1 AND booking_id = $2 AND change = 'transferred'
          AND detail ->> 'userId' = ANY($3)`,
      values: [eventId, bookingId, [...new Set(users)]],
    });
    return rows.map(({ user_id }) => user_id);
  }

  async ofEvent(
    identity: Identity,
    eventId: EventId,
    { limit, afterSeq }: SeqPage,
  ): Promise<HistoryRow[]> {
    const { rows } = await this.#database.in(asker(identity)).query<Row>({
      name: "event-log",
      text: `(${CHANGES} WHERE event_id = $1 AND seq > $2 ORDER BY seq LIMIT $3)
        UNION ALL
        (${BOOKINGS} WHERE b.event_id = $1 AND b.seq > $2 AND ${UNTOLD} ORDER BY b.seq LIMIT $3)
        ORDER BY seq LIMIT $3`,
      values: [eventId, afterSeq, limit],
    });
    return rows.map(historyRow);
  }
}

function historyRow(row: Row): HistoryRow {
  return {
    seq: Number(row.seq),
    atMs: Number(row.at_ms),
    kind: row.kind,
    change: row.change,
    bookingId: row.booking_id as BookingId | null,
    by: row.by_user as UserId | null,
    reason: row.reason,
    detail: row.detail,
  };
}
