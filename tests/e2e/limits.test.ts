/** How often a user and an address may ask, on a node that counts for itself. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ApiClient, LiveClient, type Reply } from "../support/client.ts";
import { OPS_TOKEN, TestNode, until } from "../support/server.ts";
import type { EventShape, Problem } from "../support/shapes.ts";
import { adminToken, guestToken, ok, openStudio } from "../support/venue.ts";

let node: TestNode;
let api: ApiClient;
let event: EventShape;
before(async () => {
  node = await TestNode.start({
    RATE_LIMIT: "on",
    RATE_LIMIT_HOLD: "4/1h,12/1h",
    RATE_LIMIT_SESSION: "40/1h",
    TRUSTED_PROXIES: "127.0.0.0/8",
  });
  api = new ApiClient(() => node.url);
  event = await openStudio(api);
});
after(async () => {
  api.close();
  assert.deepEqual(node.errors, []);
  await node.remove();
});

/** Requests of somebody whose address a trusted proxy tells. */
const from = (address: string) => ({ "X-Forwarded-For": `6.6.6.6, ${address}` });
const limitOf = ({ headers }: Reply<unknown>): number[] =>
  ["limit", "remaining", "reset"].map((name) => Number(headers[`x-ratelimit-${name}`]));
const events = () => `/api/v1/events/${event.id}`;
const wrong = { items: [{ seat: "nowhere" }] };

function hold(token: string, address: string, body: object = wrong): Promise<Reply<Problem>> {
  return api.post<Problem>(`${events()}/holds`, { token, body, headers: from(address) });
}

test("each answer of a limited route tells what is left, refusals too, and the last says when", async () => {
  const token = await guestToken(api);
  for (const remaining of [3, 2, 1, 0]) {
    const reply = await hold(token, "198.51.100.1");
    assert.equal(reply.body.code, "unknown_seat");
    const [limit, left, reset = 0] = limitOf(reply);
    assert.deepEqual([limit, left], [4, remaining]);
    const [least, most] = [(3 - remaining) * 900, (4 - remaining) * 900];
    assert.ok(reset > least && reset <= most, `one is back each 15 minutes: ${reset}`);
  }
  const refusal = await hold(token, "198.51.100.1");
  assert.deepEqual([refusal.status, refusal.body.code], [429, "rate_limited"]);
  assert.deepEqual(limitOf(refusal).slice(0, 2), [4, 0]);
  const [retry, reset] = [Number(refusal.headers["retry-after"]), limitOf(refusal)[2] ?? 0];
  assert.ok(retry > 0 && retry <= 900, `when there is one: ${retry}`);
  assert.ok(reset > 2_700 && reset <= 3_600, `when all are back: ${reset}`);
  const { scope, limit, windowSeconds, retryAt } = refusal.body;
  assert.deepEqual([scope, limit, windowSeconds], ["user", 4, 3_600]);
  assert.ok(Date.parse(String(retryAt)) > Date.now());
});

test("a WebSocket counts with HTTP, and is refused with the same body", async () => {
  const token = await guestToken(api);
  const live = await LiveClient.open(node.url, token);
  await hold(token, "198.51.100.2");
  await hold(token, "198.51.100.2");
  const ask = () => live.ask({ op: "hold", eventId: event.id, ...wrong });
  assert.equal((await ask()).body?.code, "unknown_seat");
  assert.equal((await ask()).body?.code, "unknown_seat");
  const reply = await ask();
  assert.deepEqual([reply.op, reply.status], ["reply", 429]);
  const overHttp = (await hold(token, "198.51.100.2")).body;
  const named = (body: object): string[] => Object.keys(body).filter((key) => key !== "requestId");
  assert.deepEqual(named(reply.body ?? {}).sort(), named(overHttp).sort());
  assert.equal(reply.body?.code, "rate_limited");
  live.close();
});

test("who hammers closes the door for nobody else behind the same address", async () => {
  const hammer = await guestToken(api);
  const replies = await Promise.all(Array.from({ length: 40 }, () => hold(hammer, "198.51.100.3")));
  assert.equal(replies.filter(({ status }) => status === 400).length, 4);
  assert.equal(replies.filter(({ status }) => status === 429).length, 36);
  const other = await guestToken(api);
  assert.equal((await hold(other, "198.51.100.3")).status, 400);
});

test("an address has a bound of its own, whoever comes from it, and other addresses go on", async () => {
  const address = "198.51.100.4";
  for (let guest = 0; guest < 3; guest += 1) {
    const token = await guestToken(api);
    for (let n = 0; n < 4; n += 1) assert.equal((await hold(token, address)).status, 400);
  }
  const token = await guestToken(api);
  const refusal = await hold(token, address);
  assert.deepEqual([refusal.status, limitOf(refusal)[0]], [429, 12]);
  const { scope } = refusal.body;
  assert.equal(scope, "address");
  const nobody = await api.post(`${events()}/holds`, { body: wrong, headers: from(address) });
  assert.equal(nobody.status, 429, "nor is anybody without a token let in");
  assert.equal((await hold(token, "198.51.100.5")).status, 400);
});

test("of IPv6 a customer's whole network counts as one", async () => {
  for (let n = 0; n < 12; n += 1) {
    const token = await guestToken(api);
    assert.equal((await hold(token, `2001:db8:7:7::${n + 1}`)).status, 400);
  }
  const token = await guestToken(api);
  assert.equal((await hold(token, "2001:db8:7:7:ffff::1")).status, 429);
  assert.equal((await hold(token, "2001:db8:7:8::1")).status, 400);
});

test("by default ten bookings a minute and user, and the eleventh waits", async () => {
  const token = await guestToken(api);
  const book = () => api.post<Problem>(`${events()}/bookings`, { token, body: {} });
  for (let n = 0; n < 10; n += 1) {
    const reply = await book();
    assert.deepEqual([reply.status, ...limitOf(reply).slice(0, 2)], [400, 10, 9 - n]);
  }
  const refusal = await book();
  assert.equal(refusal.body.code, "rate_limited");
  assert.ok(Number(refusal.headers["retry-after"]) <= 6);
  const held = await hold(token, "198.51.100.6", { items: [{ area: "floor", quantity: 1 }] });
  assert.equal(held.status, 201, "other things go on");
  ok(await api.delete(`/api/v1/holds/${String(held.body.id)}`, { token }), 204);
});

test("login tells of the tries that are left, and a refused one of when", async () => {
  const headers = from("198.51.100.7");
  const body = { email: "nobody@example.org", password: "wrong wrong" };
  const login = () => api.post<Problem>("/api/v1/auth/login", { body, headers });
  for (const left of [4, 3, 2, 1, 0]) {
    const reply = await login();
    assert.deepEqual([reply.status, ...limitOf(reply).slice(0, 2)], [401, 5, left]);
  }
  const refusal = await login();
  assert.deepEqual([refusal.status, ...limitOf(refusal).slice(0, 2)], [429, 5, 0]);
  const retry = Number(refusal.headers["retry-after"]);
  assert.ok(retry > 60 && retry <= 180, String(retry));
});

test("reading, searching and signing in have their bounds, and what looks after the node has none", async () => {
  const read = await api.get(events());
  assert.equal(limitOf(read)[0], 60_000);
  assert.equal(limitOf(await api.get("/api/v1/events"))[0], 6_000);
  assert.equal(limitOf(await api.get("/api/v1/nothing"))[0], Number.NaN);
  assert.equal(limitOf(await api.get("/health/ready"))[0], Number.NaN);
  const guest = await api.post("/api/v1/auth/guest", { headers: from("198.51.100.8") });
  assert.deepEqual(limitOf(guest).slice(0, 2), [40, 39]);
  const mine = await api.get(events(), { token: await adminToken(api) });
  assert.equal(limitOf(mine)[0], 3_000);
});

test("the metrics tell refusals by what they count as and whose limit it was", async () => {
  const token = await guestToken(api);
  const refused = async (): Promise<number> => {
    const { text } = await api.get("/metrics");
    const line = /^evently_limit_refusals_total\{class="hold",scope="user"\} (\d+)$/m.exec(text);
    return Number(line?.[1]);
  };
  const before = await refused();
  for (let tries = 0; tries < 6; tries += 1) await hold(token, "198.51.100.9");
  // A page is shown for half a second.
  await until("both are counted", async () => (await refused()) !== before);
  assert.equal((await refused()) - before, 2);
});

test("operators see who counts, and how many are counted", async () => {
  const report = ok(
    await api.get<{ counting: string; redis: null; keys: object }>("/ops/limits", {
      token: OPS_TOKEN,
    }),
  );
  assert.deepEqual([report.counting, report.redis], ["process", null]);
  assert.ok(JSON.stringify(report.keys).includes('"hold":{"users":'));
});
