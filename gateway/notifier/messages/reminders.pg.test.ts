import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";
import webPush from "web-push";
import { type BookingId, type EventId, eventTagOf, uuidV7 } from "../../../engine/ids.ts";
import { FAN_OUT_PAGE, FAN_OUT_WAITING_MAX } from "../../../engine/notifier-limits.ts";
import { createTestDatabase, type TestDatabase } from "../../../tests/support/database.ts";
import { MessageBench } from "../../../tests/support/message-bench.ts";
import { readConfig } from "../../config.ts";
import { eventChangePushes } from "../../push/push-job.ts";
import { pushPart } from "../../push/push-part.ts";
import type { NewJob } from "../job.ts";
import type { NotifierPart } from "../notifier-part.ts";
import { eventChangePage, JOB_KINDS } from "./message-jobs.ts";

let database: TestDatabase;
const bench = new MessageBench(() => database.url);
const ORGANIZATION = fresh();
const PRICES = '[{"key":"standing","name":"Standing","price":1}]';
before(async () => {
  database = await createTestDatabase();
  await bench.rows.query(
    `INSERT INTO organizations (id, name, allow_invoices, currency, country)
     VALUES ($1, 'Test Stage', true, 'EUR', 'DE')`,
    [ORGANIZATION],
  );
});
after(async () => {
  await bench.close();
  await database.drop();
});
beforeEach(async () => {
  bench.queue.jobs.length = 0;
  bench.queue.load = 0;
  bench.isStored = () => true;
  for (const table of ["events", "bookings", "users"]) {
    await bench.rows.query(`DELETE FROM ${table}`);
  }
});

function fresh(): string {
  return uuidV7(Date.now(), randomBytes(10));
}

async function event(startsAt: string, timezone: string): Promise<EventId> {
  const id = fresh() as EventId;
  await bench.rows.query(
    `INSERT INTO events (id, tag, organization_id, status, title, description, tags, starts_at,
       timezone, currency, hold_ttl_ms, per_order_max, per_user_max, price_categories, areas, seats)
     VALUES ($1, $2, $3, 'published', 'Show', '', '{}', $4, $5, 'EUR', 1, 1, 1, $6, '[]', '[]')`,
    [id, eventTagOf(id), ORGANIZATION, startsAt, timezone, PRICES],
  );
  await bench.rows.query(
    `INSERT INTO inventories (event_id, seq, status, currency, definition, seat_categories)
     VALUES ($1, 1, 'published', 'EUR', '{}', '')`,
    [id],
  );
  return id;
}

/** Which reminders a look at this time begins. */
async function begunAt(now: string): Promise<string[]> {
  bench.nowMs = Date.parse(now);
  await bench.part.tick?.run();
  const begun = bench.queue.jobs.splice(0).map(({ data }) => ("ahead" in data ? data.ahead : ""));
  return begun.map(String).sort();
}

async function book(eventId: EventId, count: number, bookedMs = 0, seq = 1): Promise<void> {
  const ids = Array.from({ length: count }, fresh);
  await bench.rows.query(
    `INSERT INTO bookings
       (event_id, id, hold_id, user_id, code, status, total_minor, booked_ms, seq)
     SELECT $1, id, id, id, left(id::text, 8), 'confirmed', 0, $3, $4
     FROM unnest($2::uuid[]) AS id`,
    [eventId, ids, bookedMs, seq],
  );
  await bench.rows.query(
    "UPDATE inventories SET seq = greatest(seq, $2::bigint) WHERE event_id = $1",
    [eventId, seq],
  );
}

test("days before are days on the clock where the event is, hours are hours", async () => {
  // Clocks are put forward on 28 March 2027, at 01:00 UTC: 18:00 in Berlin is 17:00Z before and
  // 16:00Z after.
  await event("2027-03-28T16:00:00Z", "Europe/Berlin");
  assert.deepEqual(await begunAt("2027-03-21T16:59:59Z"), []);
  assert.deepEqual(await begunAt("2027-03-21T17:00:00Z"), ["7d"]);
  assert.deepEqual(await begunAt("2027-03-27T16:59:59Z"), []);
  assert.deepEqual(await begunAt("2027-03-27T17:00:00Z"), ["24h"]);
  assert.deepEqual(await begunAt("2027-03-28T13:59:59Z"), []);
  assert.deepEqual(await begunAt("2027-03-28T14:00:00Z"), ["2h"]);
  assert.deepEqual(await begunAt("2027-03-28T14:00:30Z"), [], "each once");
});

test("clocks that go back, and a time that a clock skips", async () => {
  // New York: back on 7 November 2027; 20:00 is 00:00Z before and 01:00Z after.
  await event("2027-11-08T01:00:00Z", "America/New_York");
  assert.deepEqual(await begunAt("2027-10-31T23:59:59Z"), []);
  assert.deepEqual(await begunAt("2027-11-01T00:00:00Z"), ["7d"]);
  await bench.rows.query("DELETE FROM events");
  // 02:30 on 4 April in Berlin; a week before there was no 02:30: it is 03:30 then.
  await event("2027-04-04T00:30:00Z", "Europe/Berlin");
  assert.deepEqual(await begunAt("2027-03-28T01:29:00Z"), []);
  assert.deepEqual(await begunAt("2027-03-28T01:30:00Z"), ["7d"]);
  await bench.rows.query("DELETE FROM events");
  await event("2027-04-04T00:30:00Z", "Mars/Olympus");
  assert.deepEqual(await begunAt("2027-03-28T00:30:00Z"), ["7d"], "an unknown zone stops nobody");
});

test("an event that is moved is reminded of anew, one that is late only within reason", async () => {
  const id = await event("2027-06-10T18:00:00Z", "UTC");
  assert.deepEqual(await begunAt("2027-06-03T18:00:00Z"), ["7d"]);
  await bench.rows.query("UPDATE events SET starts_at = '2027-06-12T18:00:00Z' WHERE id = $1", [
    id,
  ]);
  assert.deepEqual(await begunAt("2027-06-04T18:00:00Z"), []);
  assert.deepEqual(await begunAt("2027-06-05T18:00:00Z"), ["7d"]);
  // Nobody looked for six hours and more.
  assert.deepEqual(await begunAt("2027-06-12T00:00:00Z"), []);
  assert.deepEqual(await begunAt("2027-06-12T16:44:00Z"), ["2h"]);
  await bench.rows.query("UPDATE events SET starts_at = '2027-06-12T17:00:00Z' WHERE id = $1", [
    id,
  ]);
  assert.deepEqual(await begunAt("2027-06-12T17:00:00Z"), [], "it has begun");
});

test("cancelled events and drafts are not reminded of", async () => {
  const id = await event("2027-06-10T18:00:00Z", "UTC");
  for (const status of ["draft", "cancelled"]) {
    await bench.rows.query("UPDATE events SET status = $2 WHERE id = $1", [id, status]);
    assert.deepEqual(await begunAt("2027-06-03T18:00:00Z"), []);
  }
});

test("everybody who had booked by then is reminded, page by page, wherever it is cut off", async () => {
  const id = await event("2027-06-10T18:00:00Z", "UTC");
  const dueMs = Date.parse("2027-06-03T18:00:00Z");
  const count = 2 * FAN_OUT_PAGE + 7;
  await book(id, count, dueMs - 1);
  await book(id, 3, dueMs);
  bench.nowMs = dueMs;
  await bench.part.tick?.run();
  const reminded: NewJob[] = [];
  let pages = 0;
  for (let next = bench.queue.jobs.shift(); next !== undefined; next = bench.queue.jobs.shift()) {
    if (next.kind !== JOB_KINDS.reminderPage) {
      reminded.push(next);
      continue;
    }
    pages += 1;
    bench.queue.load = FAN_OUT_WAITING_MAX;
    assert.equal((await bench.run(next)).end, "later", "it waits for the lane");
    bench.queue.load = 0;
    assert.equal((await bench.run(next)).end, "done");
    // The process ended before that was noted: the page is done again.
    assert.equal((await bench.run(next)).end, "done");
  }
  assert.equal(pages, 3);
  assert.equal(reminded.length, count);
  assert.equal(new Set(reminded.map(({ key }) => key)).size, count);
});

test("a changed time or place is told to all who have booked; another title to nobody", async () => {
  const id = await event("2027-06-10T18:00:00Z", "UTC");
  await book(id, 3);
  const atMs = Date.parse("2027-06-01T00:00:00Z");
  bench.nowMs = atMs;
  const edited = async (detail: object): Promise<string[]> => {
    const entry = { kind: "eventEdited", eventId: id, atMs, detail } as const;
    const jobs = (await bench.part.follow?.([entry], bench.rows)) ?? [];
    for (const job of jobs) await bench.run(job);
    for (const page of bench.queue.jobs.splice(0)) await bench.run(page);
    return bench.queue.jobs.splice(0).map(({ kind }) => kind);
  };
  assert.deepEqual(await edited({ title: { from: "A", to: "B" } }), []);
  assert.deepEqual(await edited({ venue: true }), Array(3).fill(JOB_KINDS.eventChange));
  const startsMs = Date.parse("2027-06-10T18:00:00Z");
  const moved = { startsMs: { from: startsMs - 3_600_000, to: startsMs } };
  assert.equal((await edited(moved)).length, 3);
  // Moved again since: that is told on its own.
  assert.deepEqual(await edited({ startsMs: { from: startsMs, to: startsMs + 1 } }), []);
});

/** What a part does of these jobs, until only those about one booking or one person are left. */
async function toldBy(part: NotifierPart, jobs: readonly NewJob[]): Promise<NewJob[]> {
  const told: NewJob[] = [];
  await bench.queue.add(jobs);
  for (let next = bench.queue.jobs.shift(); next !== undefined; next = bench.queue.jobs.shift()) {
    if (!/change-(begin|page)$/.test(next.kind)) told.push(next);
    else assert.deepEqual(await bench.run(next, part), { end: "done" });
  }
  return told;
}

/** Accounts of these bookings' owners, each with a browser. */
async function subscribeAll(): Promise<void> {
  await bench.rows.query(`
    INSERT INTO users (id, email, password_hash, role)
    SELECT user_id, user_id::text, '', 'customer' FROM bookings ON CONFLICT DO NOTHING`);
  await bench.rows.query(`
    INSERT INTO push_subscriptions
      (id, user_id, endpoint, endpoint_digest, p256dh, auth, subscribed_ms, created_ms)
    SELECT user_id, user_id, '', decode(replace(user_id::text, '-', ''), 'hex'), '', '', 0, 0
    FROM bookings ON CONFLICT DO NOTHING`);
}

/** Those who show things in browsers, beside those who mail. */
function bothParts(): readonly NotifierPart[] {
  const { publicKey, privateKey } = webPush.generateVAPIDKeys();
  const keys = { PUSH_VAPID_PUBLIC_KEY: publicKey, PUSH_VAPID_PRIVATE_KEY: privateKey };
  return [bench.part, pushPart({ ...bench.ground, config: readConfig(keys) })];
}

test("who booked before a change is told of it, late in the database, by whatever clock", async (t) => {
  const id = await event("2027-06-10T18:00:00Z", "UTC");
  const atMs = Date.parse("2027-06-01T00:00:00Z");
  bench.nowMs = atMs;
  // The sale's clock is ahead of the database's.
  const bookedMs = atMs + 600_000;
  const [before, after] = [FAN_OUT_PAGE + 1, 2];
  const entry = { kind: "eventEdited", eventId: id, atMs, detail: { venue: true } } as const;
  const parts = bothParts();
  t.after(() => parts[1]?.stop?.());
  for (const part of parts) {
    bench.isStored = () => false;
    const jobs = (await part.follow?.([entry], bench.rows)) ?? [];
    for (const job of jobs) assert.equal((await bench.run(job, part)).end, "later");
    assert.deepEqual(bench.queue.jobs, []);
    if (part === bench.part) await book(id, before, bookedMs, 2);
    bench.isStored = () => true;
    const begun = jobs.map((job) => bench.run(job, part));
    assert.deepEqual(await Promise.all(begun), [{ end: "done" }]);
    // They have seen where it takes place now.
    await book(id, after, bookedMs, 3);
    await subscribeAll();
    const told = await toldBy(part, bench.queue.jobs.splice(0));
    assert.equal(new Set(told.map(({ key }) => key)).size, before);
    await bench.rows.query("DELETE FROM bookings WHERE seq = 3");
    await bench.rows.query("UPDATE inventories SET seq = 2");
  }
});

test("a page of an earlier version begins anew: it may have passed somebody over", async (t) => {
  const id = await event("2027-06-10T18:00:00Z", "UTC");
  await book(id, 3);
  await subscribeAll();
  bench.nowMs = Date.parse("2027-06-01T00:00:00Z");
  const { rows } = await bench.rows.query<{ id: BookingId }>(
    "SELECT max(id::text) AS id FROM bookings",
  );
  const change = { eventId: id, atMs: bench.nowMs, startsMs: null, isElsewhere: true };
  const page = { ...change, after: rows[0]?.id ?? null };
  const [mail, push] = bothParts();
  t.after(() => push?.stop?.());
  assert.ok(mail !== undefined && push !== undefined);
  assert.equal((await toldBy(mail, [eventChangePage(page)])).length, 3);
  assert.equal((await toldBy(push, [eventChangePushes(page)])).length, 3);
});
