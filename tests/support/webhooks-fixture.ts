/** Webhooks on a real database: facts of the engine, projected, heard of, and told. */
import { mock } from "node:test";
import { Pool } from "pg";
import { pino } from "pino";
import { Webhook } from "standardwebhooks";
import type { Fact } from "../../engine/facts.ts";
import { type EventId, eventTagOf } from "../../engine/ids.ts";
import { EventBench, NOON } from "../../engine/testing/fixtures.ts";
import { readConfig } from "../../gateway/config.ts";
import type { Job, JobQueue, NewJob } from "../../gateway/notifier/job.ts";
import type { NotifierPart } from "../../gateway/notifier/notifier-part.ts";
import type { OutboxEntry } from "../../gateway/notifier/outbox-entry.ts";
import type { Scoped } from "../../gateway/tenancy/database.ts";
import { AddressGuard } from "../../gateway/webhooks/address-guard.ts";
import { GuardedPost } from "../../gateway/webhooks/guarded-post.ts";
import { freshSecret } from "../../gateway/webhooks/webhook-secret.ts";
import { type WebhooksPartOptions, webhooksPart } from "../../gateway/webhooks/webhooks-part.ts";
import { type Clock, systemClock } from "../../workers/clock.ts";
import { netEffectsOf } from "../../workers/projector/net-effects.ts";
import { PgProjectionStore } from "../../workers/projector/pg-projection-store.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";
import { ownerRows } from "./owner-rows.ts";
import { freshId } from "./payments-fixture.ts";

/** Of each event of the tests: engine/testing/fixtures.ts. */
const SEATS = Array.from({ length: 10 }, (_, n) => ({ id: `S-${n}` }));

export interface TestHook {
  readonly id: string;
  readonly secret: string;
}

/** Jobs of one key are one, as the real queue keeps them; those that end `later` come back. */
export class FakeQueue implements JobQueue {
  readonly jobs: NewJob[] = [];
  async add(jobs: readonly NewJob[]): Promise<void> {
    for (const job of jobs) {
      if (this.jobs.every(({ key }) => key !== job.key)) this.jobs.push(job);
    }
  }
  waiting(): number {
    return this.jobs.length;
  }
}

/** An event whose facts reach the database when `project` is called. */
export class ToldEvent {
  readonly eventId: EventId;
  readonly bench: EventBench;
  readonly #fixture: WebhooksFixture;
  readonly #shard: number;
  #projected = 0;

  constructor(fixture: WebhooksFixture, eventId: EventId, shard: number) {
    this.#fixture = fixture;
    this.eventId = eventId;
    this.#shard = shard;
    this.bench = new EventBench({ eventId, perUserMax: 100, holdTtlMs: 20_000 });
  }

  /** The facts that the database did not have yet, as the outbox tells of them. */
  async project(): Promise<OutboxEntry[]> {
    const { eventId, bench } = this;
    const facts = bench.facts.slice(this.#projected);
    const [first, last] = [facts.at(0), facts.at(-1)];
    if (first === undefined || last === undefined) return [];
    this.#projected = bench.facts.length;
    const bounds = { firstLsn: first.seq, lastLsn: last.seq, logicalMs: last.atMs };
    await this.#fixture.projection.apply({
      advances: [{ shard: this.#shard, epoch: 1, ...bounds }],
      effects: netEffectsOf(facts.map((fact) => ({ eventId, fact }))),
    });
    return facts.flatMap((fact) => entriesOf(eventId, fact));
  }

  /** Somebody books these places; the seq of that. */
  book(places: readonly number[]): number {
    const { bench } = this;
    const [held] = bench.hold(places).facts;
    if (held?.kind !== "held") throw new Error("the places are not free");
    const [booked] = bench.run(bench.bookCommand(held.holdId)).facts;
    if (booked?.kind !== "booked") throw new Error("the hold was not booked");
    return booked.seq;
  }
}

function entriesOf(eventId: EventId, fact: Fact): OutboxEntry[] {
  const { seq, atMs } = fact;
  const base = { eventId, seq, atMs, subjectId: null };
  switch (fact.kind) {
    case "booked":
    case "configured":
    case "placesChanged":
      return [{ ...base, kind: fact.kind, change: null }];
    case "bookingChanged":
      return [{ ...base, kind: fact.kind, change: fact.change }];
    default:
      return [];
  }
}

export class WebhooksFixture {
  readonly queue = new FakeQueue();
  /** Unix ms. */
  nowMs = NOON;
  readonly pool: Pool;
  readonly projection: PgProjectionStore;
  readonly #database: TestDatabase;
  readonly #posts: GuardedPost[] = [];
  #shards = 0;

  private constructor(database: TestDatabase) {
    this.#database = database;
    this.pool = new Pool({ connectionString: database.url, max: 12 });
    this.projection = new PgProjectionStore(database.url);
  }

  static async start(): Promise<WebhooksFixture> {
    return new WebhooksFixture(await createTestDatabase());
  }

  async close(): Promise<void> {
    for (const post of this.#posts) post.close();
    await Promise.all([this.pool.end(), this.projection.close()]);
    await this.#database.drop();
  }

  readonly clock: Clock = { ...systemClock, wallMs: () => this.nowMs };

  get rows(): Scoped {
    return ownerRows(this.pool);
  }

  /**
   * A notifier's part of its own, as another process would have it. `tryMs`: how long it waits for
   * an answer; default: as ever.
   */
  part(
    options: WebhooksPartOptions & { readonly rows?: Scoped; readonly tryMs?: number } = {},
  ): NotifierPart {
    const environment = { WEBHOOK_ALLOW_HTTP: "on", WEBHOOK_ALLOW_ADDRESSES: "127.0.0.1" };
    const config = readConfig(environment);
    const guard = new AddressGuard({ allowHttp: true, allowAddresses: ["127.0.0.1"] });
    const { rows = this.rows, tryMs, ...rest } = options;
    const post = new GuardedPost(guard, tryMs === undefined ? {} : { tryMs });
    this.#posts.push(post);
    const ground = {
      config,
      jwtSecret: "",
      apiUrl: "",
      rows,
      queue: this.queue,
      whenTold: () => Promise.resolve(true),
      courtesy: { patientTurn: () => Promise.resolve(), charge: () => undefined, isQuiet: false },
      clock: this.clock,
      log: pino({ level: "silent" }),
    };
    return webhooksPart(ground, { post, random: () => 0, ...rest });
  }

  async organization(): Promise<string> {
    const id = freshId();
    await this.pool.query(
      `INSERT INTO organizations (id, name, allow_invoices, currency, country)
       VALUES ($1, 'Stage', true, 'EUR', 'DE')`,
      [id],
    );
    return id;
  }

  async event(organizationId: string): Promise<ToldEvent> {
    const eventId = freshId() as EventId;
    this.#shards += 1;
    await this.pool.query("INSERT INTO shards (shard, epoch) VALUES ($1, 1)", [this.#shards]);
    await this.pool.query(
      `INSERT INTO events (id, tag, organization_id, status, title, description, tags, starts_at,
         timezone, currency, hold_ttl_ms, per_order_max, per_user_max, price_categories, areas,
         seats)
       VALUES ($1, $2, $3, 'published', 'An evening', '', '{}', '2040-05-04T17:30:00Z', 'UTC',
         'EUR', 1000, 1, 1, '[{"price": 1}]', '[{"key": "floor"}]', $4)`,
      [eventId, eventTagOf(eventId), organizationId, JSON.stringify(SEATS)],
    );
    return new ToldEvent(this, eventId, this.#shards);
  }

  async hook(
    organizationId: string,
    url: string,
    { types = null, createdMs = 0 }: { types?: readonly string[] | null; createdMs?: number } = {},
  ): Promise<TestHook> {
    const [id, secret] = [freshId(), freshSecret()];
    await this.pool.query(
      `INSERT INTO webhooks (id, organization_id, url, description, types, enabled, secret,
         created_ms) VALUES ($1, $2, $3, '', $4, true, $5, $6)`,
      [id, organizationId, url, types, secret, createdMs],
    );
    return { id, secret };
  }

  /** The outbox tells; its transaction has the jobs, too. */
  async hear(part: NotifierPart, entries: readonly OutboxEntry[]): Promise<void> {
    const jobs = await this.rows.transaction(async (within) => part.follow?.(entries, within));
    await this.queue.add(jobs ?? []);
  }

  /** Does the jobs that wait, and those that they leave. What a handler throws is tried again. */
  async work(part: NotifierPart): Promise<void> {
    const [handler] = part.handlers;
    for (let job = this.queue.jobs[0]; job !== undefined; job = this.queue.jobs[0]) {
      const begun: Job<object> = { id: freshId(), data: job.data, begunBefore: 0 };
      const end = await handler?.handle(begun, new AbortController().signal).catch(() => null);
      this.queue.jobs.shift();
      if (end?.end === "later" && end.afterMs > 0) throw new Error("nobody else is at it");
      if (end?.end === "later") await this.queue.add([job]);
    }
  }

  /** Looks for what is due, and does it. */
  async tick(part: NotifierPart): Promise<void> {
    await part.tick?.run();
    await this.work(part);
  }

  async feeds(webhookId: string): Promise<Record<string, unknown>[]> {
    const { rows } = await this.pool.query(
      "SELECT * FROM webhook_feeds WHERE webhook_id = $1 ORDER BY event_id",
      [webhookId],
    );
    return rows;
  }
}

export interface Received {
  readonly id: string;
  readonly signature: string;
  readonly body: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>> & {
    readonly eventId: string;
    readonly seq: number;
    readonly previousSeq: number | null;
  };
}

/** What a receiver makes of a request; a verifier that is not ours says whether it is genuine. */
export function verified(
  secret: string,
  headers: Readonly<Record<string, unknown>>,
  body: string,
): Received {
  const text = (name: string): string => String(headers[name] ?? "");
  // The verifier knows no other clock.
  mock.timers.enable({ apis: ["Date"], now: Number(text("webhook-timestamp")) * 1_000 });
  try {
    const given = {
      "webhook-id": text("webhook-id"),
      "webhook-timestamp": text("webhook-timestamp"),
      "webhook-signature": text("webhook-signature"),
    };
    const { type, data } = new Webhook(secret).verify(body, given) as Received;
    const signature = given["webhook-signature"];
    return { id: given["webhook-id"], signature, body, type, data };
  } finally {
    mock.timers.reset();
  }
}
