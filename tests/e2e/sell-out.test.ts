/**
 * 5,000 buyers fight for the 1,100 seats of a theatre: some for the same seats, some repeating
 * requests, some disconnecting at once, some never coming back for what they hold.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client } from "pg";
import { ApiClient, LiveClient } from "../support/client.ts";
import { Crowd } from "../support/crowd.ts";
import { TestNode, until } from "../support/server.ts";
import type { EventShape } from "../support/shapes.ts";
import { auditOf, availabilityOf, openTheatre, seatIds, THEATRE_SEATS } from "../support/venue.ts";

const BUYERS = 5_000;
const HOLD_TTL_SECONDS = 2;
const SEED = 20_260_301;

let node: TestNode;
let api: ApiClient;
let live: LiveClient;
let event: EventShape;
let crowd: Crowd;
before(async () => {
  node = await TestNode.start();
  api = new ApiClient(() => node.url);
  event = await openTheatre(api, {
    holdTtlSeconds: HOLD_TTL_SECONDS,
    limits: { perOrder: 4, perUser: 1_000 },
  });
  live = await LiveClient.open(node.url);
  live.send({ op: "subscribe", eventId: event.id });
  await live.next("snapshot");
  const recovered = () => new Promise<void>((resolve) => setTimeout(resolve, 20));
  const seats = await seatIds(api, event.id);
  const reader = () => live.reader;
  crowd = new Crowd({ api, reader, eventId: event.id, seatIds: seats, seed: SEED, recovered });
});
after(async () => {
  live.close();
  api.close();
  await node.remove();
});

test("everyone rushes in, and exactly the theatre is sold, each seat once", async (t) => {
  let isOver = false;
  const sums: Promise<void> = (async () => {
    await until("the sale is over", async () => {
      await availabilityOf(api, event.id);
      return isOver;
    });
  })();
  live.onMessage = () => {
    if (live.reader.capacity !== THEATRE_SEATS) live.faults.push(`${live.reader.capacity} seats`);
  };
  const buyers = await crowd.buyers(BUYERS);
  await Promise.all(buyers.map((buyer) => buyer.buy(4)));

  // What was held and never booked comes back, and is sold to whoever has waited.
  const patient = await crowd.buyers(8);
  const soldOut = (): boolean => live.reader.totals.sold === THEATRE_SEATS;
  await until("the theatre is sold out", async () => {
    await Promise.all(patient.map((buyer) => buyer.buy(20)));
    return soldOut();
  });
  isOver = true;
  await sums;
  t.diagnostic(crowd.summary);

  assert.equal(crowd.seatsSold, THEATRE_SEATS);
  assert.deepEqual(live.faults, []);
  assert.ok(crowd.dropouts.length > 0, "some never came back");
  assert.ok(crowd.replays > 100, "many repeated their requests");
  assert.ok(crowd.aborted > 100, "many hung up");
  assert.ok(crowd.refusals > 100, "many came too late");
});

test("every acknowledged booking is in its buyer's list", () => crowd.verify());

test("who applied only deltas sees what a fresh look shows", async () => {
  const shown = await availabilityOf(api, event.id);
  assert.equal(shown.statuses, "s".repeat(THEATRE_SEATS));
  assert.equal(live.reader.statuses, shown.statuses);
  assert.equal(live.reader.seq, shown.seq);
  assert.equal(live.reader.snapshots, 1);
  assert.ok(live.reader.deltas > 1);
});

test("PostgreSQL has the same bookings and tickets, and the audit finds no drift", async () => {
  const audit = await auditOf(api, event.id);
  assert.deepEqual(
    [audit.memory.sold, audit.memory.free, audit.memory.held, audit.memory.bookings],
    [THEATRE_SEATS, 0, 0, crowd.sales.length],
  );
  const client = new Client({ connectionString: node.databaseUrl });
  await client.connect();
  const { rows } = await client.query<{ booking: string; seats: string[] }>(
    `SELECT b.id AS booking, array_agg(t.code ORDER BY t.position) AS seats
     FROM bookings b JOIN tickets t ON t.event_id = b.event_id AND t.booking_id = b.id
     WHERE b.event_id = $1 AND b.status = 'confirmed' AND t.status = 'valid' GROUP BY b.id`,
    [event.id],
  );
  await client.end();
  const stored = new Map(rows.map((row) => [row.booking, row.seats]));
  assert.equal(stored.size, crowd.sales.length);
  for (const { booking } of crowd.sales) {
    assert.deepEqual(
      stored.get(booking.id),
      booking.tickets.map(({ code }) => code),
    );
  }
});

test("no seat of a hold was sold to another before the hold's end", () => {
  const soldAt = new Map(
    crowd.sales.flatMap(({ booking }) =>
      booking.tickets.map(({ seat }) => [seat, Date.parse(booking.createdAt)] as const),
    ),
  );
  for (const { hold } of crowd.dropouts) {
    for (const { seat } of hold.items) {
      const soldMs = soldAt.get(seat) ?? 0;
      assert.ok(soldMs >= Date.parse(hold.expiresAt), `${seat} of hold ${hold.id}`);
    }
  }
});

test("nothing went wrong inside", () => {
  assert.deepEqual(node.errors, []);
});
