import type { Refund } from "../../../engine/booking.ts";
import type { ActiveHold } from "../../../engine/hold-book.ts";
import type { BookingId, EventId, HoldId, UserId } from "../../../engine/ids.ts";
import { activeHold, HOLD_COLUMNS, type HoldRow } from "../../../workers/store/booking-rows.ts";
import { BookingsReader, type StoredBooking } from "../../booking/bookings-reader.ts";
import { EventDirectory, type EventEntry } from "../../catalogue/event-directory.ts";
import { NamedEvents } from "../../catalogue/named-events.ts";
import type { Identity } from "../../identity/tokens.ts";
import type { Scoped } from "../../tenancy/database.ts";

/** An event as its mails tell of it. */
export interface ToldEvent {
  readonly event: EventEntry;
  /** Name of its organisation. */
  readonly organizer: string;
}

export interface Person {
  readonly email: string;
  readonly firstName: string | null;
}

/** What a fact that changed a booking said beyond what the booking says now. */
export interface ToldChange {
  /** Ids of the tickets that it was about. */
  readonly ticketIds: readonly string[];
  readonly reason: string | null;
  /** null: nobody asked for it. */
  readonly by: UserId | null;
  /** All so far, as they were after it. */
  readonly refunds: readonly Refund[];
}

/** Up to which booking: by the event's seq, or by the sale's clock (Unix ms). */
export type Until = { readonly seqMax: number } | { readonly bookedBeforeMs: number };

export interface BookingsPage {
  readonly after: BookingId | null;
  readonly until: Until;
  readonly limit: number;
}

interface ChangeRow {
  readonly by_user: UserId | null;
  readonly reason: string | null;
  readonly detail: {
    readonly tickets?: readonly string[];
    readonly refunds?: readonly Refund[];
    readonly userId?: UserId;
    readonly email?: string | null;
  } | null;
}

/** Rows are the owner's here; the name is for those who ask in somebody's. */
const NOTIFIER: Identity = {
  userId: "00000000-0000-0000-0000-000000000000" as UserId,
  role: "admin",
};

/** Reads what mails say. Each look-up names its event, and with it its organisation. */
export class MessageReader {
  readonly #rows: Scoped;
  readonly #bookings: BookingsReader;
  readonly #directory: EventDirectory;

  constructor(rows: Scoped) {
    const anywhere = { in: () => rows };
    this.#rows = rows;
    this.#bookings = new BookingsReader(anywhere);
    this.#directory = new EventDirectory(new NamedEvents(anywhere));
  }

  /** As the database has it now: nobody tells this thread of changes. null: there is none. */
  async event(eventId: EventId): Promise<ToldEvent | null> {
    const { rows } = await this.#rows.query<{
      version: number;
      status: string;
      cancelling: boolean;
      updated_at: Date;
      name: string;
    }>({
      name: "message-event",
      text: `SELECT e.version, e.status, e.cancelling, e.updated_at, o.name
        FROM events e JOIN organizations o ON o.id = e.organization_id WHERE e.id = $1`,
      values: [eventId],
    });
    const [row] = rows;
    if (row === undefined) return null;
    const known = this.#directory.peek(eventId);
    const isSame =
      known?.version === row.version &&
      known.status === row.status &&
      known.cancelling === row.cancelling &&
      known.updatedMs === row.updated_at.getTime();
    if (!isSame) this.#directory.forget(eventId);
    const event = await this.#directory.get(eventId);
    return event === null ? null : { event, organizer: row.name };
  }

  booking(eventId: EventId, bookingId: BookingId): Promise<StoredBooking | null> {
    return this.#bookings.find(NOTIFIER, eventId, bookingId);
  }

  /** null: no account has the id (a guest's, one that is gone). */
  async person(userId: UserId): Promise<Person | null> {
    const { rows } = await this.#rows.query<{ email: string; first_name: string | null }>({
      name: "message-person",
      text: "SELECT email, first_name FROM users WHERE id = $1",
      values: [userId],
    });
    const [row] = rows;
    return row === undefined ? null : { email: row.email, firstName: row.first_name };
  }

  async change(eventId: EventId, seq: number): Promise<ToldChange | null> {
    const { rows } = await this.#rows.query<ChangeRow>({
      name: "message-change",
      text: "SELECT by_user, reason, detail FROM event_history WHERE event_id = $1 AND seq = $2",
      values: [eventId, seq],
    });
    const [row] = rows;
    if (row === undefined) return null;
    return {
      ticketIds: row.detail?.tickets ?? [],
      reason: row.reason,
      by: row.by_user,
      refunds: row.detail?.refunds ?? [],
    };
  }

  /** What a change of a booking began to pay back, and what it found paid back or failed. */
  async refundsWith(
    eventId: EventId,
    bookingId: BookingId,
    seq: number,
  ): Promise<{ readonly begun: readonly Refund[]; readonly settled: readonly Refund[] }> {
    const now = (await this.change(eventId, seq))?.refunds ?? [];
    const { rows } = await this.#rows.query<ChangeRow>({
      name: "message-refunds-before",
      text: `SELECT by_user, reason, detail FROM event_history
        WHERE event_id = $1 AND booking_id = $2 AND seq < $3 ORDER BY seq DESC LIMIT 1`,
      values: [eventId, bookingId, seq],
    });
    const before = new Map(
      (rows[0]?.detail?.refunds ?? []).map(({ refundId, status }) => [refundId, status]),
    );
    return {
      begun: now.filter(({ refundId }) => !before.has(refundId)),
      settled: now.filter(
        ({ refundId, status }) => status !== "due" && (before.get(refundId) ?? "due") === "due",
      ),
    };
  }

  /** Who had the booking before it was handed over; null: nobody knows an address of theirs. */
  async ownerBefore(
    { eventId, record, buyerId }: StoredBooking,
    seq: number,
  ): Promise<Person | null> {
    const { rows } = await this.#rows.query<ChangeRow>({
      name: "message-owner-before",
      text: `SELECT by_user, reason, detail FROM event_history
        WHERE event_id = $1 AND booking_id = $2 AND change = 'transferred' AND seq < $3
        ORDER BY seq DESC LIMIT 1`,
      values: [eventId, record.bookingId, seq],
    });
    const before = rows[0]?.detail;
    const account = await this.person(before?.userId ?? buyerId);
    const email = before?.email ?? account?.email;
    return email === undefined ? null : { email, firstName: account?.firstName ?? null };
  }

  /** Whether the id is one that no account has, which keeps something for an address. */
  async isHeir(userId: UserId): Promise<boolean> {
    const { rows } = await this.#rows.query({
      name: "message-heir",
      text: "SELECT FROM heirs WHERE user_id = $1",
      values: [userId],
    });
    return rows.length > 0;
  }

  /** What the waitlist keeps for somebody; null: it is over. */
  async offer(eventId: EventId, holdId: HoldId): Promise<ActiveHold | null> {
    const { rows } = await this.#rows.query<HoldRow>({
      name: "message-offer",
      text: `SELECT ${HOLD_COLUMNS} FROM holds
        WHERE event_id = $1 AND id = $2 AND status = 'active'`,
      values: [eventId, holdId],
    });
    return rows[0] === undefined ? null : activeHold(rows[0]);
  }

  /** The last seq of an event that PostgreSQL has; 0: nothing was ever sold. */
  async seqOf(eventId: EventId): Promise<number> {
    const { rows } = await this.#rows.query<{ seq: string }>({
      name: "message-seq",
      text: "SELECT seq FROM inventories WHERE event_id = $1",
      values: [eventId],
    });
    return Number(rows[0]?.seq ?? 0);
  }

  /** Ids of an event's confirmed bookings, in their order, behind `after`. */
  async confirmed(eventId: EventId, { after, until, limit }: BookingsPage): Promise<BookingId[]> {
    const bound = "seqMax" in until ? "seq <= $3" : "booked_ms < $3";
    const { rows } = await this.#rows.query<{ id: BookingId }>({
      name: `message-page-${"seqMax" in until ? "seq" : "ms"}`,
      text: `SELECT id FROM bookings
        WHERE event_id = $1 AND ($2::uuid IS NULL OR id > $2) AND status = 'confirmed'
          AND ${bound} ORDER BY id LIMIT $4`,
      values: [eventId, after, "seqMax" in until ? until.seqMax : until.bookedBeforeMs, limit],
    });
    return rows.map(({ id }) => id);
  }
}
