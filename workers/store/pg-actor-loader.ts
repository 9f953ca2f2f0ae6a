import { Pool, type PoolClient } from "pg";
import {
  type InventoryDefinition,
  type StoredDefinition,
  withDefaults,
} from "../../engine/definition.ts";
import type { Block, Fact } from "../../engine/facts.ts";
import type { KeptKey } from "../../engine/idempotency-keys.ts";
import type { EventId } from "../../engine/ids.ts";
import {
  ENDED_HOLDS_PER_EVENT_MAX,
  LOAD_CONNECTIONS_MAX,
  LOAD_STATEMENT_MS_MAX,
} from "../../engine/limits.ts";
import { EMPTY_SNAPSHOT, type Snapshot } from "../../engine/snapshot.ts";
import type { Waiting } from "../../engine/waitlist.ts";
import type { ActorLoader } from "./actor-loader.ts";
import {
  ACTIVE_HOLDS,
  activeHold,
  BOOKINGS,
  type BookingRow,
  ENDED_HOLDS,
  type EndedRow,
  endedHolds,
  type HoldRow,
  knownBooking,
} from "./booking-rows.ts";
import { unpackFact } from "./fact-bytes.ts";
import {
  firstSeqOf,
  lineOf,
  OFFERS_SINCE,
  type OfferRow,
  WAITING,
  type WaitingRow,
} from "./waitlist-rows.ts";

interface InventoryRow {
  readonly seq: string;
  readonly definition: Omit<StoredDefinition, "eventId" | "seatCategories" | "seatMap">;
  readonly seat_categories: Uint8Array;
  readonly seat_map: Uint8Array;
}
const INVENTORY = `
  SELECT seq, definition, seat_categories, seat_map FROM inventories WHERE event_id = $1`;

interface AreaRow {
  readonly area: number;
  readonly capacity: number;
}
const AREAS = "SELECT area, capacity FROM inventory_areas WHERE event_id = $1";

const BLOCKS = "SELECT place, channel, quantity FROM blocked_places WHERE event_id = $1";

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

/** A booking stands while one of its tickets is valid, for a seat or a place of an area. */
const EVENTS_TO_WAKE = `
  SELECT event_id FROM holds WHERE status = 'active'
  UNION SELECT event_id FROM waitlist_entries WHERE status = 'waiting'
  UNION SELECT i.event_id FROM inventories i WHERE i.status = 'cancelled' AND (
    EXISTS (SELECT FROM tickets t
            WHERE t.event_id = i.event_id AND t.place >= 0 AND t.status = 'valid')
    OR EXISTS (SELECT FROM inventory_areas a WHERE a.event_id = i.event_id AND a.sold > 0))`;

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

  async eventsToWake(): Promise<EventId[]> {
    const { rows } = await this.#pool.query<{ event_id: string }>(EVENTS_TO_WAKE);
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
  if (inventory === undefined) return EMPTY_SNAPSHOT;
  const areas = await client.query<AreaRow>(AREAS, values);
  const holds = await client.query<HoldRow>(ACTIVE_HOLDS, values);
  const ended = await client.query<EndedRow>(ENDED_HOLDS, [eventId, ENDED_HOLDS_PER_EVENT_MAX]);
  const bookings = await client.query<BookingRow>(BOOKINGS, values);
  const keys = await client.query<KeyRow>(KEYS, values);
  const blocks = await client.query<Block>(BLOCKS, values);
  return {
    seq: Number(inventory.seq),
    definition: definitionOf(eventId, inventory, areas.rows),
    holds: holds.rows.map(activeHold),
    endedHolds: endedHolds(ended.rows, bookings.rows),
    bookings: bookings.rows.map(knownBooking),
    keys: keys.rows.map(keptKey),
    blocks: blocks.rows,
    waitlist: await readWaitlist(client, eventId),
  };
}

/** The capacities of areas may have changed since the event was configured. */
function definitionOf(
  eventId: EventId,
  { definition, seat_categories, seat_map }: InventoryRow,
  areas: readonly AreaRow[],
): InventoryDefinition {
  const capacities = new Map(areas.map(({ area, capacity }) => [area, capacity]));
  return withDefaults({
    ...definition,
    eventId,
    areas: definition.areas.map((area, index) => {
      return { ...area, capacity: capacities.get(index) ?? area.capacity };
    }),
    seatCategories: Uint8Array.from(seat_categories),
    seatMap: seat_map,
  });
}

async function readWaitlist(client: PoolClient, eventId: EventId): Promise<Waiting[]> {
  const waiting = await client.query<WaitingRow>(WAITING, [eventId]);
  const sinceSeq = firstSeqOf(waiting.rows);
  if (sinceSeq === null) return [];
  const offers = await client.query<OfferRow>(OFFERS_SINCE, [eventId, sinceSeq]);
  return lineOf(waiting.rows, offers.rows);
}

function keptKey(row: KeyRow): KeptKey {
  return {
    digest: row.digest,
    fingerprint: row.fingerprint,
    seq: Number(row.seq),
    atMs: Number(row.at_ms),
  };
}
