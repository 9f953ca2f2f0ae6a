/**
 * What a receiver is told, whatever happens on the way. On failure a random test's name shows its
 * seed: set SEED to it to run that one again.
 */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, type TestContext, test } from "node:test";
import { ticketIdOf } from "../../engine/booking.ts";
import type { Fact } from "../../engine/facts.ts";
import {
  WEBHOOK_LEASE_MS,
  WEBHOOK_LOG_TTL_MS,
  WEBHOOK_OLD_SECRET_MS,
  WEBHOOK_REQUESTS_PER_HOST_MAX,
  WEBHOOK_RETRY_PAUSES_MS,
} from "../../engine/notifier-limits.ts";
import { ALICE, NOON } from "../../engine/testing/fixtures.ts";
import { Random } from "../../engine/testing/random.ts";
import { randomDomainStep } from "../../engine/testing/random-domain-step.ts";
import { faultyRows } from "../../tests/support/faulty-parts.ts";
import {
  type Plan,
  rudely,
  saying,
  silently,
  slowly,
  WebhookReceiver,
  well,
} from "../../tests/support/webhook-receiver.ts";
import {
  type TestHook,
  type ToldEvent,
  WebhooksFixture,
} from "../../tests/support/webhooks-fixture.ts";
import type { NotifierPart } from "../notifier/notifier-part.ts";
import type { OutboxEntry } from "../notifier/outbox-entry.ts";
import type { Scoped } from "../tenancy/database.ts";
import type { DisabledWebhook } from "./feed-store.ts";
import { freshSecret } from "./webhook-secret.ts";

let fixture: WebhooksFixture;
let receiver: WebhookReceiver;
let url: string;
before(async () => {
  fixture = await WebhooksFixture.start();
});
after(() => fixture.close());
beforeEach(async () => {
  fixture.nowMs = NOON;
  fixture.queue.jobs.length = 0;
  await fixture.pool.query("DELETE FROM webhooks");
  receiver = new WebhookReceiver();
  url = await receiver.listen();
});
afterEach(() => receiver.close());

const HOUR_MS = 3_600_000;

/** An organisation with a webhook, and an event of which nothing has been projected. */
async function scene(options: { types?: readonly string[]; createdMs?: number } = {}) {
  const organizationId = await fixture.organization();
  const hook = await fixture.hook(organizationId, url, options);
  receiver.expect(hook.secret);
  const event = await fixture.event(organizationId);
  return { organizationId, hook, event, part: fixture.part() };
}

/** Projects what has happened, and has it told. */
async function tell(part: NotifierPart, event: ToldEvent): Promise<void> {
  await fixture.hear(part, await event.project());
  await fixture.work(part);
}

/** What a fact is told as; null: not at all. Written down once more, for comparison. */
function toldAs(fact: Fact): string | null {
  if (fact.kind === "booked") return "booking.confirmed";
  if (fact.kind === "placesChanged") return "inventory.changed";
  if (fact.kind === "configured") {
    if (fact.definition.status === "cancelled") return "event.cancelled";
    return fact.seq === 1 ? "event.published" : "event.updated";
  }
  if (fact.kind !== "bookingChanged") return null;
  if (fact.change === "paid_late") return "booking.confirmed";
  if (fact.change === "ticket_moved") return "ticket.moved";
  const isTicket = fact.change === "checked_in" || fact.change === "check_in_undone";
  return `${isTicket ? "ticket" : "booking"}.${fact.change}`;
}

function expected({ bench }: ToldEvent, types: readonly string[] | null = null): string[] {
  return bench.facts.flatMap((fact) => {
    const type = toldAs(fact);
    return type === null || types?.includes(type) === false ? [] : [`${fact.seq} ${type}`];
  });
}

async function isPending(hook: TestHook): Promise<boolean> {
  return (await fixture.feeds(hook.id)).some((feed) => feed.pending_since_ms !== null);
}

/** Time passes, and what is due is done, until there is nothing more. */
async function settle(part: NotifierPart, hook: TestHook): Promise<void> {
  for (let ticks = 0; await isPending(hook); ticks += 1) {
    assert.deepEqual(receiver.faults, []);
    assert.ok(ticks < 200, "it comes to an end");
    fixture.nowMs += HOUR_MS;
    await fixture.tick(part);
  }
}

test("what happens to an event is told in order, in public names, without codes", async () => {
  const { event, hook, part } = await scene();
  const { bench } = event;
  const seq = event.book([0, -1]);
  const [known] = bench.state.bookings.all();
  const booking = known?.record;
  assert.ok(booking !== undefined);
  bench.run({
    kind: "cancel",
    tickets: null,
    bookingId: booking.bookingId,
    userId: ALICE,
    asOrganizer: true,
    reason: "rain",
    key: null,
  });
  await tell(part, event);
  assert.deepEqual(receiver.faults, []);
  assert.deepEqual(receiver.of(event.eventId), expected(event));
  const [first, booked, cancelled] = receiver.taken;
  assert.deepEqual([first?.data.seq, first?.data.previousSeq], [1, null]);
  assert.deepEqual(first?.data.event, {
    title: "An evening",
    startsAt: "2040-05-04T17:30:00.000Z",
    endsAt: null,
    timezone: "UTC",
    venue: null,
  });
  const [seat, place] = (booked?.data.tickets ?? []) as { id: string }[];
  assert.deepEqual(booked?.data, {
    eventId: event.eventId,
    seq,
    previousSeq: 1,
    booking: {
      id: booking.bookingId,
      code: booking.code,
      email: booking.email,
      total: { amount: 7_500, currency: "EUR" },
    },
    tickets: [
      { id: seat?.id, seat: "S-0" },
      { id: place?.id, area: "floor" },
    ],
    userId: ALICE,
    reason: null,
  });
  assert.deepEqual([cancelled?.type, cancelled?.data.reason], ["booking.cancelled", "rain"]);
  for (const code of booking.ticketCodes) assert.ok(!booked?.body.includes(code));
  assert.deepEqual([part.figures?.().delivered, await isPending(hook)], [3, false]);
});

test("a webhook is told what happens after it was made, and only of its types", async () => {
  const { event, organizationId, part } = await scene({ types: ["booking.cancelled"] });
  const late = await fixture.hook(organizationId, url, { createdMs: NOON + 1_000 });
  const other = new WebhookReceiver();
  await fixture.pool.query("UPDATE webhooks SET url = $2 WHERE id = $1", [
    late.id,
    await other.listen(),
  ]);
  other.expect(late.secret);
  const seq = event.book([1]);
  event.bench.nowMs = NOON + 2_000;
  const next = event.book([2]);
  await tell(part, event);
  assert.deepEqual(receiver.seen, []);
  assert.deepEqual(other.of(event.eventId), [`${next} booking.confirmed`]);
  assert.equal(other.taken[0]?.data.previousSeq, seq);
  assert.deepEqual([receiver.faults, other.faults], [[], []]);
  other.close();
});

test("a ticket that was moved is told of with the seat that it had, now and in a replay", async () => {
  const { event, hook, part } = await scene();
  event.book([3]);
  const [known] = event.bench.state.bookings.all();
  assert.ok(known !== undefined);
  const { bookingId } = known.record;
  const ticketId = ticketIdOf(known.record, 0);
  await tell(part, event);
  const asked = { bookingId, ticketId, seat: 4, userId: ALICE, asOrganizer: true, key: null };
  assert.equal(event.bench.run({ kind: "moveTicket", ...asked }).facts.length, 1);
  await tell(part, event);
  const [, booked, change] = receiver.taken;
  assert.deepEqual(
    [change?.type, change?.data.from, change?.data.to],
    ["ticket.moved", "S-3", "S-4"],
  );
  await replay(hook, event, 1);
  await fixture.tick(part);
  assert.equal(receiver.seen.length, 6);
  assert.deepEqual(receiver.seen[4]?.body, booked?.body);
  assert.deepEqual(receiver.faults, []);
});

async function replay(hook: TestHook, event: ToldEvent, fromSeq: number): Promise<void> {
  await fixture.pool.query(
    `UPDATE webhook_feeds SET replay_from = $3, marks = marks + 1, pending_since_ms = $4
     WHERE webhook_id = $1 AND event_id = $2`,
    [hook.id, event.eventId, fromSeq, fixture.nowMs],
  );
}

test("a replay sends the same messages with the same ids, and goes on behind them", async () => {
  const { event, hook, part } = await scene();
  const seq = event.book([1]);
  event.book([2]);
  await tell(part, event);
  const before = receiver.seen.splice(0);
  await replay(hook, event, seq);
  event.book([3]);
  await event.project();
  await fixture.tick(part);
  const again = receiver.seen.slice(0, 2).map(({ id, body }) => [id, body]);
  assert.deepEqual(
    again,
    before.slice(1).map(({ id, body }) => [id, body]),
  );
  assert.deepEqual(receiver.of(event.eventId), expected(event));
  assert.deepEqual(receiver.faults, []);
});

test("a rotated secret signs along for a day", async () => {
  const { event, hook, part } = await scene();
  const [next, untilMs] = [freshSecret(), NOON + WEBHOOK_OLD_SECRET_MS];
  await fixture.pool.query(
    "UPDATE webhooks SET secret = $2, old_secret_until_ms = $3 WHERE id = $1",
    [hook.id, next, untilMs],
  );
  await tell(part, event);
  receiver.expect(next);
  event.book([1]);
  await tell(part, event);
  assert.deepEqual(receiver.faults, []);
  assert.deepEqual(
    receiver.seen.map(({ signature }) => signature.split(" ").length),
    [2, 2],
  );
  fixture.nowMs = untilMs;
  event.book([2]);
  await tell(part, event);
  assert.equal(receiver.seen[2]?.signature.split(" ").length, 1);
  receiver.expect(hook.secret);
  event.book([3]);
  await tell(part, event);
  assert.match(String(receiver.faults[0]), /No matching signature/);
});

test("after three days of failures it is disabled and told so, and then goes on", async () => {
  const { event, hook } = await scene();
  const told: DisabledWebhook[] = [];
  const part = fixture.part({
    tellDisabled: async (webhook, within) => {
      await within.query("SELECT 1");
      told.push(webhook);
    },
  });
  receiver.plan = () => ({ takes: false, conduct: saying(500) });
  event.book([1]);
  await tell(part, event);
  const startMs = fixture.nowMs;
  for (const pauseMs of WEBHOOK_RETRY_PAUSES_MS) {
    assert.deepEqual(told, []);
    fixture.nowMs += pauseMs - 1;
    const { length } = receiver.seen;
    await fixture.tick(part);
    assert.equal(receiver.seen.length, length, "not before its time");
    fixture.nowMs += 1;
    await fixture.tick(part);
    assert.equal(receiver.seen.length, length + 1);
  }
  assert.ok(fixture.nowMs - startMs > 71 * HOUR_MS);
  assert.deepEqual(
    told.map(({ webhookId, reason, atMs }) => [webhookId, reason, atMs]),
    [[hook.id, "failing", fixture.nowMs]],
  );
  const ids = new Set(receiver.seen.map(({ id }) => id));
  assert.equal(ids.size, 1, "it is one message all the time");
  event.book([2]);
  await tell(part, event);
  fixture.nowMs += 10 * HOUR_MS;
  await fixture.tick(part);
  assert.equal(receiver.seen.length, WEBHOOK_RETRY_PAUSES_MS.length + 1);
  assert.equal(part.figures?.().disabled, 1);
  receiver.plan = () => ({ takes: true, conduct: well });
  await enable(hook);
  await fixture.tick(part);
  assert.deepEqual(receiver.of(event.eventId), expected(event));
  const { rows } = await fixture.pool.query(
    "SELECT status, tries, jsonb_array_length(attempts) AS shown, attempts -> 0 AS last" +
      " FROM webhook_deliveries WHERE webhook_id = $1 ORDER BY seq",
    [hook.id],
  );
  assert.deepEqual([rows[0].status, rows[0].tries, rows[0].shown], ["delivered", 12, 12]);
  assert.equal(rows[0].last.status, 204);
});

async function enable({ id }: TestHook): Promise<void> {
  await fixture.pool.query("UPDATE webhooks SET enabled = true, disabled_ms = NULL WHERE id = $1", [
    id,
  ]);
  const text = "UPDATE webhook_feeds SET due_ms = 0, failures = 0 WHERE webhook_id = $1";
  await fixture.pool.query(text, [id]);
}

test("410 disables at once, unless telling that fails; Retry-After is waited for", async () => {
  const { event, hook } = await scene();
  const told: string[] = [];
  let mayTell = false;
  const part = fixture.part({
    tellDisabled: async ({ reason }) => {
      if (!mayTell) throw new Error("no queue");
      told.push(reason);
    },
  });
  receiver.plan = () => ({ takes: false, conduct: saying(429, { "Retry-After": "77" }) });
  await tell(part, event);
  const [feed] = await fixture.feeds(hook.id);
  assert.equal(Number(feed?.due_ms), NOON + 77_000);
  receiver.plan = () => ({ takes: false, conduct: saying(410) });
  for (const may of [false, true]) {
    mayTell = may;
    fixture.nowMs += 77_000 + WEBHOOK_LEASE_MS;
    await fixture.tick(part);
    const { rows } = await fixture.pool.query("SELECT enabled, disabled_reason FROM webhooks");
    assert.deepEqual(rows, [{ enabled: !may, disabled_reason: may ? "gone" : null }]);
  }
  assert.deepEqual(told, ["gone"]);
});

test("who dies between answer and cursor sends the same message again", async () => {
  const { event, part } = await scene();
  const dying: Scoped = {
    ...fixture.rows,
    query(statement, values) {
      const isAdvance = typeof statement !== "string" && statement.name === "webhook-advance";
      if (isAdvance) throw new Error("killed");
      return fixture.rows.query(statement, values);
    },
  };
  event.book([1]);
  await tell(fixture.part({ rows: dying }), event);
  assert.equal(receiver.seen.length, 1);
  await fixture.tick(part);
  assert.equal(receiver.seen.length, 1, "the lease of the dead is waited for");
  fixture.nowMs += WEBHOOK_LEASE_MS;
  await fixture.tick(part);
  const [first, second] = receiver.seen;
  assert.deepEqual([first?.id, first?.body], [second?.id, second?.body]);
  assert.deepEqual(receiver.of(event.eventId), expected(event));
  assert.deepEqual(receiver.faults, []);
});

test("what is heard as a feed comes to rest is told", async () => {
  const { event, hook, part } = await scene();
  let isFirst = true;
  const resting: Scoped = {
    ...fixture.rows,
    async query(statement, values) {
      if (typeof statement !== "string" && statement.name === "webhook-rest" && isFirst) {
        isFirst = false;
        event.book([1]);
        await fixture.hear(part, await event.project());
      }
      return fixture.rows.query(statement, values);
    },
  };
  const slow = fixture.part({ rows: resting });
  await fixture.hear(slow, await event.project());
  const [job] = fixture.queue.jobs.slice();
  const begun = { id: "", data: job?.data ?? {}, begunBefore: 0 };
  await slow.handlers[0]?.handle(begun, new AbortController().signal);
  assert.deepEqual(receiver.of(event.eventId), expected(event));
  assert.equal(await isPending(hook), false);
});

test("two that are at a feed at a time send each message once", async () => {
  const { event, part } = await scene();
  for (const seat of [1, 2, 3]) event.book([seat]);
  await fixture.hear(part, await event.project());
  const [job] = fixture.queue.jobs.splice(0);
  const other = fixture.part();
  await Promise.all(
    [part, other, part].map(({ handlers: [handler] }) =>
      handler?.handle(
        { id: "", data: job?.data ?? {}, begunBefore: 0 },
        new AbortController().signal,
      ),
    ),
  );
  assert.deepEqual(receiver.of(event.eventId), expected(event));
  assert.deepEqual([receiver.seen.length, receiver.openMax], [4, 1]);
});

test("one host has so many requests at a time, and one event one", async () => {
  const { organizationId, part } = await scene();
  const held: (() => void)[] = [];
  receiver.plan = () => ({
    takes: true,
    conduct: (_, response) => held.push(() => well(_, response)),
  });
  const entries: OutboxEntry[] = [];
  for (let n = 0; n < WEBHOOK_REQUESTS_PER_HOST_MAX + 2; n += 1) {
    entries.push(...(await (await fixture.event(organizationId)).project()));
  }
  await fixture.hear(part, entries);
  const jobs = fixture.queue.jobs.splice(0);
  const [handler] = part.handlers;
  const signal = new AbortController().signal;
  const ends = jobs.map(({ data }) => handler?.handle({ id: "", data, begunBefore: 0 }, signal));
  let crowdedOut = 0;
  for (const end of ends) {
    end?.then((ended) => {
      if (ended?.end === "later") crowdedOut += 1;
    }, assert.fail);
  }
  while (held.length < WEBHOOK_REQUESTS_PER_HOST_MAX || crowdedOut < 2) {
    await new Promise(setImmediate);
  }
  receiver.plan = () => ({ takes: true, conduct: well });
  for (const answer of held) answer();
  const all = await Promise.all(ends);
  assert.equal(all.filter((end) => end?.end === "later").length, 2);
  await fixture.tick(part);
  assert.equal(receiver.taken.length, jobs.length);
  assert.ok(receiver.openMax <= WEBHOOK_REQUESTS_PER_HOST_MAX);
});

test("who stops leaves the message for the next, and it is no failure", async () => {
  const { event, hook, part } = await scene();
  const stopping = new AbortController();
  receiver.plan = () => ({ takes: false, conduct: () => stopping.abort() });
  await fixture.hear(part, await event.project());
  const [job] = fixture.queue.jobs.splice(0);
  const begun = { id: "", data: job?.data ?? {}, begunBefore: 0 };
  const end = await part.handlers[0]?.handle(begun, stopping.signal);
  assert.equal(end?.end, "later");
  const [feed] = await fixture.feeds(hook.id);
  assert.deepEqual([feed?.failures, feed?.lease], [0, null]);
});

test("a feed of another organisation's event is never told", async () => {
  const { hook, part } = await scene();
  const foreign = await fixture.event(await fixture.organization());
  await fixture.pool.query(
    `INSERT INTO webhook_feeds (webhook_id, event_id, replay_from, marks, pending_since_ms)
     VALUES ($1, $2, 1, 1, 1)`,
    [hook.id, foreign.eventId],
  );
  await tell(part, foreign);
  await fixture.tick(part);
  assert.deepEqual(receiver.seen, []);
});

test("the log forgets what is older than its time to live", async () => {
  const { event, part } = await scene();
  await tell(part, event);
  fixture.nowMs += WEBHOOK_LOG_TTL_MS;
  event.book([1]);
  await tell(part, event);
  const count = "SELECT count(*)::integer AS count FROM webhook_deliveries WHERE event_id = $1";
  assert.equal((await fixture.pool.query(count, [event.eventId])).rows[0].count, 2);
  fixture.nowMs += 1;
  await fixture.part().tick?.run();
  assert.equal((await fixture.pool.query(count, [event.eventId])).rows[0].count, 1);
});

/** How a receiver may take a message: mostly well. */
const CONDUCTS: readonly Plan[] = [
  ...Array.from({ length: 12 }, (): Plan => ({ takes: true, conduct: well })),
  { takes: false, conduct: saying(500) },
  { takes: true, conduct: saying(503) },
  { takes: false, conduct: saying(429, { "Retry-After": "40" }) },
  { takes: false, conduct: saying(302, { Location: "http://127.0.0.1/" }) },
  { takes: false, conduct: rudely },
  { takes: true, conduct: rudely },
];
const SLOW: readonly Plan[] = [
  { takes: true, conduct: slowly },
  { takes: false, conduct: silently },
  { takes: true, conduct: silently },
];

async function randomRun(context: TestContext, seed: number): Promise<void> {
  const random = new Random(seed);
  const { organizationId, hook, event } = await scene();
  const types = ["booking.confirmed", "ticket.checked_in", "inventory.changed"];
  const filtered = await fixture.hook(organizationId, url, { types });
  const events = [event, await fixture.event(organizationId), await fixture.event(organizationId)];
  const second = new WebhookReceiver();
  context.after(() => second.close());
  second.expect(filtered.secret);
  await fixture.pool.query("UPDATE webhooks SET url = $2 WHERE id = $1", [
    filtered.id,
    await second.listen(),
  ]);
  const plan = (): Plan => random.pick(random.below(50) === 0 ? SLOW : CONDUCTS);
  receiver.plan = plan;
  second.plan = plan;
  const dying = faultyRows(fixture.rows, () => (random.below(10) > 0 ? 0.5 : random.next()));
  const heard: OutboxEntry[] = [];
  for (let step = 0; step < 150; step += 1) {
    const one = random.pick(events);
    randomDomainStep(random, one.bench, step);
    const entries = await one.project();
    heard.push(...entries);
    fixture.nowMs += random.below(20_000);
    // In any order, more than once, and not all of it.
    if (random.below(3) > 0) continue;
    const some = heard.splice(random.below(heard.length + 1), 3);
    const rows = random.below(2) === 0 ? dying : fixture.rows;
    const part = fixture.part({ rows, tryMs: 250 });
    await fixture.hear(part, [...some, ...some]).catch(() => heard.push(...some));
    if (random.below(5) === 0) fixture.queue.jobs.length = 0;
    await fixture.work(part);
  }
  const part = fixture.part({ tryMs: 250 });
  await fixture.hear(part, heard);
  // Some were heard of before their facts' rows were complete: the last word is the rows'.
  await settle(part, hook);
  await settle(part, filtered);
  for (const one of events) {
    assert.deepEqual(receiver.of(one.eventId), expected(one));
    assert.deepEqual(second.of(one.eventId), expected(one, types));
  }
  assert.deepEqual([receiver.faults, second.faults], [[], []]);
  assert.ok(receiver.seen.length > receiver.taken.length, "some came twice");
}

const SEEDS = process.env.SEED === undefined ? [1, 2, 3, 4] : [Number(process.env.SEED)];
for (const seed of SEEDS) {
  test(`a receiver that fails at random has the complete sequence in the end, seed ${seed}`, (context) =>
    randomRun(context, seed));
}
