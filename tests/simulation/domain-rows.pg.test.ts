/**
 * The whole domain's way into rows and back: random commands of every kind, projected in random
 * cuts into PostgreSQL and into the virtual tables, and loaded from both after every cut. What is
 * loaded must be the state that the facts make. On failure a test's name shows its seed: set SEED
 * to it to run that one again.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "pg";
import { apply } from "../../engine/apply.ts";
import { EventState } from "../../engine/event-state.ts";
import type { Block, Fact } from "../../engine/facts.ts";
import { FREE } from "../../engine/inventory.ts";
import { restore, type Snapshot, snapshotOf } from "../../engine/snapshot.ts";
import { driftBetween, snapshotHash } from "../../engine/snapshot-comparison.ts";
import { EVENT_ID, EventBench } from "../../engine/testing/fixtures.ts";
import { Random } from "../../engine/testing/random.ts";
import { randomDomainStep } from "../../engine/testing/random-domain-step.ts";
import { cutBatch } from "../../workers/projector/cut-batch.ts";
import { PgProjectionStore } from "../../workers/projector/pg-projection-store.ts";
import type { ProjectionBatch } from "../../workers/projector/projection-store.ts";
import { packFact, unpackFact } from "../../workers/store/fact-bytes.ts";
import { PgActorLoader } from "../../workers/store/pg-actor-loader.ts";
import { PlainHold } from "../../workers/store/plain-hold.ts";
import { PgShardTable } from "../../workers/store/shard-table.ts";
import { entriesOf, queueOf } from "../../workers/testing/entries.ts";
import { createTestDatabase } from "../support/database.ts";
import { storedJson } from "./virtual-rows.ts";
import { VirtualTables } from "./virtual-tables.ts";

const STEPS = 600;
const ROWS = [
  "inventory_areas",
  "blocked_places",
  "bookings",
  "tickets",
  "waitlist_entries",
  "refunds",
  "event_history",
] as const;

/** How often each kind of fact, and of change, was seen. */
const seen = new Map<string, number>();
const count = (name: string): void => {
  seen.set(name, (seen.get(name) ?? 0) + 1);
};

async function randomRun(seed: number): Promise<void> {
  const database = await createTestDatabase();
  const client = new Client({ connectionString: database.url });
  await client.connect();
  const store = new PgProjectionStore(database.url);
  const loader = new PgActorLoader(database.url);
  try {
    await new PgShardTable(database.url).acquire(1);
    await project(seed, { store, loader, client });
    for (const table of ROWS) {
      const { rows } = await client.query(`SELECT count(*)::integer AS count FROM ${table}`);
      assert.ok(rows[0]?.count > 0, `${table} has rows`);
    }
    await checkTickets(client);
  } finally {
    await Promise.all([store.close(), loader.close(), client.end()]);
    await database.drop();
  }
}

interface Database {
  readonly store: PgProjectionStore;
  readonly loader: PgActorLoader;
  readonly client: Client;
}

async function project(seed: number, { store, loader, client }: Database): Promise<void> {
  const random = new Random(seed);
  const tables = new VirtualTables();
  tables.acquire(1);
  const bench = new EventBench({ perUserMax: 100, holdTtlMs: 20_000, paymentWindowMs: 60_000 });
  const projected = new EventState();
  const cutMax = random.pick([1, 5, 40, 400]);
  for (let step = 0; step < STEPS; step += 1) {
    randomDomainStep(random, bench, step);
    const waiting = bench.facts.slice(projected.seq);
    if (waiting.length === 0 || (step < STEPS - 1 && waiting.length < random.below(cutMax))) {
      continue;
    }
    // As they are in the journal, which has no half of a surrogate pair.
    const facts = waiting
      .slice(0, 1 + random.below(waiting.length))
      .map((fact) => unpackFact(packFact(fact)));
    const batch = batchOf(facts, projected.seq);
    for (const made of batch.effects.holdsMade) {
      if (made instanceof PlainHold) count("a plain hold's own bytes");
    }
    assert.equal(await store.apply(batch), "applied");
    assert.equal(tables.apply(batch), "applied");
    await client.query(LIST_EVENT, [EVENT_ID]);
    for (const fact of facts) {
      apply(projected, fact);
      count(fact.kind === "bookingChanged" ? fact.change : fact.kind);
    }
    const loaded = await loader.load(EVENT_ID);
    check(projected, loaded);
    await checkFree(projected, client);
    assert.deepEqual(inOrder(tables.snapshotOf(EVENT_ID)), inOrder(loaded));
    assert.deepEqual(tables.eventsToWake(), await loader.eventsToWake());
  }
}

/** The facts behind `appliedLsn`, as the projector cuts them from the journal's bytes. */
function batchOf(facts: readonly Fact[], appliedLsn: number): ProjectionBatch {
  return cutBatch([queueOf(entriesOf(facts, { firstLsn: appliedLsn + 1 }))], facts.length);
}

function check(state: EventState, loaded: Snapshot): void {
  const memory = storable(snapshotOf(state));
  assert.deepEqual(driftBetween(memory, loaded), []);
  assert.equal(snapshotHash(loaded), snapshotHash(memory));
  const [a, b] = [inOrder(memory), inOrder(loaded)];
  assert.deepEqual(b.definition, a.definition);
  assert.deepEqual(b.holds, a.holds);
  assert.deepEqual(b.bookings, a.bookings);
  assert.deepEqual(b.keys, a.keys);
  assert.deepEqual(b.blocks, a.blocks);
  assert.deepEqual(b.waitlist, a.waitlist);
  // A hold that was booked in the run that made it may have no row.
  assert.deepEqual(b.endedHolds, a.endedHolds);
  const restored = restore(loaded);
  assert.equal(snapshotHash(snapshotOf(restored)), snapshotHash(memory));
  assert.deepEqual(counts(restored), counts(state));
}

/** What is not in a snapshot, and follows from it. */
function counts(state: EventState): unknown {
  const { inventory, placesByUser, promoUses, blocks, bookingByIntent } = state;
  const byText = (a: unknown, b: unknown): number =>
    JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
  return {
    statuses: Buffer.from(inventory?.statuses ?? []).toString(),
    floor: inventory?.area(0),
    places: [...placesByUser].sort(byText),
    promo: [...promoUses.all()].sort(byText),
    inUse: ["press", 'fan"club\\,{NULL}'].map((channel) => blocks.inUseOf(-1, channel)),
    intents: [...bookingByIntent].sort(byText),
  };
}

/** As the catalogue lists it, once it has an inventory. */
const LIST_EVENT = `
  WITH organization AS (
    INSERT INTO organizations (id, name, allow_invoices, currency, country)
    VALUES ($1, '', true, 'EUR', 'DE') ON CONFLICT DO NOTHING)
  INSERT INTO events (id, tag, organization_id, status, title, description, tags, starts_at,
    timezone, currency, hold_ttl_ms, per_order_max, per_user_max, price_categories, areas, seats)
  VALUES ($1, 'tag', $1, 'published', '', '', '{}', now(), 'UTC', 'EUR', 1000, 1, 1,
    '[{"price": 1}]', '[]', '[]')
  ON CONFLICT DO NOTHING`;

/** What a search goes by: the seats that are free, and whether any place is. */
async function checkFree({ inventory }: EventState, client: Client): Promise<void> {
  const { rows } = await client.query<{ seats_free: number; has_free: boolean }>(
    `SELECT i.seats_free, s.has_free FROM inventories i JOIN event_search s USING (event_id)
     WHERE event_id = $1`,
    [EVENT_ID],
  );
  const seatsFree = inventory?.statuses.filter((status) => status === FREE).length ?? 0;
  const hasFree = (inventory?.free ?? 0) > 0;
  assert.deepEqual(rows, [{ seats_free: seatsFree, has_free: hasFree }]);
  count(hasFree ? "something is free" : "nothing is free");
}

/** The columns that no loader reads. */
async function checkTickets(client: Client): Promise<void> {
  const { rows } = await client.query(`
    SELECT t.id FROM tickets t JOIN bookings b ON b.event_id = t.event_id AND b.id = t.booking_id
    WHERE t.status <> CASE
        WHEN b.status = 'pending_payment' THEN 'pending'
        WHEN b.status <> 'confirmed' OR t.cancelled_ms IS NOT NULL THEN 'cancelled'
        ELSE 'valid' END
      OR (b.later IS NOT NULL AND b.status <> b.later ->> 'status')
      OR b.changed_seq IS DISTINCT FROM (b.later ->> 'seq')::bigint
      OR b.total_minor <> (SELECT sum(coalesce(due_minor, price_minor)) FROM tickets o
                           WHERE o.event_id = b.event_id AND o.booking_id = b.id)`);
  assert.deepEqual(rows, []);
}

function storable(snapshot: Snapshot): Snapshot {
  const { seq, definition, ...lists } = snapshot;
  return { seq, definition, ...storedJson(lists) };
}

function inOrder(snapshot: Snapshot): Snapshot {
  const blockKey = ({ place, channel }: Block): string => `${place} ${channel}`;
  return {
    ...snapshot,
    holds: snapshot.holds.toSorted((a, b) => (a.holdId < b.holdId ? -1 : 1)),
    blocks: snapshot.blocks
      .map((block) => ({ ...block }))
      .sort((a, b) => (blockKey(a) < blockKey(b) ? -1 : 1)),
  };
}

const chosen = process.env.SEED;
const seeds = chosen === undefined ? Array.from({ length: 12 }, (_, n) => n + 1) : [Number(chosen)];
for (const seed of seeds) {
  test(`what the domain's facts make is what both databases load (SEED=${seed})`, () =>
    randomRun(seed));
}

test("every kind of fact and of change had its turn", () => {
  if (chosen !== undefined) return;
  const kinds = [
    ...["configured", "held", "extended", "holdChanged", "holdEnded", "paymentStarted", "booked"],
    ...["placesChanged", "queued", "unqueued", "cancelled", "payment_expired", "payment_failed"],
    ...["paid_late", "paid_in_vain", "refund_settled", "ticket_moved", "transferred"],
    ...["checked_in", "check_in_undone", "buyer_forgotten"],
    ...["something is free", "nothing is free", "a plain hold's own bytes"],
  ];
  assert.deepEqual(
    kinds.filter((kind) => !seen.has(kind)),
    [],
  );
});
