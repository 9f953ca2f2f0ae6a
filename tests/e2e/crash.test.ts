/** SIGKILL, and a restart on the same files: nothing that was acknowledged is gone. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client } from "pg";
import { type Lateness, latenessOf } from "../crash/ledger.ts";
import type { OutageRecord } from "../linearizability/history.ts";
import { ApiClient, LiveClient } from "../support/client.ts";
import { Crowd } from "../support/crowd.ts";
import { TestNode, until } from "../support/server.ts";
import type { BookingShape, EventShape, HoldShape, Page, Problem } from "../support/shapes.ts";
import {
  auditOf,
  availabilityOf,
  guestToken,
  ok,
  openStudio,
  openTheatre,
  seatIds,
  THEATRE_SEATS,
} from "../support/venue.ts";

const BUYERS = 3_000;
const KILL_AT_SEATS_SOLD = [150, 450, 800];
const HOLD_TTL_SECONDS = 3;
const SEED = 20_260_302;
/** This process and the server read the same clock, in whole ms. */
const CLOCK_SLACK_MS = 1;

let node: TestNode;
let api: ApiClient;
before(async () => {
  node = await TestNode.start();
  api = new ApiClient(() => node.url);
});
after(async () => {
  api.close();
  await node.remove();
});

async function killAndRestart(): Promise<OutageRecord> {
  const fromMs = Date.now();
  await node.kill9();
  await node.start();
  return { kind: "outage", cause: "restart", fromMs, toMs: Date.now() };
}

test("what was acknowledged a moment before the kill is there after it, and its key holds", async () => {
  const event = await openStudio(api);
  const token = await guestToken(api);
  const holdAsk = { token, key: "hold", body: { items: [{ seat: "A-1" }] } };
  const holds = `/api/v1/events/${event.id}/holds`;
  const held = ok(await api.post<HoldShape>(holds, holdAsk), 201);
  await killAndRestart();
  assert.deepEqual(ok(await api.get<HoldShape>(`/api/v1/holds/${held.id}`, { token })), held);
  assert.deepEqual(ok(await api.post<HoldShape>(holds, holdAsk), 201), held);

  const body = { holdId: held.id, payment: { provider: "none" }, email: "a@example.org" };
  const bookAsk = { token, key: "book", body };
  const bookings = `/api/v1/events/${event.id}/bookings`;
  const booked = ok(await api.post<BookingShape>(bookings, bookAsk), 201);
  await killAndRestart();
  const list = ok(await api.get<Page<BookingShape>>("/api/v1/bookings", { token }));
  assert.deepEqual(list.data, [booked]);
  const again = await api.post<BookingShape>(bookings, bookAsk);
  assert.deepEqual(ok(again, 201), booked);
  assert.equal(again.headers["idempotent-replayed"], "true");
  const other = { ...bookAsk, body: { ...body, email: "b@example.org" } };
  const reused = await api.post<Problem>(bookings, other);
  assert.deepEqual([reused.status, reused.body.code], [422, "idempotency_key_reused"]);

  const path = `/api/v1/bookings/${booked.id}`;
  const cancelled = ok(await api.post<BookingShape>(`${path}/cancel`, { token, key: "cancel" }));
  await killAndRestart();
  assert.deepEqual(ok(await api.get<BookingShape>(path, { token })), cancelled);
  assert.equal((await availabilityOf(api, event.id)).free, 15);
  await auditOf(api, event.id);
});

test("a subscriber that resumes after the restart gets a snapshot of the new epoch", async () => {
  const event = await openStudio(api);
  const first = await LiveClient.open(node.url);
  first.send({ op: "subscribe", eventId: event.id });
  await first.next("snapshot");
  const { epoch, seq } = first.reader;
  await killAndRestart();
  await first.closed;
  const second = await LiveClient.open(node.url);
  second.send({ op: "subscribe", eventId: event.id, since: { epoch, seq } });
  const snapshot = await second.next("snapshot");
  assert.ok((snapshot.epoch ?? 0) > epoch);
  assert.equal(snapshot.seq, seq);
  second.close();
});

test("a sale goes on through three kills, and every seat is sold once", async (t) => {
  const event = await openTheatre(api, {
    holdTtlSeconds: HOLD_TTL_SECONDS,
    limits: { perOrder: 4, perUser: 1_000 },
  });
  let live = await subscriber(event);
  const crowd = new Crowd({
    api,
    reader: () => live.reader,
    eventId: event.id,
    seatIds: await seatIds(api, event.id),
    seed: SEED,
    recovered: async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      await until("the server is up again", () => node.isUp);
    },
  });
  const outages: OutageRecord[] = [];
  const kills = (async () => {
    for (const seats of KILL_AT_SEATS_SOLD) {
      await until(`${seats} seats are sold`, () => crowd.seatsSold >= seats);
      outages.push(await killAndRestart());
      live = await subscriber(event);
    }
  })();
  const buyers = await crowd.buyers(BUYERS);
  await Promise.all(buyers.map((buyer) => buyer.buy(6)));
  const patient = await crowd.buyers(8);
  await until("the theatre is sold out", async () => {
    await Promise.all(patient.map((buyer) => buyer.buy(20)));
    return live.reader.totals.sold === THEATRE_SEATS;
  });
  await kills;
  t.diagnostic(crowd.summary);

  assert.equal(crowd.seatsSold, THEATRE_SEATS);
  assert.deepEqual(live.faults, []);
  await crowd.verify();
  const shown = await availabilityOf(api, event.id);
  assert.equal(shown.statuses, "s".repeat(THEATRE_SEATS));
  assert.equal(live.reader.statuses, shown.statuses);
  await sameOutcomes(crowd);
  const audit = await auditOf(api, event.id);
  assert.deepEqual([audit.memory.sold, audit.memory.bookings], [1_100, crowd.sales.length]);
  t.diagnostic(JSON.stringify(await endedOnTime(event, outages)));
  live.close();
});

async function subscriber(event: EventShape): Promise<LiveClient> {
  const live = await LiveClient.open(node.url);
  live.send({ op: "subscribe", eventId: event.id });
  await live.next("snapshot");
  return live;
}

/** Keys of before the kills still answer with what they answered then. */
async function sameOutcomes(crowd: Crowd): Promise<void> {
  const { eventId } = crowd.options;
  for (const { booking, buyer, key } of crowd.sales.slice(0, 200)) {
    const { holdId, email } = booking;
    const body = { holdId, payment: { provider: "none" }, email };
    const ask = { token: buyer.token, key, body };
    const again = await api.post<BookingShape>(`/api/v1/events/${eventId}/bookings`, ask);
    assert.deepEqual(ok(again, 201), booking);
    assert.equal(again.headers["idempotent-replayed"], "true");
  }
}

/** No hold ended early; none late, except that nothing ends while the server is down. */
async function endedOnTime(event: EventShape, outages: readonly OutageRecord[]): Promise<Lateness> {
  const client = new Client({ connectionString: node.databaseUrl });
  await client.connect();
  const lateness = await latenessOf(client, event.id, { outages, slackMs: CLOCK_SLACK_MS });
  await client.end();
  assert.ok(lateness.expired > 0);
  return lateness;
}
