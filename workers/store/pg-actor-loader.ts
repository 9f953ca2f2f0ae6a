import { Pool, type PoolClient } from "pg";
import type { InventoryDefinition } from "../../engine/definition.ts";
import type { KnownBooking } from "../../engine/event-state.ts";
import type { BookingRecord, Fact } from "../../engine/facts.ts";
import type { ActiveHold, EndedHold } from "../../engine/hold-book.ts";
import type { KeptKey } from "../../engine/idempotency-keys.ts";
import type { BookingId, EventId, HoldId, UserId } from "../../engine/ids.ts";
import {
  ENDED_HOLDS_PER_EVENT_MAX,
  LOAD_CONNECTIONS_MAX,
  LOAD_STATEMENT_MS_MAX,
} from "../../engine/limits.ts";
import type { PlaceItem } from "../../engine/place.ts";
import type { Snapshot } from "../../engine/snapshot.ts";
import type { ActorLoader } from "./actor-loader.ts";
import { unpackFact } from "./fact-bytes.ts";

// Arrays travel as JSON, which is parsed natively; 64-bit integers as text, all below 2^53.

interface InventoryRow {
  readonly seq: string;
  readonly definition: Omit<InventoryDefinition, "eventId" | "seatCategories">;
  readonly seat_categories: Uint8Array;
}
const INVENTORY = `
  SELECT seq, definition, seat_categories FROM inventories WHERE event_id = $1`;

interface HoldRow {
  readonly id: string;
  readonly user_id: string;
  readonly items: readonly number[];
  readonly created_ms: string;
  readonly expires_ms: string;
  readonly extended: boolean;
  readonly seq: string;
}
const ACTIVE_HOLDS = `
  SELECT id, user_id, array_to_json(items) AS items, created_ms, expires_ms, extended, seq
  FROM holds WHERE event_id = $1 AND status = 'active' ORDER BY id`;

interface EndedRow {
  readonly id: string;
  readonly user_id: string;
  readonly status: "released" | "expired";
  readonly seq: string;
}
const ENDED_HOLDS = `
  SELECT id, user_id, status, seq
  FROM holds WHERE event_id = $1 AND status IN ('released', 'expired')
  ORDER BY seq DESC LIMIT $2`;

interface BookingRow {
  readonly id: string;
  readonly hold_id: string;
  readonly user_id: string;
  readonly email: string | null;
  readonly code: string;
  readonly booked_ms: string;
  readonly seq: string;
  readonly cancelled_seq: string | null;
  readonly cancelled_ms: string | null;
  readonly cancelled_by: string | null;
  readonly cancel_reason: string | null;
  readonly tickets: readonly (readonly [number, number, number, string])[];
}
const BOOKINGS = `
  SELECT b.id, b.hold_id, b.user_id, b.email, b.code, b.booked_ms, b.seq,
         b.cancelled_seq, b.cancelled_ms, b.cancelled_by, b.cancel_reason, t.tickets
  FROM bookings b
  JOIN (SELECT booking_id, json_agg(json_build_array(place, category, price_minor, code)
                                    ORDER BY position) AS tickets
        FROM tickets WHERE event_id = $1 GROUP BY booking_id) t ON t.booking_id = b.id
  WHERE b.event_id = $1 ORDER BY b.seq`;

interface KeyRow {
  readonly digest: string;
  readonly fingerprint: string;
  readonly seq: string;
  readonly at_ms: string;
}
/** Rows past their time are few, and are forgotten when the snapshot's keys are kept in order. */
const KEYS = `
  SELECT digest, fingerprint, seq, at_ms FROM idempotency_keys WHERE event_id = $1 ORDER BY seq`;

const OUTCOME = "SELECT fact FROM idempotency_keys WHERE event_id = $1 AND digest = $2";

const EVENTS_WITH_HOLDS = "SELECT DISTINCT event_id FROM holds WHERE status = 'active'";

/** Builds actors' states from the rows that the projector wrote. */
export class PgActorLoader implements ActorLoader {
  readonly #pool: Pool;

  constructor(databaseUrl: string) {
    this.#pool = new Pool({
      connectionString: databaseUrl,
      application_name: "evently loader",
      max: LOAD_CONNECTIONS_MAX,
      connectionTimeoutMillis: LOAD_STATEMENT_MS_MAX,
      query_timeout: LOAD_STATEMENT_MS_MAX,
      keepAlive: true,
    });
    // An idle connection was lost: the pool has dropped it, and opens another when it needs one.
    this.#pool.on("error", () => undefined);
  }

  async load(eventId: EventId): Promise<Snapshot> {
    const client = await this.#pool.connect();
    try {
      // One snapshot of the database: the rows of all tables belong to the same seq.
      await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
      const snapshot = await readSnapshot(client, eventId);
      await client.query("COMMIT");
      client.release();
      return snapshot;
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  async loadOutcome(eventId: EventId, digest: string): Promise<Fact | null> {
    const { rows } = await this.#pool.query<{ fact: Buffer }>({
      name: "load-outcome",
      text: OUTCOME,
      values: [eventId, digest],
    });
    const [row] = rows;
    return row === undefined ? null : unpackFact(row.fact);
  }

  async eventsWithHolds(): Promise<EventId[]> {
    const { rows } = await this.#pool.query<{ event_id: string }>(EVENTS_WITH_HOLDS);
    return rows.map((row) => row.event_id as EventId);
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}

async function readSnapshot(client: PoolClient, eventId: EventId): Promise<Snapshot> {
  const values = [eventId];
  const inventories = await client.query<InventoryRow>(INVENTORY, values);
  const [inventory] = inventories.rows;
  if (inventory === undefined) {
    return { seq: 0, definition: null, holds: [], endedHolds: [], bookings: [], keys: [] };
  }
  const holds = await client.query<HoldRow>(ACTIVE_HOLDS, values);
  const ended = await client.query<EndedRow>(ENDED_HOLDS, [eventId, ENDED_HOLDS_PER_EVENT_MAX]);
  const bookings = await client.query<BookingRow>(BOOKINGS, values);
  const keys = await client.query<KeyRow>(KEYS, values);
  return {
    seq: Number(inventory.seq),
    definition: {
      ...inventory.definition,
      eventId,
      seatCategories: Uint8Array.from(inventory.seat_categories),
    },
    holds: holds.rows.map(activeHold),
    endedHolds: endedHolds(ended.rows, bookings.rows),
    bookings: bookings.rows.map(knownBooking),
    keys: keys.rows.map(keptKey),
  };
}

function activeHold(row: HoldRow): ActiveHold {
  const items: PlaceItem[] = [];
  for (let at = 0; at < row.items.length; at += 3) {
    const [place = 0, category = 0, priceMinor = 0] = row.items.slice(at, at + 3);
    items.push({ place, category, priceMinor });
  }
  return {
    holdId: row.id as HoldId,
    userId: row.user_id as UserId,
    items,
    createdAtMs: Number(row.created_ms),
    expiresAtMs: Number(row.expires_ms),
    extended: row.extended,
    seq: Number(row.seq),
  };
}

/** Oldest first. What became a booking is taken from the booking: its hold may have no row. */
function endedHolds(rows: readonly EndedRow[], bookings: readonly BookingRow[]): EndedHold[] {
  const unbooked = rows.map((row) => ({
    seq: Number(row.seq),
    ended: {
      holdId: row.id as HoldId,
      userId: row.user_id as UserId,
      end: row.status,
      bookingId: null,
    },
  }));
  const booked = bookings.map((row) => ({
    seq: Number(row.seq),
    ended: {
      holdId: row.hold_id as HoldId,
      userId: row.user_id as UserId,
      end: "booked" as const,
      bookingId: row.id as BookingId,
    },
  }));
  return [...unbooked, ...booked]
    .sort((a, b) => a.seq - b.seq)
    .slice(-ENDED_HOLDS_PER_EVENT_MAX)
    .map(({ ended }) => ended);
}

function knownBooking(row: BookingRow): KnownBooking {
  const record: BookingRecord = {
    bookingId: row.id as BookingId,
    holdId: row.hold_id as HoldId,
    userId: row.user_id as UserId,
    email: row.email,
    code: row.code,
    items: row.tickets.map(([place, category, priceMinor]) => ({ place, category, priceMinor })),
    ticketCodes: row.tickets.map(([, , , code]) => code),
    bookedAtMs: Number(row.booked_ms),
  };
  if (row.cancelled_seq === null) return { record, cancelled: null };
  return {
    record,
    cancelled: {
      kind: "cancelled",
      seq: Number(row.cancelled_seq),
      atMs: Number(row.cancelled_ms),
      // Whoever repeats the cancellation under its key gets the outcome by the key.
      key: null,
      booking: record,
      cancelledBy: row.cancelled_by as UserId,
      reason: row.cancel_reason,
    },
  };
}

function keptKey(row: KeyRow): KeptKey {
  return {
    digest: row.digest,
    fingerprint: row.fingerprint,
    seq: Number(row.seq),
    atMs: Number(row.at_ms),
  };
}
