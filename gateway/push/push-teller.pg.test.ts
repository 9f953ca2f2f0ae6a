/** What becomes of a push whose push service does not do well. */
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";
import { type BookingId, type EventId, type UserId, uuidV7 } from "../../engine/ids.ts";
import {
  PUSH_CROWDED_PAUSE_MS,
  PUSH_DELIVERIES_KEPT_MS,
  PUSH_JOBS_MAX,
  PUSH_NEWS_MS_MAX,
  PUSH_REFUSALS_MAX,
  PUSH_RETRY_AFTER_MS_MAX,
  PUSH_RETRY_PAUSES_MS,
} from "../../engine/push-limits.ts";
import { createTestDatabase, type TestDatabase } from "../../tests/support/database.ts";
import { type OwnerRows, openOwnerRows } from "../../tests/support/owner-rows.ts";
import { systemClock } from "../../workers/clock.ts";
import type { Posted } from "../webhooks/guarded-post.ts";
import type { PushJob } from "./push-job.ts";
import { PushLedger } from "./push-ledger.ts";
import { PushTeller } from "./push-teller.ts";

let database: TestDatabase;
let rows: OwnerRows;
before(async () => {
  database = await createTestDatabase();
  rows = openOwnerRows(database.url);
});
after(async () => {
  await rows.end();
  await database.drop();
});

const NOTICE = { json: "{}", topic: "t", urgency: "normal", untilMs: 9e15 } as const;
const fresh = (): string => uuidV7(Date.now(), randomBytes(10));
const posted = (told: Partial<Posted>): Posted => ({
  status: null,
  error: null,
  answer: null,
  retryAfter: undefined,
  durationMs: 1,
  ...told,
});
const running = new AbortController().signal;

let nowMs: number;
let userId: UserId;
/** Endpoints that were asked, and what the next one answers. */
let asked: string[];
let answer: (endpoint: string) => Posted | Promise<Posted>;
let teller: PushTeller;
beforeEach(async () => {
  nowMs = 1_000_000;
  asked = [];
  answer = () => posted({ status: 201 });
  teller = new PushTeller({
    ledger: new PushLedger(rows),
    sender: {
      async send({ endpoint }) {
        asked.push(endpoint);
        return answer(endpoint);
      },
    },
    notice: async () => NOTICE,
    clock: { ...systemClock, wallMs: () => nowMs },
    log: { warn: () => undefined },
  });
  userId = await person();
});

async function person(): Promise<UserId> {
  const id = fresh() as UserId;
  await rows.query("INSERT INTO users (id, email, password_hash, role) VALUES ($1, $2, '', $3)", [
    id,
    `${id}@example.org`,
    "customer",
  ]);
  return id;
}

async function browser(endpoint: string, expiresMs: number | null = null): Promise<string> {
  const id = fresh();
  await rows.query(
    `INSERT INTO push_subscriptions (id, user_id, endpoint, endpoint_digest, p256dh, auth,
       expires_ms, subscribed_ms, created_ms) VALUES ($1, $2, $3, $4, '', '', $5, 1, 1)`,
    [id, userId, endpoint, randomBytes(32), expiresMs],
  );
  return id;
}

const job = (cause: string = randomUUID(), atMs = nowMs): PushJob => ({
  news: "booked",
  userId,
  eventId: fresh() as EventId,
  bookingId: fresh() as BookingId,
  cause,
  atMs,
});
const tell = (data = job(), stopping = running) =>
  teller.tell("transactional", { id: "", data, begunBefore: 0 }, stopping);
async function subscriptions(): Promise<number> {
  const { rows: found } = await rows.query("SELECT FROM push_subscriptions WHERE user_id = $1", [
    userId,
  ]);
  return found.length;
}

test("a job that is begun again tells only the browsers that were not told", async () => {
  await browser("a");
  await browser("b");
  answer = (endpoint) => posted({ status: endpoint === "a" ? 201 : 503 });
  const data = job();
  const end = await tell(data);
  assert.deepEqual(end, {
    end: "again",
    reason: "a push service: it answered 503",
    afterMs: PUSH_RETRY_PAUSES_MS[0],
  });
  assert.deepEqual(asked.sort(), ["a", "b"]);
  asked = [];
  answer = () => posted({ status: 201 });
  assert.deepEqual(await tell(data), { end: "done" });
  assert.deepEqual(await tell(data), { end: "done" });
  assert.deepEqual(asked, ["b"]);
  assert.equal(teller.counts.push_sent, 2);
  assert.deepEqual(await tell(), { end: "done" });
  assert.equal(teller.counts.push_sent, 4, "other news is told");
});

test("what may pass is tried with pauses, within bounds, and then given up", async () => {
  await browser("a");
  const data = job();
  const failures: readonly Partial<Posted>[] = [
    { error: "timeout" },
    { status: 429, retryAfter: "120" },
    { status: 500, retryAfter: "999999" },
    { error: "connection_refused" },
  ];
  const pauses: unknown[] = [];
  for (const failure of failures) {
    answer = () => posted(failure);
    const end = await tell(data);
    pauses.push(end.end === "again" ? end.afterMs : end);
  }
  const [first, , , last] = PUSH_RETRY_PAUSES_MS;
  assert.deepEqual(pauses, [first, 120_000, PUSH_RETRY_AFTER_MS_MAX, last]);
  assert.deepEqual(await tell(data), { end: "done" });
  assert.deepEqual(await tell(data), { end: "done" });
  assert.equal(asked.length, PUSH_RETRY_PAUSES_MS.length + 1);
  assert.deepEqual([teller.counts.push_failed, await subscriptions()], [1, 1]);
});

test("a push service that wants nothing is asked no more", async () => {
  await browser("a");
  const refusals = [{ status: 400 }, { status: 302 }, { error: "address_refused" }];
  const refuse = async (n: number): Promise<void> => {
    answer = () => posted(refusals[n % refusals.length] ?? {});
    assert.deepEqual(await tell(), { end: "done" });
  };
  for (let n = 0; n < PUSH_REFUSALS_MAX - 1; n += 1) await refuse(n);
  // One that arrives makes up for them.
  answer = () => posted({ status: 201 });
  await tell();
  for (let n = 0; n < PUSH_REFUSALS_MAX; n += 1) {
    assert.equal(await subscriptions(), 1);
    await refuse(n);
  }
  assert.equal(await subscriptions(), 0);
  const { push_failed, push_removed } = teller.counts;
  assert.deepEqual([push_failed, push_removed], [2 * PUSH_REFUSALS_MAX - 1, 1]);
});

test("what has ended is removed: by its push service's word, or its own", async () => {
  for (const status of [404, 410]) {
    await browser("a");
    answer = () => posted({ status });
    await tell();
    assert.equal(await subscriptions(), 0);
  }
  asked = [];
  await browser("b", nowMs);
  await tell();
  assert.deepEqual([asked, await subscriptions(), teller.counts.push_removed], [[], 0, 3]);
});

test("old news is told to nobody, and a node that stops comes back to it", async () => {
  await browser("a");
  await tell(job("old", nowMs - PUSH_NEWS_MS_MAX - 1));
  assert.deepEqual(asked, []);
  answer = () => posted({ error: "stopped" });
  const data = job();
  assert.deepEqual(await tell(data), { end: "later", afterMs: 0 });
  answer = () => posted({ status: 201 });
  assert.deepEqual(await tell(data), { end: "done" });
});

test("slow push services have a part of a lane, and one person's a part of that", async () => {
  await browser("a");
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  answer = async () => {
    await held;
    return posted({ status: 201 });
  };
  const people = [userId];
  while (people.length < PUSH_JOBS_MAX) {
    userId = await person();
    await browser("a");
    people.push(userId);
  }
  const [first = userId, ...others] = people;
  const later = { end: "later", afterMs: PUSH_CROWDED_PAUSE_MS };
  const slow = [tell({ ...job(), userId: first })];
  assert.deepEqual(await tell({ ...job(), userId: first }), later);
  slow.push(...others.map((id) => tell({ ...job(), userId: id })));
  assert.deepEqual(await tell({ ...job(), userId: await person() }), later);
  release();
  for (const end of await Promise.all(slow)) assert.deepEqual(end, { end: "done" });
  assert.deepEqual(await tell({ ...job(), userId: first }), { end: "done" });
});

test("what was told is forgotten after some days, and what has expired is removed", async () => {
  const id = await browser("a");
  await browser("b", nowMs + 5);
  await tell();
  const ledger = new PushLedger(rows);
  nowMs += 6;
  assert.equal(await ledger.sweep(nowMs), 1);
  const kept = async (): Promise<number> => {
    const text = "SELECT FROM push_deliveries WHERE subscription_id = $1";
    return (await rows.query(text, [id])).rows.length;
  };
  assert.equal(await kept(), 1);
  await ledger.sweep(nowMs + PUSH_DELIVERIES_KEPT_MS);
  assert.equal(await kept(), 0);
});
