/** WebSockets while each of their messages is counted by Redis, and takes its time. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type UserId, uuidV7 } from "../../engine/ids.ts";
import { ACCESS_TOKEN_SECONDS } from "../../engine/limits.ts";
import { freshSessionId } from "../../gateway/identity/sessions.ts";
import { Tokens } from "../../gateway/identity/tokens.ts";
import { ApiClient, LiveClient } from "../support/client.ts";
import { TestRedis } from "../support/redis.ts";
import { TestNode, until } from "../support/server.ts";
import type { EventShape, HoldShape } from "../support/shapes.ts";
import { guestToken, ok, openStudio } from "../support/venue.ts";

const JWT_SECRET = "0123456789abcdef0123456789abcdef";
const bound = "100000/1h,100000/1h";
const LIMITS = { RATE_LIMIT_HOLD: bound, RATE_LIMIT_READ: bound, RATE_LIMIT_MESSAGE: "off" };

let redis: TestRedis;
let node: TestNode;
let api: ApiClient;
let event: EventShape;
before(async () => {
  redis = await TestRedis.start();
  const shared = { RATE_LIMIT: "on", REDIS_URL: redis.url, REDIS_WAIT_MS: "400" };
  node = await TestNode.start({ ...shared, ...LIMITS, JWT_SECRET });
  api = new ApiClient(() => node.url);
  event = await openStudio(api, { holdTtlSeconds: 1 });
});
after(async () => {
  api.close();
  assert.deepEqual(node.errors, []);
  await node.remove();
  await redis.remove();
});

const floor = { items: [{ area: "floor", quantity: 1 }] };

test("what is asked back to back is each sender's own, and who signs in later has none of it", async () => {
  const [ada, bob] = [await guestToken(api), await guestToken(api)];
  const live = await LiveClient.open(node.url);
  for (const [id, token] of [ada, bob, ada, bob].entries()) {
    live.send({ op: "auth", token });
    live.send({ op: "hold", id, eventId: event.id, ...floor });
    live.send({ op: "auth", token: token === ada ? bob : ada });
    const { status, body } = await live.next("reply", id);
    assert.equal(status, 201);
    const path = `/api/v1/holds/${body?.id}`;
    assert.equal((await api.get(path, { token })).status, 200);
    assert.equal((await api.get(path, { token: token === ada ? bob : ada })).status, 404);
    ok(await api.delete(path, { token }), 204);
  }
  live.close();
});

test("who unsubscribes at once has unsubscribed", async () => {
  const [leaves, stays] = [await LiveClient.open(node.url), await LiveClient.open(node.url)];
  for (let n = 0; n < 5; n += 1) {
    for (const op of ["subscribe", "unsubscribe"]) leaves.send({ op, eventId: event.id });
  }
  stays.send({ op: "subscribe", eventId: event.id });
  await stays.next("snapshot");
  const token = await guestToken(api);
  ok(await api.post(`/api/v1/events/${event.id}/holds`, { token, body: floor }), 201);
  await stays.next("delta");
  // What it is asked for last is answered last.
  await leaves.ask({ op: "auth", token });
  assert.equal(leaves.untaken("unsubscribed").length, 5);
  // A snapshot may have come between two of its messages; what has changed since may not.
  assert.deepEqual(leaves.untaken("delta"), []);
  for (const live of [leaves, stays]) live.close();
});

test("a socket whose token is over hears what is public, and nothing personal", async () => {
  const userId = uuidV7(Date.now(), new Uint8Array(10)) as UserId;
  const identity = { userId, role: "guest" } as const;
  const issued = (msAgo: number): string => {
    const tokens = new Tokens(JWT_SECRET, () => Date.now() - msAgo);
    return tokens.issue(identity, freshSessionId()).accessToken;
  };
  const short = issued((ACCESS_TOKEN_SECONDS - 2) * 1_000);
  const [stale, fresh] = [
    await LiveClient.open(node.url, short),
    await LiveClient.open(node.url, issued(0)),
  ];
  stale.send({ op: "subscribe", eventId: event.id });
  await stale.next("snapshot");
  await until("the token is over", async () => {
    return (await api.get("/api/v1/users/me", { token: short })).status === 401;
  });
  const holds = `/api/v1/events/${event.id}/holds`;
  const { id } = ok(await api.post<HoldShape>(holds, { token: issued(0), body: floor }), 201);
  assert.equal((await fresh.next("hold.expired")).holdId, id);
  assert.equal((await stale.next("error")).code, "unauthenticated");
  assert.deepEqual(stale.untaken("hold.expired"), []);
  await stale.next("delta");
  assert.equal((await stale.ask({ op: "auth", token: issued(0) })).status, 200);
  const next = ok(await api.post<HoldShape>(holds, { token: issued(0), body: floor }), 201);
  assert.equal((await stale.next("hold.expired")).holdId, next.id);
  for (const live of [stale, fresh]) live.close();
});
