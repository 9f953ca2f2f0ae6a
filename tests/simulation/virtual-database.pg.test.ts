/**
 * The virtual database beside PostgreSQL: the same calls to both, in the same order, and both must
 * answer the same and have the same rows. A simulation proves no more than its database resembles
 * the real one, so this test is what makes it trustworthy: whatever a projection's statement, a
 * constraint or a loader's query comes to mean, has to hold on both sides of it.
 *
 * Batches are those of real sales, whole, resent, out of turn, of a stale owner, or spoilt on
 * purpose; appends to the operation log know its ends and epochs, or do not. On failure a test's
 * name shows its seed: set SEED to it to run that one again.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "pg";
import type { Block } from "../../engine/facts.ts";
import type { EventId } from "../../engine/ids.ts";
import { ENDED_HOLD_TTL_MS, KEY_TTL_MS, PURGE_MARGIN_MS } from "../../engine/limits.ts";
import type { Snapshot } from "../../engine/snapshot.ts";
import { EventBench } from "../../engine/testing/fixtures.ts";
import { Random } from "../../engine/testing/random.ts";
import { randomDomainStep } from "../../engine/testing/random-domain-step.ts";
import type { Watermarks } from "../../workers/journal/journal-port.ts";
import type { LogEnd, LogRow, OperationLog } from "../../workers/journal/operation-log.ts";
import { PgOperationLog } from "../../workers/journal/pg-operation-log.ts";
import type { EventFact } from "../../workers/projector/effects.ts";
import { netEffectsOf } from "../../workers/projector/net-effects.ts";
import { PgProjectionStore } from "../../workers/projector/pg-projection-store.ts";
import type { ProjectionBatch, ProjectionStore } from "../../workers/projector/projection-store.ts";
import type { ActorLoader } from "../../workers/store/actor-loader.ts";
import { PgActorLoader } from "../../workers/store/pg-actor-loader.ts";
import { PgShardTable, type ShardTable } from "../../workers/store/shard-table.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { MUTATION_COUNT, mutated } from "./batch-mutations.ts";
import { VirtualDatabase } from "./virtual-database.ts";

const SHARDS = 3;
const EVENTS = 4;
const BATCHES = 80;

interface Side {
  readonly projections: ProjectionStore;
  readonly loader: ActorLoader;
  readonly shards: ShardTable;
  readonly log: OperationLog;
}

/** How often each outcome was seen. */
const seen = new Map<string, number>();
const spoilt = new Set<string>();

/** Both databases, empty. */
class Databases {
  readonly virtual = new VirtualDatabase({
    random: new Random(1),
    pause: () => Promise.resolve(),
    broken: (error) => {
      throw error;
    },
  });
  readonly client: Client;
  readonly #virtualSide: Side;
  readonly #realSide: Side;
  readonly #close: () => Promise<unknown>;

  static async create(): Promise<Databases> {
    const database = await createTestDatabase();
    const client = new Client({ connectionString: database.url });
    await client.connect();
    return new Databases(database, client);
  }

  private constructor({ url, drop }: TestDatabase, client: Client) {
    const loader = new PgActorLoader(url);
    const projections = new PgProjectionStore(url);
    this.client = client;
    const log = new PgOperationLog(url);
    const connected = this.virtual.connect();
    this.#virtualSide = { ...connected, log: connected.operationLog() };
    this.#realSide = { projections, loader, log, shards: new PgShardTable(url) };
    this.#close = async () => {
      await Promise.all([projections.close(), loader.close(), log.close(), client.end()]);
      await drop();
    };
  }

  async close(): Promise<void> {
    await this.#close();
  }

  /** Asks both, and demands the same answer. */
  async ask(what: string, ask: (side: Side) => Promise<unknown>): Promise<unknown> {
    const answer = await outcomeOf(ask(this.#virtualSide));
    assert.deepEqual(answer, await outcomeOf(ask(this.#realSide)), what);
    return answer;
  }

  /** What no call of the engine shows. */
  async compareRows(): Promise<void> {
    const areas = this.virtual
      .events()
      .flatMap((eventId) =>
        [...this.virtual.areasOf(eventId)].map(([area, row]) => ({ eventId, area, ...row })),
      );
    const byKey = (row: { eventId: EventId; area: number }): string => row.eventId + row.area;
    assert.deepEqual(
      areas.sort((a, b) => (byKey(a) < byKey(b) ? -1 : 1)),
      await this.#rows(`SELECT event_id AS "eventId", area, capacity, held, sold,
          blocked
        FROM inventory_areas ORDER BY event_id, area`),
    );
    const shards = [...this.virtual.shards()].map(([shard, row]) => ({ shard, ...row }));
    assert.deepEqual(
      shards.sort((a, b) => a.shard - b.shard),
      await this.#rows(`SELECT shard, epoch::float, applied_lsn::float AS "appliedLsn",
        logical_ms::float AS "logicalMs" FROM shards ORDER BY shard`),
    );
    const names = {
      ...{ inventories: "inventories", holds: "holds", bookings: "bookings", tickets: "tickets" },
      ...{ key_blocks: "keys", blocked_places: "blocks", waitlist_entries: "entries" },
      ...{ refunds: "refunds", event_history: "history", outbox: "outbox" },
    };
    const counts = Object.entries(names).map(
      ([table, name]) => `(SELECT count(*)::integer FROM ${table}) AS ${name}`,
    );
    assert.deepEqual([this.virtual.rows], await this.#rows(`SELECT ${counts.join(", ")}`));
  }

  async #rows(query: string): Promise<unknown[]> {
    const { rows } = await this.client.query(query);
    return rows.map((row) => ({ ...row }));
  }
}

/** The whole tail, as a journal reads it. */
async function tailOf(log: OperationLog, after: Watermarks): Promise<unknown[]> {
  const last = new Map(after);
  const tail: unknown[] = [];
  for (;;) {
    const page = await log.readTail([...last]);
    if (page.length === 0) return tail;
    for (const row of page) {
      last.set(row.shard, row.lastLsn);
      tail.push({ ...row, entries: Buffer.from(row.entries).toString("hex") });
    }
  }
}

async function retireAll(log: OperationLog, watermarks: Watermarks): Promise<void> {
  while (await log.retire(watermarks)) {
    // Each turn is a bounded number of rows.
  }
}

/** What a call came to, as a value. */
async function outcomeOf(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    assert.ok(error instanceof Error && "code" in error);
    return { error: error.constructor.name, code: error.code, message: error.message };
  }
}

/** An event has a set of blocks: they are loaded in any order. */
function ordered(snapshot: Snapshot): Snapshot {
  const byPlace = (a: Block, b: Block): number =>
    a.place - b.place || Number(a.channel > b.channel) - Number(a.channel < b.channel);
  return { ...snapshot, blocks: snapshot.blocks.toSorted(byPlace) };
}

/** One sale of several events over several shards, and how much of it the databases have. */
class Sale {
  readonly random: Random;
  readonly eventIds: EventId[];
  /** The facts of each shard that are not projected, in order. */
  readonly waiting: EventFact[][] = Array.from({ length: SHARDS }, () => []);
  readonly #benches: EventBench[];
  readonly #offered = new Map<EventBench, number>();
  readonly #databases: Databases;
  #last: ProjectionBatch | null = null;
  #steps = 0;
  #spoiltSeq = 1_000_000;

  constructor(databases: Databases, seed: number) {
    this.#databases = databases;
    this.random = new Random(seed);
    this.eventIds = Array.from({ length: EVENTS }, (_, index) => {
      const tail = (seed * EVENTS + index).toString(16).padStart(12, "0");
      return `018f3c9a-7b10-7000-8000-${tail}` as EventId;
    });
    this.#benches = this.eventIds.map(
      (eventId) => new EventBench({ eventId, perUserMax: 100, holdTtlMs: 20_000 }),
    );
  }

  /** Buyers do this and that; what came of it waits in the shards. */
  goOn(): void {
    for (let count = this.random.below(30); count > 0; count -= 1) {
      const index = this.random.below(EVENTS);
      const [bench, eventId] = [this.#benches[index], this.eventIds[index]];
      if (bench === undefined || eventId === undefined) continue;
      this.#steps += 1;
      randomDomainStep(this.random, bench, this.#steps);
      const facts = bench.facts.slice(this.#offered.get(bench) ?? 0);
      this.#offered.set(bench, bench.facts.length);
      const shard = this.waiting[index % SHARDS];
      for (const fact of facts) shard?.push({ eventId, fact });
    }
  }

  /** The first facts of some shards. */
  nextBatch(): ProjectionBatch {
    const advances: ProjectionBatch["advances"][number][] = [];
    const facts: EventFact[] = [];
    for (const [shard, waiting] of this.waiting.entries()) {
      if (waiting.length === 0 || this.random.below(3) === 0) continue;
      const taken = waiting.slice(0, 1 + this.random.below(waiting.length));
      const row = this.#databases.virtual.shards().get(shard);
      assert.ok(row !== undefined);
      const logicalMs = Math.max(...taken.map(({ fact }) => fact.atMs));
      const firstLsn = row.appliedLsn + 1;
      const lastLsn = row.appliedLsn + taken.length;
      advances.push({ shard, epoch: row.epoch, firstLsn, lastLsn, logicalMs });
      facts.push(...taken);
    }
    return { advances, effects: netEffectsOf(facts) };
  }

  async project(): Promise<void> {
    const batch = this.#variant(this.nextBatch());
    const isPrepared = this.random.below(2) === 0;
    const outcome = await this.#databases.ask("apply", ({ projections }) => {
      if (isPrepared) projections.prepare?.(batch);
      return projections.apply(batch);
    });
    count(typeof outcome === "string" ? outcome : labelOf(outcome));
    if (outcome !== "applied") return;
    this.#last = batch;
    for (const { shard, firstLsn, lastLsn } of batch.advances) {
      this.waiting[shard]?.splice(0, lastLsn - firstLsn + 1);
    }
  }

  #variant(batch: ProjectionBatch): ProjectionBatch {
    const { random } = this;
    const choice = random.below(12);
    const [first, ...others] = batch.advances;
    if (choice === 0 && this.#last !== null) return this.#last;
    if (first === undefined) return batch;
    if (choice === 1) {
      return { ...batch, advances: [{ ...first, epoch: first.epoch - 1 }, ...others] };
    }
    if (choice === 2) return { ...batch, advances: [...others, { ...first, shard: 9_999 }] };
    if (choice === 3) {
      const by = random.pick([-1, 1, 2]);
      const [firstLsn, lastLsn] = [first.firstLsn + by, first.lastLsn + by];
      return { ...batch, advances: [...others, { ...first, firstLsn, lastLsn }] };
    }
    if (choice < 7) return this.#spoil(batch);
    return batch;
  }

  #spoil(batch: ProjectionBatch): ProjectionBatch {
    const index = this.random.below(EVENTS);
    const [bench, eventId] = [this.#benches[index], this.eventIds[index]];
    assert.ok(bench !== undefined && eventId !== undefined);
    const { bookings, holds } = this.#databases.virtual.snapshotOf(eventId);
    const bookingsMade = bookings.map(({ record }) => {
      return { eventId, seq: 1, record, buyerId: null };
    });
    const holdIds = [...holds, ...bench.state.holds.ended()].map(({ holdId }) => holdId);
    this.#spoiltSeq += 1;
    const known = {
      random: this.random,
      seq: this.#spoiltSeq,
      eventId,
      holdIds,
      bookings: bookingsMade,
    };
    const changed = mutated(batch.effects, known);
    if (changed === null) return batch;
    spoilt.add(changed.name);
    return { ...batch, effects: changed.effects };
  }

  /** Looks at everything there is to look at. */
  async compare(): Promise<void> {
    for (const eventId of this.eventIds) {
      await this.#databases.ask("load", async ({ loader }) => ordered(await loader.load(eventId)));
      for (let tries = 0; tries < 3; tries += 1) {
        const seq = this.random.below(this.#steps + 2);
        await this.#databases.ask("loadOutcome", ({ loader }) => loader.loadOutcome(eventId, seq));
      }
    }
    await this.#databases.ask("events", async ({ loader }) => (await loader.eventsToWake()).sort());
    await this.#databases.ask("logical time", ({ shards }) => shards.readLogicalMs());
    await this.#databases.compareRows();
  }

  /** Appends what may or may not be in its place, and looks at what there is. */
  async log(): Promise<void> {
    const { random } = this;
    const ask = this.#databases.ask.bind(this.#databases);
    const rows = [...Array(SHARDS + 2).keys()].flatMap((shard) =>
      random.below(2) === 0 ? [] : [this.#logRow(shard)],
    );
    if (rows.length > 0) {
      const advanced = await ask("append", async ({ log }) => (await log.append(rows)).toSorted());
      count(Array.isArray(advanced) ? `${advanced.length} advanced` : labelOf(advanced));
    }
    const byShard = (a: LogEnd, b: LogEnd): number => a.shard - b.shard;
    await ask("ends", async ({ log }) => (await log.ends()).toSorted(byShard));
    const after = this.#watermarks();
    await ask("tail", ({ log }) => tailOf(log, after));
    const gone = this.#watermarks();
    if (random.below(3) === 0) await ask("retire", ({ log }) => retireAll(log, gone));
    await ask("all", ({ log }) =>
      tailOf(
        log,
        after.map(([shard]) => [shard, 0]),
      ),
    );
  }

  #logRow(shard: number): LogRow {
    const { random } = this;
    const end = this.#databases.virtual.logEnds().find((known) => known.shard === shard);
    const by = random.below(4) === 0 ? random.pick([-1, 1]) : 0;
    const firstLsn = (end?.lastLsn ?? 0) + 1 + by;
    const lastLsn = firstLsn + random.below(4) - (random.below(20) === 0 ? 1 : 0);
    const epoch = (end?.epoch ?? 1) + (random.below(4) === 0 ? random.pick([-1, 1]) : 0);
    const entries = Uint8Array.from({ length: random.below(9) }, () => random.below(256));
    return { shard, epoch, firstLsn, lastLsn, entries };
  }

  /** Somewhere before the end of each shard's log, or behind it. */
  #watermarks(): [shard: number, lsn: number][] {
    return this.#databases.virtual
      .logEnds()
      .map(({ shard, lastLsn }) => [shard, Math.max(0, lastLsn + 2 - this.random.below(20))]);
  }

  async acquire(): Promise<void> {
    const shardCount = 1 + this.random.below(SHARDS + 1);
    await this.#databases.ask("acquire", ({ shards }) => shards.acquire(shardCount));
  }

  async purge(): Promise<void> {
    const times = this.#benches.map((bench) => bench.nowMs);
    const ttlMs = this.random.pick([ENDED_HOLD_TTL_MS, KEY_TTL_MS]);
    const nowMs = Math.min(...times) + ttlMs + PURGE_MARGIN_MS - this.random.below(60_000);
    await this.#databases.ask("purge", ({ projections }) => projections.purge(nowMs));
  }
}

/** The refusal's code, and the constraint or statement that it names. */
function labelOf(outcome: unknown): string {
  assert.ok(typeof outcome === "object" && outcome !== null);
  const { code, message } = outcome as { code: string; message: string };
  const [, constraint, statement] = /\((\w+)\)$|^(\S+) changed/.exec(message) ?? [];
  return `${code} ${constraint ?? statement ?? ""}`.trim();
}

function count(outcome: string): void {
  seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
}

const chosen = process.env.SEED;
/** From here on all has its turn; a seat that would be sold twice is met by one in seven or so. */
const SEED_FIRST = 10;
const seeds =
  chosen === undefined ? Array.from({ length: 8 }, (_, n) => SEED_FIRST + n) : [Number(chosen)];
for (const seed of seeds) {
  test(`both databases answer the same and hold the same rows (SEED=${seed})`, async () => {
    const databases = await Databases.create();
    try {
      await databases.ask("acquire", ({ shards }) => shards.acquire(SHARDS));
      const sale = new Sale(databases, seed);
      for (let batch = 1; batch <= BATCHES; batch += 1) {
        sale.goOn();
        await sale.project();
        await sale.log();
        if (batch % 10 === 0) await sale.compare();
        if (sale.random.below(15) === 0) await sale.purge();
        if (sale.random.below(15) === 0) await sale.acquire();
      }
    } finally {
      await databases.close();
    }
  });
}

test("every guard and every constraint had its turn", () => {
  if (chosen !== undefined) return;

  assert.equal(spoilt.size, MUTATION_COUNT, [...spoilt].join("; "));
  const guards = ["applied", "already", "fence_lost", "watermark_gap", "operation_log_refused"];
  const constraints = ["tickets_code", "tickets_one_per_seat", "bookings_pkey"];
  const statements = [
    "advance-inventories",
    "count-areas",
    "change-holds",
    "change-bookings",
    "delete-booked-holds",
  ];
  const others = ["holds_pkey", "inventory_areas_check", "blocked_places_one_per_seat"];
  const waitlist = ["waitlist_one_per_user", "end-entries"];
  const violations = [...constraints, ...others, ...waitlist, ...statements];
  const advances = ["0 advanced", "1 advanced", "2 advanced"];
  for (const outcome of [
    ...guards,
    ...advances,
    ...violations.map((name) => `invariant_violated ${name}`),
  ]) {
    assert.ok(seen.has(outcome), `${outcome} is not among ${[...seen.keys()].join(", ")}`);
  }
});
