/** PostgreSQL fails over, while the node runs, to a standby that lacks the last sale. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { ApiClient } from "../support/client.ts";
import { StartFailed, TestNode, until } from "../support/server.ts";
import type { BookingShape, HoldShape } from "../support/shapes.ts";
import { Standby } from "../support/standby.ts";
import { auditOf, guestToken, ok, openStudio } from "../support/venue.ts";

let node: TestNode;
let api: ApiClient;
let standby: Standby;
let eventId: string;
let alice: string;

beforeEach(async () => {
  node = await TestNode.start();
  api = new ApiClient(() => node.url);
  eventId = (await openStudio(api)).id;
  alice = await guestToken(api);
  await auditOf(api, eventId);
  standby = await Standby.copyOf(node.databaseUrl);
  await until("PostgreSQL is there again", async () => {
    return (await api.get("/health/ready")).status === 200;
  });
});
afterEach(async () => {
  api.close();
  await node.remove();
  await standby.drop();
});

const hold = (token: string, seat: string) =>
  api.post<HoldShape>(`/api/v1/events/${eventId}/holds`, { token, body: { items: [{ seat }] } });

/** Alice buys A-1, and PostgreSQL has it. */
async function sell(): Promise<void> {
  const { id: holdId } = ok(await hold(alice, "A-1"), 201);
  const payment = { provider: "none" };
  const body = { holdId, payment, email: "alice@example.org" };
  const ask = { token: alice, body };
  ok(await api.post<BookingShape>(`/api/v1/events/${eventId}/bookings`, ask), 201);
  await auditOf(api, eventId);
}

async function bookings(): Promise<number> {
  const page = await api.get<{ data: unknown[] }>("/api/v1/bookings", { token: alice });
  return ok(page).data.length;
}

/** Though nobody asks it for anything. */
async function endsByItself(why: RegExp): Promise<void> {
  const { ended } = node;
  await until("the node has ended", () => !node.isUp, 20_000);
  assert.deepEqual(await ended, { code: null, signal: "SIGKILL" });
  assert.match(node.errors.at(-1) ?? "", why);
}

test("the node ends itself, and its next start brings the sale back", async () => {
  await sell();
  const { id: newer } = await openStudio(api);
  await auditOf(api, newer);
  await standby.swap();
  // Of the sale's shard, or of the newer event's, which may be the same.
  await endsByItself(/in an older state.*shard \d+ is applied up to [01], it was up to [134]"/);
  await node.start();
  assert.equal(await bookings(), 1);
  const bob = await guestToken(api);
  assert.equal((await hold(bob, "A-1")).status, 409);
  ok(await hold(bob, "A-2"), 201);
  await auditOf(api, eventId);
  // Its inventory is the journal's too, its page was PostgreSQL's alone.
  assert.equal((await auditOf(api, newer)).memory.capacity, 15);
  assert.equal((await api.get(`/api/v1/events/${newer}`)).status, 404);
});

test("without the journal's part of it, no start serves until the newer one is back", async () => {
  await sell();
  // From here on the journal begins behind the sale.
  await node.stop();
  await node.start();
  await standby.swap();
  await endsByItself(/shard \d+ is at epoch 1, we are at 2, in an older state of the database/);
  for (let tries = 0; tries < 2; tries += 1) {
    await assert.rejects(node.start(), (error: StartFailed) => {
      assert.ok(error instanceof StartFailed);
      assert.deepEqual(error.exit, { code: 1, signal: null });
      assert.match(error.stderr, /journal_ahead_of_database/);
      return true;
    });
  }
  await standby.swap();
  await node.start();
  assert.equal(await bookings(), 1);
  assert.equal((await hold(await guestToken(api), "A-1")).status, 409);
  await auditOf(api, eventId);
});
