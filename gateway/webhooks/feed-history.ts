import { FifoMap } from "../../engine/fifo-map.ts";
import { WEBHOOK_NAMED_SEATS_MAX, WEBHOOK_PAGE_MESSAGES } from "../../engine/notifier-limits.ts";
import type { Queries } from "../tenancy/database.ts";
import type { ToldEvent, ToldFact } from "./webhook-message.ts";
import { BOOKED, TYPE_OF_ROW, WEBHOOK_TYPES, type WebhookType } from "./webhook-types.ts";

/** A booking that was confirmed at once is told of by its own row (booking/history-reader.ts). */
const UNTOLD = `
  NOT EXISTS (SELECT FROM event_history h WHERE h.event_id = b.event_id AND h.seq = b.seq)`;

const TYPED = `
  SELECT h.event_id, h.seq, h.at_ms, h.kind, h.booking_id, h.by_user, h.reason, h.detail,
         ${TYPE_OF_ROW} AS type
  FROM event_history h`;

/**
 * Of one statement, and so of one moment: an event's facts are stored in their order, so what is
 * seen up to a seq is all that there ever will be. A ticket that was moved later stood where its
 * next move took it from.
 */
const PAGE = `
  WITH page AS (
    (SELECT * FROM (${TYPED} WHERE h.event_id = $1 AND h.seq > $2) AS typed
     WHERE type = ANY ($3) ORDER BY seq LIMIT $4)
    UNION ALL
    (SELECT b.event_id, b.seq, b.booked_ms, 'booked', b.id, coalesce(b.buyer_id, b.user_id), NULL,
            NULL::json, '${BOOKED}'
     FROM bookings b
     WHERE b.event_id = $1 AND b.seq > $2 AND '${BOOKED}' = ANY ($3) AND ${UNTOLD}
     ORDER BY b.seq LIMIT $4)
    ORDER BY seq LIMIT $4
  )
  SELECT p.seq, p.at_ms, p.type, p.by_user, p.reason, p.detail, p.booking_id, b.code, b.email,
         b.total_minor, t.tickets
  FROM page p
  LEFT JOIN bookings b ON b.event_id = p.event_id AND b.id = p.booking_id
  LEFT JOIN LATERAL (
    SELECT json_agg(json_build_object('id', t.id, 'place', coalesce(m.place, t.place))
                    ORDER BY t.position) AS tickets
    FROM tickets t
    LEFT JOIN LATERAL (
      SELECT (h.detail ->> 'from')::integer AS place FROM event_history h
      WHERE h.event_id = t.event_id AND h.booking_id = t.booking_id AND h.seq > p.seq
        AND h.change = 'ticket_moved' AND h.detail -> 'tickets' ->> 0 = t.id::text
      ORDER BY h.seq LIMIT 1
    ) m ON true
    WHERE t.event_id = p.event_id AND t.booking_id = p.booking_id AND (p.kind = 'booked'
      OR t.id::text IN (SELECT json_array_elements_text(p.detail -> 'tickets')))
  ) t ON true
  ORDER BY p.seq`;

const PREVIOUS = `
  SELECT greatest(
    (SELECT seq FROM (${TYPED} WHERE h.event_id = $1 AND h.seq <= $2) AS typed
     WHERE type = ANY ($3) ORDER BY seq DESC LIMIT 1),
    (SELECT b.seq FROM bookings b
     WHERE b.event_id = $1 AND b.seq <= $2 AND '${BOOKED}' = ANY ($3) AND ${UNTOLD}
     ORDER BY b.seq DESC LIMIT 1)) AS seq`;

interface PageRow {
  readonly seq: string;
  readonly at_ms: string;
  readonly type: WebhookType;
  readonly by_user: string | null;
  readonly reason: string | null;
  readonly detail: Readonly<Record<string, unknown>> | null;
  readonly booking_id: string | null;
  readonly code: string | null;
  readonly email: string | null;
  readonly total_minor: string | null;
  readonly tickets: { readonly id: string; readonly place: number }[] | null;
}

interface EventRow {
  readonly title: string;
  readonly starts_at: Date;
  readonly ends_at: Date | null;
  readonly timezone: string;
  readonly currency: string;
  readonly venue: ToldEvent["venue"];
  readonly areas: readonly { readonly key: string }[];
}

/** The part of an event's history that a webhook is told. */
export interface FeedPart {
  readonly eventId: string;
  /** Behind this one. */
  readonly cursorSeq: number;
  /** null: all types. */
  readonly types: readonly string[] | null;
}

/**
 * Reads what happened to events, for their organisations. As the owner of the tables: whose event
 * it is was asked before (feed-store.ts).
 */
export class FeedHistory {
  readonly #rows: Queries;
  /** Of a published event they never change. */
  readonly #seatIds = new FifoMap<string, readonly string[]>();
  #seats = 0;

  constructor(rows: Queries) {
    this.#rows = rows;
  }

  /** In order; fewer than WEBHOOK_PAGE_MESSAGES: these are all. */
  async page({ eventId, cursorSeq, types }: FeedPart): Promise<ToldFact[]> {
    const { rows } = await this.#rows.query<PageRow>({
      name: "webhook-page",
      text: PAGE,
      values: [eventId, cursorSeq, types ?? WEBHOOK_TYPES, WEBHOOK_PAGE_MESSAGES],
    });
    return rows.map(toldFact);
  }

  /** seq of the last message up to the cursor; null: there was none. */
  async previousSeq({ eventId, cursorSeq, types }: FeedPart): Promise<number | null> {
    const { rows } = await this.#rows.query<{ seq: string | null }>({
      name: "webhook-previous",
      text: PREVIOUS,
      values: [eventId, cursorSeq, types ?? WEBHOOK_TYPES],
    });
    const seq = rows[0]?.seq ?? null;
    return seq === null ? null : Number(seq);
  }

  /** null: there is no such event. */
  async event(eventId: string): Promise<ToldEvent | null> {
    const { rows } = await this.#rows.query<EventRow>({
      name: "webhook-event",
      text: `SELECT title, starts_at, ends_at, timezone, currency, venue, areas FROM events
        WHERE id = $1`,
      values: [eventId],
    });
    const [row] = rows;
    if (row === undefined) return null;
    return {
      title: row.title,
      startsMs: row.starts_at.getTime(),
      endsMs: row.ends_at?.getTime() ?? null,
      timezone: row.timezone,
      currency: row.currency,
      venue: row.venue,
      areaKeys: row.areas.map(({ key }) => key),
      seatIds: await this.#seatIdsOf(eventId),
    };
  }

  async #seatIdsOf(eventId: string): Promise<readonly string[]> {
    const known = this.#seatIds.get(eventId);
    if (known !== undefined) return known;
    const { rows } = await this.#rows.query<{ ids: string[] }>({
      name: "webhook-seats",
      text: `SELECT ARRAY(
          SELECT s.seat ->> 'id' FROM json_array_elements(e.seats) WITH ORDINALITY AS s (seat, n)
          ORDER BY s.n) AS ids
        FROM events e WHERE e.id = $1`,
      values: [eventId],
    });
    const ids = rows[0]?.ids ?? [];
    this.#keep(eventId, ids);
    return ids;
  }

  #keep(eventId: string, ids: readonly string[]): void {
    // Two may have read them at once.
    this.#drop(eventId);
    this.#seatIds.set(eventId, ids);
    this.#seats += ids.length + 1;
    while (this.#seats > WEBHOOK_NAMED_SEATS_MAX && this.#seatIds.size > 1) {
      const oldest = this.#seatIds.oldestKey();
      if (oldest !== undefined) this.#drop(oldest);
    }
  }

  #drop(eventId: string): void {
    const ids = this.#seatIds.get(eventId);
    if (ids === undefined) return;
    this.#seatIds.delete(eventId);
    this.#seats -= ids.length + 1;
  }
}

function toldFact(row: PageRow): ToldFact {
  const { booking_id: id, code, email, total_minor: total } = row;
  return {
    seq: Number(row.seq),
    atMs: Number(row.at_ms),
    type: row.type,
    byUser: row.by_user,
    reason: row.reason,
    detail: row.detail,
    booking: id === null ? null : { id, code: code ?? "", email, totalMinor: Number(total) },
    tickets: id === null ? null : (row.tickets ?? []),
  };
}
