import { Pool, type PoolClient } from "pg";
import {
  type InventoryDefinition,
  type StoredDefinition,
  withDefaults,
} from "../../engine/definition.ts";
import type { Block, Fact } from "../../engine/facts.ts";
import type { ActiveHold } from "../../engine/hold-book.ts";
import type { EventId } from "../../engine/ids.ts";
import type { KeptKey } from "../../engine/key-rows.ts";
import {
  ENDED_HOLDS_PER_EVENT_MAX,
  KEY_BLOCKS_PER_READ_MAX,
  KEY_TTL_MS,
  LOAD_CONNECTIONS_MAX,
  LOAD_STATEMENT_MS_MAX,
} from "../../engine/limits.ts";
import { EMPTY_SNAPSHOT, type Snapshot } from "../../engine/snapshot.ts";
import { mapping } from "../../engine/steps.ts";
import type { Waiting } from "../../engine/waitlist.ts";
import { READ_COMMITTED } from "../../sql/isolation.ts";
import { systemClock } from "../clock.ts";
import { Turns } from "../in-turns.ts";
import { type ActorLoader, DRIFT_SHOWN_MAX } from "./actor-loader.ts";
import {
  BOOKINGS,
  type BookingRow,
  copiedHold,
  copyOfActiveHolds,
  ENDED_HOLDS,
  type EndedRow,
  endedHolds,
  knownBooking,
} from "./booking-rows.ts";
import { copyOut } from "./copy-out.ts";
import { findOutcome, readKeys } from "./key-blocks.ts";
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

interface BlockRow {
  readonly facts: Buffer;
}
/** The next ones behind a seq. */
const KEYS = `
  SELECT facts FROM key_blocks WHERE event_id = $1 AND last_seq > $2
  ORDER BY last_seq LIMIT ${KEY_BLOCKS_PER_READ_MAX}`;
/** The one that would have the seq. */
const OUTCOME = `
  SELECT facts FROM key_blocks WHERE event_id = $1 AND last_seq >= $2 ORDER BY last_seq LIMIT 1`;

/** Rows that are read in one step: some two milliseconds. */
const ROWS_PER_STEP = 500;
const TURNS = new Turns(systemClock);

/**
 * From one event with active holds to the next, in their index: each may have 100,000s. A booking
 * stands while one of its tickets is valid, for a seat or a place of an area.
 */
const EVENTS_TO_WAKE = `
  WITH RECURSIVE holding (event_id) AS (
    (SELECT event_id FROM holds WHERE status = 'active' ORDER BY event_id LIMIT 1)
    UNION ALL
    SELECT (SELECT h.event_id FROM holds h
            WHERE h.status = 'active' AND h.event_id > holding.event_id
            ORDER BY h.event_id LIMIT 1)
    FROM holding WHERE holding.event_id IS NOT NULL)
  SELECT event_id FROM holding WHERE event_id IS NOT NULL
  UNION SELECT event_id FROM waitlist_entries WHERE status = 'waiting'
  UNION SELECT i.event_id FROM inventories i WHERE i.status = 'cancelled' AND (
    EXISTS (SELECT FROM tickets t
            WHERE t.event_id = i.event_id AND t.place >= 0 AND t.status = 'valid')
    OR EXISTS (SELECT FROM inventory_areas a WHERE a.event_id = i.event_id AND a.sold > 0))`;

/** Both are written in one transaction. */
const WRONG_TOTALS = `
  SELECT b.id, b.total_minor, t.due_minor FROM bookings b
  LEFT JOIN (SELECT booking_id, sum(COALESCE(due_minor, price_minor)) AS due_minor
             FROM tickets WHERE event_id = $1 GROUP BY booking_id) t ON t.booking_id = b.id
  WHERE b.event_id = $1 AND b.total_minor IS DISTINCT FROM t.due_minor
  ORDER BY b.id LIMIT ${DRIFT_SHOWN_MAX}`;
interface WrongTotalRow {
  readonly id: string;
  readonly total_minor: string;
  readonly due_minor: string | null;
}

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
      onConnect: (client) => client.query(READ_COMMITTED),
    });
    // An idle connection was lost: the pool has dropped it, and opens another when it needs one.
    this.#pool.on("error", () => undefined);
    // One that is in use, of which the pool does not hear: the query fails as well, and says so.
    this.#pool.on("connect", (client) => client.on("error", () => undefined));
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

  async loadOutcome(eventId: EventId, seq: number): Promise<Fact | null> {
    const values = [eventId, seq];
    const query = { name: "load-outcome", text: OUTCOME, values };
    const [row] = (await this.#pool.query<BlockRow>(query)).rows;
    return row === undefined ? null : findOutcome(row.facts, seq);
  }

  async eventsToWake(): Promise<EventId[]> {
    const { rows } = await this.#pool.query<{ event_id: string }>(EVENTS_TO_WAKE);
    return rows.map((row) => row.event_id as EventId);
  }

  async wrongTotals(eventId: EventId): Promise<string[]> {
    const { rows } = await this.#pool.query<WrongTotalRow>(WRONG_TOTALS, [eventId]);
    return rows.map(({ id, total_minor: total, due_minor: due }) => {
      return `booking ${id} has a total of ${total} in the database, its tickets come to ${due}`;
    });
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
  const holds: ActiveHold[] = [];
  await copyOut(client, copyOfActiveHolds(eventId), (bytes, at) => {
    holds.push(copiedHold(bytes, at));
  });
  const ended = await client.query<EndedRow>(ENDED_HOLDS, [eventId, ENDED_HOLDS_PER_EVENT_MAX]);
  const bookings = await client.query<BookingRow>(BOOKINGS, values);
  const blocks = await client.query<Block>(BLOCKS, values);
  return {
    seq: Number(inventory.seq),
    definition: definitionOf(eventId, inventory, areas.rows),
    holds,
    endedHolds: endedHolds(ended.rows, bookings.rows),
    bookings: await TURNS.run(mapping(bookings.rows, knownBooking, ROWS_PER_STEP)),
    keys: await readKept(client, eventId),
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

/** The keys that the actor knew: as the last one was kept, those past their time were forgotten. */
async function readKept(client: PoolClient, eventId: EventId): Promise<KeptKey[]> {
  const keys: KeptKey[] = [];
  for (let isMore = true; isMore; ) {
    const { rows } = await client.query<BlockRow>(KEYS, [eventId, keys.at(-1)?.seq ?? 0]);
    for (const { facts } of rows) readKeys(facts, keys);
    isMore = rows.length === KEY_BLOCKS_PER_READ_MAX;
  }
  const horizonMs = (keys.at(-1)?.atMs ?? 0) - KEY_TTL_MS;
  const first = keys.findIndex(({ atMs }) => atMs >= horizonMs);
  return first > 0 ? keys.slice(first) : keys;
}
