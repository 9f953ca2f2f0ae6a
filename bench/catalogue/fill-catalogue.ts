/**
 * Fills a database with generated events. They are real ones: the same parser reads them that
 * reads what organisers send, and their inventories are written by the projector's own statements,
 * as if each had been published and nothing had happened since.
 */
import type { Client } from "pg";
import { NO_CHARGES } from "../../engine/charges.ts";
import { eventTagOf, type OrganizationId, uuidV7 } from "../../engine/ids.ts";
import { placeOfArea } from "../../engine/place.ts";
import {
  type EventDraft,
  inventoryDefinitionOf,
  parseEventDraft,
} from "../../gateway/catalogue/event-definition.ts";
import type { AreaChange, BlockChange, NetEffects } from "../../workers/projector/effects.ts";
import { stepsOf } from "../../workers/projector/projection-statements.ts";
import { takeStep } from "../../workers/projector/take-steps.ts";
import { EventMaker, type MadeEvent } from "./event-maker.ts";
import { RandomSource } from "./random-source.ts";

export interface Filling {
  readonly count: number;
  readonly seed: number;
  /** Unix ms: events lie around this day. */
  readonly nowMs: number;
  readonly progress?: (made: number) => void;
}

const BATCH = 2_000;
const ORGANIZATIONS = 400;

/** What is slow to keep up to date row by row, and quick to build for all rows at once. */
const SEARCH_INDEXES = `
  SELECT indexname AS name, indexdef AS text FROM pg_indexes
  WHERE schemaname = current_schema() AND tablename = 'event_search'
    AND indexname NOT LIKE '%_pkey'`;

/** Adds the events, and the organisations that sell them. */
export async function fillCatalogue(client: Client, filling: Filling): Promise<void> {
  const organizations = await makeOrganizations(client, filling);
  const maker = new EventMaker({ ...filling, organizations });
  const { rows: known } = await client.query("SELECT 1 FROM event_search LIMIT 1");
  const { rows: indexes } = await client.query<{ name: string; text: string }>(SEARCH_INDEXES);
  // Where there are events already, searches go on meanwhile.
  const rebuilt = known.length === 0 ? indexes : [];
  await client.query(`SET maintenance_work_mem = '256MB'`);
  for (const { name } of rebuilt) await client.query(`DROP INDEX ${name}`);
  for (let made = 0; made < filling.count; ) {
    const size = Math.min(BATCH, filling.count - made);
    await addBatch(
      client,
      Array.from({ length: size }, () => maker.next()),
    );
    made += size;
    // Plans that were made for empty tables are made anew.
    if (made === size) await client.query("ANALYZE");
    filling.progress?.(made);
  }
  for (const { text } of rebuilt) await client.query(text);
  // Events that follow each other in a list lie beside each other: most searches read fewer pages.
  await client.query("CLUSTER event_search USING event_search_by_start");
  await client.query("VACUUM ANALYZE");
}

async function makeOrganizations(client: Client, { seed, nowMs }: Filling) {
  const random = new RandomSource(seed ^ 0x5f5f5f);
  const ids = Array.from(
    { length: ORGANIZATIONS },
    () => uuidV7(nowMs, random.bytes(10)) as OrganizationId,
  );
  await client.query(
    `INSERT INTO organizations (id, name, allow_invoices, currency, country)
     SELECT id, 'Promoter ' || left(id::text, 8), true, 'EUR', 'DE' FROM unnest($1::uuid[]) AS id
     ON CONFLICT DO NOTHING`,
    [ids],
  );
  return ids;
}

async function addBatch(client: Client, events: readonly MadeEvent[]): Promise<void> {
  const drafts = events.map((event) => ({ event, draft: draftOf(event) }));
  await client.query("BEGIN");
  for (const step of stepsOf(effectsOf(drafts))) await takeStep(client, step);
  const rows = drafts.map(({ event, draft }) => rowOf(event, draft));
  const columns = Object.keys(rows[0] ?? {}).join(", ");
  await client.query(
    `INSERT INTO events (${columns})
     SELECT ${columns} FROM json_populate_recordset(NULL::events, $1)`,
    [JSON.stringify(rows)],
  );
  await client.query("COMMIT");
}

function draftOf({ body }: MadeEvent): EventDraft {
  const draft = parseEventDraft(body, { currency: "EUR" });
  if (!draft.ok) throw new Error(`a generated event is wrong: ${JSON.stringify(draft.errors)}`);
  return draft.value;
}

interface Drafted {
  readonly event: MadeEvent;
  readonly draft: EventDraft;
}

/** Published by seq 1; what is sold out has all of its places kept from the sale, by seq 2. */
function effectsOf(drafts: readonly Drafted[]): NetEffects {
  const areas: AreaChange[] = [];
  const blocks: BlockChange[] = [];
  for (const { event, draft } of drafts) {
    if (!event.isSoldOut) continue;
    const { eventId } = event;
    for (const [area, { capacity }] of draft.areas.entries()) {
      areas.push({ eventId, area, held: 0, sold: 0, blocked: capacity, capacity: null });
      blocks.push({ eventId, place: placeOfArea(area), channel: "", quantity: capacity });
    }
  }
  return {
    events: drafts.map(({ event: { eventId, isSoldOut }, draft }) => ({
      eventId,
      firstSeq: 1,
      lastSeq: isSoldOut ? 2 : 1,
      seatsFreed: 0,
      definition: inventoryDefinitionOf({ eventId, charges: NO_CHARGES, ...draft }, "published"),
    })),
    areas,
    blocks,
    holdsMade: [],
    holdChanges: [],
    holdsBooked: [],
    bookingChanges: [],
    bookingsMade: [],
    entriesEnded: [],
    entriesQueued: [],
    refunds: [],
    history: [],
    outbox: [],
    keyBlocks: [],
  };
}

const timeOf = (ms: number | null): string | null =>
  ms === null ? null : new Date(ms).toISOString();

/** A row of the table events, by its columns. */
function rowOf({ eventId, organizationId }: MadeEvent, draft: EventDraft): object {
  return {
    id: eventId,
    tag: eventTagOf(eventId),
    organization_id: organizationId,
    status: "published",
    title: draft.title,
    description: draft.description,
    category: draft.category,
    tags: draft.tags,
    venue: draft.venue,
    city: draft.venue?.city ?? null,
    starts_at: timeOf(draft.startsMs),
    ends_at: timeOf(draft.endsMs),
    timezone: draft.timezone,
    currency: draft.currency,
    sales_open_at: timeOf(draft.salesOpenMs),
    sales_close_at: timeOf(draft.salesCloseMs),
    hold_ttl_ms: draft.holdTtlMs,
    per_order_max: draft.perOrderMax,
    per_user_max: draft.perUserMax,
    price_categories: draft.priceCategories,
    areas: draft.areas,
    seats: draft.seats,
    created_at: new Date(Number.parseInt(eventId.slice(0, 8) + eventId.slice(9, 13), 16)),
    updated_at: timeOf(draft.startsMs - 86_400_000),
    charges: NO_CHARGES,
    promo_codes: draft.promoCodes,
    cancel_until: timeOf(draft.cancelUntilMs),
    payment_window_ms: draft.paymentWindowMs,
    version: 0,
    cancelling: false,
    never_published: false,
    seat_map: `\\x${Buffer.from(draft.seatMap).toString("hex")}`,
  };
}
