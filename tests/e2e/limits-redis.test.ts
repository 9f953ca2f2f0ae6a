/** Limits that several nodes share, while Redis answers, and while it does not. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ApiClient, type Reply } from "../support/client.ts";
import { createTestDatabase } from "../support/database.ts";
import { TestRedis } from "../support/redis.ts";
import { OPS_TOKEN, TestNode, until } from "../support/server.ts";
import type { Problem } from "../support/shapes.ts";
import { ok } from "../support/venue.ts";

const JWT_SECRET = "0123456789abcdef0123456789abcdef";
const AWAY = "this node counts its limits by itself";
const BACK = "limits are counted for all nodes again";

let redis: TestRedis;
let nodes: TestNode[];
let doors: ApiClient[];
before(async () => {
  redis = await TestRedis.start();
  const env = {
    RATE_LIMIT: "on",
    REDIS_URL: redis.url,
    // A busy machine takes its time.
    REDIS_WAIT_MS: "400",
    JWT_SECRET,
    RATE_LIMIT_LOGIN: "5/1h",
    RATE_LIMIT_BOOKING: "10/1h",
  };
  nodes = [
    await TestNode.start(env, await createTestDatabase()),
    await TestNode.start(env, await createTestDatabase()),
  ];
  doors = nodes.map((node) => new ApiClient(() => node.url));
});
after(async () => {
  for (const door of doors) door.close();
  for (const node of nodes) {
    assert.deepEqual(node.errors, []);
    await node.remove();
  }
  await redis.remove();
});

const door = (n: number): ApiClient => doors[n] ?? assert.fail("there is no such node");
const log = (n: number, text: string): string[] =>
  (nodes[n] ?? assert.fail("there is no such node")).logged(text);

/** Lines come through a pipe, and may be there after the answer that was given later. */
async function logged(n: number, text: string, count: number): Promise<void> {
  await until(`node ${n} says so`, () => log(n, text).length >= count);
  assert.equal(log(n, text).length, count);
}

async function guest(): Promise<string> {
  const { accessToken } = ok(
    await door(0).post<{ accessToken: string }>("/api/v1/auth/guest"),
    201,
  );
  return accessToken;
}

/** A booking that no event takes: only its limit matters. */
const EVENT = "/api/v1/events/01890000-0000-7000-8000-000000000000";
const book = (n: number, token: string): Promise<Reply<Problem>> =>
  door(n).post<Problem>(`${EVENT}/bookings`, { token, body: {} });
const left = ({ headers }: Reply<unknown>): number => Number(headers["x-ratelimit-remaining"]);

interface Report {
  readonly counting: string;
  readonly redis: { readonly isUp: boolean; readonly unanswered: number };
}
async function report(n: number): Promise<Report> {
  return ok(await door(n).get<Report>("/ops/limits", { token: OPS_TOKEN }));
}

test("what one node has let in, the other knows", async () => {
  const token = await guest();
  for (let n = 0; n < 10; n += 1) {
    const reply = await book(n % 2, token);
    assert.notEqual(reply.status, 429, `booking ${n + 1}`);
    assert.equal(left(reply), 9 - n);
  }
  for (const n of [0, 1]) assert.equal((await book(n, token)).body.code, "rate_limited");
  assert.equal((await report(0)).counting, "redis");
});

test("many at once through both doors are as many as in a row", async () => {
  const token = await guest();
  const replies = await Promise.all(Array.from({ length: 60 }, (_, n) => book(n % 2, token)));
  assert.equal(replies.filter(({ status }) => status !== 429).length, 10);
});

test("what was refused takes nothing, and what comes back does so for both", async () => {
  const token = await guest();
  const burst = await Promise.all(Array.from({ length: 40 }, (_, n) => book(n % 2, token)));
  const [refusal = assert.fail()] = burst.filter(({ status }) => status === 429);
  const { headers } = refusal;
  const [retry, reset] = [headers["retry-after"], headers["x-ratelimit-reset"]].map(Number);
  // One is back each six minutes, and all within the hour, whoever hammered.
  assert.ok(retry !== undefined && retry > 300 && retry <= 361, String(retry));
  assert.ok(reset !== undefined && reset > 3_300 && reset <= 3_601, String(reset));
});

test("wrong passwords count on both, and Redis learns no address of any kind", async () => {
  const body = { email: "somebody@example.org", password: "wrong wrong" };
  const login = (n: number) => door(n).post<Problem>("/api/v1/auth/login", { body });
  for (let n = 0; n < 5; n += 1) assert.equal((await login(n % 2)).status, 401);
  for (const n of [0, 1]) assert.equal((await login(n)).status, 429);
  const keys = await redis.keys("*");
  for (const name of ["login", "auth:address", "booking:user"]) {
    assert.ok(keys.some((key) => key.startsWith(`evently:bucket:${name}:`)));
  }
  assert.doesNotMatch(keys.join(" "), /somebody|127\.0\.0\.1|2130706433/);
});

test("when Redis dies, each node goes on from what all had counted, and says so once", async () => {
  const token = await guest();
  for (let n = 0; n < 6; n += 1) await book(0, token);
  await redis.kill();
  for (let n = 6; n < 10; n += 1) {
    const reply = await book(0, token);
    assert.notEqual(reply.status, 429, `booking ${n + 1}`);
  }
  assert.equal((await book(0, token)).status, 429);
  await until("both nodes know", async () =>
    (await Promise.all([report(0), report(1)])).every(({ counting }) => counting === "process"),
  );
  for (let n = 0; n < 20; n += 1) await book(1, token);
  for (const n of [0, 1]) await logged(n, AWAY, 1);
  const health = ok(await door(0).get<{ notes: string[] }>("/health/ready"));
  assert.match(health.notes.join(), /Redis is away/);
});

test("when Redis is back, the nodes share again, and say so once", async () => {
  await redis.start();
  await until("both nodes know", async () =>
    (await Promise.all([report(0), report(1)])).every(({ counting }) => counting === "redis"),
  );
  for (const n of [0, 1]) await logged(n, BACK, 1);
  assert.deepEqual(ok(await door(0).get<{ notes: string[] }>("/health/ready")).notes, []);
  const token = await guest();
  for (let n = 0; n < 10; n += 1) assert.notEqual((await book(n % 2, token)).status, 429);
  assert.equal((await book(0, token)).status, 429);
});

test("while Redis is frozen every request is answered, limited by the node", async () => {
  const token = await guest();
  await book(0, token);
  redis.freeze();
  try {
    const replies = await Promise.all(Array.from({ length: 500 }, () => book(0, token)));
    assert.equal(replies.filter(({ status }) => status !== 429).length, 9);
    await until("the node has given it up", async () => (await report(0)).counting === "process");
    const { isUp, unanswered } = (await report(0)).redis;
    assert.equal(isUp, false);
    assert.ok(unanswered > 0, "nobody waited until it was given up");
    await logged(0, AWAY, 2);
  } finally {
    redis.thaw();
  }
  await until("the node asks it again", async () => (await report(0)).counting === "redis");
  await logged(0, BACK, 2);
});

test("a node starts without Redis, and says so", async () => {
  const lonely = await TestNode.start({ RATE_LIMIT: "on", REDIS_URL: "redis://127.0.0.1:1" });
  const api = new ApiClient(() => lonely.url);
  try {
    assert.equal(lonely.logged(AWAY).length, 1);
    const login = { email: "a@example.org", password: "wrong wrong" };
    for (let n = 0; n < 5; n += 1) {
      assert.equal((await api.post("/api/v1/auth/login", { body: login })).status, 401);
    }
    assert.equal((await api.post("/api/v1/auth/login", { body: login })).status, 429);
    assert.deepEqual(lonely.errors, []);
  } finally {
    api.close();
    await lonely.remove();
  }
});
