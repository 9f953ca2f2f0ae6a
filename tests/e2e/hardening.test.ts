/** What hostile and careless clients meet at the door. */
import assert from "node:assert/strict";
import { once } from "node:events";
import * as http from "node:http";
import { connect, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { ApiClient, LiveClient, type Reply } from "../support/client.ts";
import { OPS_TOKEN, TestNode } from "../support/server.ts";
import type { EventShape, Problem } from "../support/shapes.ts";
import { adminToken, guestToken, ok, openStudio } from "../support/venue.ts";

const SHOP = "https://shop.example.org";
const EVIL = "https://evil.test";

let node: TestNode;
let api: ApiClient;
let event: EventShape;
before(async () => {
  node = await TestNode.start({
    RATE_LIMIT: "on",
    CORS_ORIGINS: SHOP,
    PUBLIC_URL: "https://tickets.example.net",
    SOCKETS_PER_ADDRESS: "20",
    RATE_LIMIT_MESSAGE: "30/1m",
    RATE_LIMIT_CONNECT: "60/1h",
  });
  api = new ApiClient(() => node.url);
  event = await openStudio(api);
});
after(async () => {
  api.close();
  assert.deepEqual(node.errors, []);
  await node.remove();
});

const holds = () => `/api/v1/events/${event.id}/holds`;
const by = (origin: string) => ({ Origin: origin });

test("every answer says to browsers what they may do with it", async () => {
  const token = await guestToken(api);
  const replies: Reply<unknown>[] = [
    await api.get(`/api/v1/events/${event.id}`),
    await api.get("/api/v1/nothing"),
    await api.post(holds(), { token, raw: "{" }),
    await api.delete("/health/live"),
    await api.get("/ops/shards"),
    await api.request("OPTIONS", holds()),
    await api.request("HEAD", "/health/live"),
  ];
  for (const { headers, status } of replies) {
    const what = String(status);
    assert.equal(headers["x-content-type-options"], "nosniff", what);
    assert.equal(headers["x-frame-options"], "DENY", what);
    assert.match(String(headers["content-security-policy"]), /default-src 'none'/, what);
    assert.equal(headers["referrer-policy"], "no-referrer", what);
    assert.equal(headers["strict-transport-security"], "max-age=31536000", what);
    assert.notEqual(headers["cache-control"], undefined, what);
    assert.equal(headers.vary, "Origin", what);
  }
});

test("a page of an allowed origin may read answers, of another one it may not", async () => {
  for (const origin of [SHOP, "https://tickets.example.net"]) {
    const { headers } = await api.get("/api/v1/events", { headers: by(origin) });
    assert.equal(headers["access-control-allow-origin"], origin);
    const exposed = headers["access-control-expose-headers"] ?? "";
    for (const name of ["X-RateLimit-Remaining", "ETag", "X-Request-Id", "Retry-After"]) {
      assert.ok(exposed.split(", ").includes(name), name);
    }
  }
  for (const origin of [EVIL, "null", `${SHOP}.evil.test`]) {
    const { headers } = await api.get("/api/v1/events", { headers: by(origin) });
    assert.equal(headers["access-control-allow-origin"], undefined, origin);
  }
  const refused = await api.post(holds(), { body: {}, headers: by(SHOP) });
  assert.equal(refused.headers["access-control-allow-origin"], SHOP, "refusals can be read, too");
});

test("a preflight is answered on every path, for allowed origins alone", async () => {
  const asked = { "Access-Control-Request-Method": "POST" };
  const good = await api.request("OPTIONS", holds(), { headers: { ...by(SHOP), ...asked } });
  assert.equal(good.status, 204);
  assert.match(good.headers["access-control-allow-methods"] ?? "", /POST/);
  const sendable = (good.headers["access-control-allow-headers"] ?? "").split(", ");
  for (const name of ["Authorization", "Content-Type", "Idempotency-Key"]) {
    assert.ok(sendable.includes(name), name);
  }
  assert.ok(Number(good.headers["access-control-max-age"]) > 0);
  const bad = await api.request("OPTIONS", holds(), { headers: { ...by(EVIL), ...asked } });
  assert.equal(bad.headers["access-control-allow-methods"], undefined);
  assert.equal(bad.headers["access-control-allow-origin"], undefined);
});

/** The answer to an upgrade, which is given up at once when there is one. */
function upgrade(headers: Record<string, string>): Promise<{ status: number; text: string }> {
  const options = {
    agent: false,
    headers: {
      ...{ Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13" },
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      ...headers,
    },
  };
  return new Promise((resolve, reject) => {
    const request = http.get(`${node.url}/ws`, options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.once("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.once("upgrade", (_, socket) => {
      socket.once("close", () => resolve({ status: 101, text: "" }));
      socket.destroy();
    });
    request.once("error", reject);
  });
}

test("pages of other origins open no WebSocket; programs, the shop and our own pages do", async () => {
  const { host } = new URL(node.url);
  const refused: Record<string, string>[] = [by(EVIL), by("null"), by(`http://${host}.evil.test`)];
  for (const headers of refused) assert.equal((await upgrade(headers)).status, 403);
  const good: Record<string, string>[] = [{}, by(SHOP), by(`http://${host}`)];
  for (const headers of good) assert.equal((await upgrade(headers)).status, 101);
  const { text } = await upgrade(by(EVIL));
  assert.equal((JSON.parse(text) as Problem).code, "origin_not_allowed");
});

test("one address has so many WebSockets, and a new one when it closes one", async () => {
  const open: LiveClient[] = [];
  for (let n = 0; n < 20; n += 1) open.push(await LiveClient.open(node.url));
  const refusal = JSON.parse((await upgrade({})).text) as Problem;
  assert.deepEqual([refusal.status, refusal.code], [429, "too_many_connections"]);
  const [first, ...others] = open;
  first?.close();
  await first?.closed;
  let status = 0;
  while (status !== 101) ({ status } = await upgrade({}));
  for (const live of others) live.close();
  await Promise.all(others.map(({ closed }) => closed));
});

test("who floods a WebSocket is told so, and then cut off", async () => {
  const live = await LiveClient.open(node.url);
  for (let n = 0; n < 30; n += 1) live.send({ op: "dance" });
  for (let n = 0; n < 30; n += 1) assert.equal((await live.next("error")).code, "unknown_op");
  live.send({ op: "dance" });
  assert.equal((await live.next("error")).code, "rate_limited");
  for (let n = 0; n < 40; n += 1) live.send({ op: "dance" });
  assert.equal(await live.closed, 1008);
  const other = await LiveClient.open(node.url);
  other.send({ op: "subscribe", eventId: event.id });
  await other.next("snapshot");
  other.close();
});

test("no member reaches what all objects share, over HTTP and WebSocket", async () => {
  const token = await guestToken(api);
  const tricks = [
    '"__proto__":{"polluted":1}',
    '"constructor":{"prototype":{"polluted":1}}',
    '"\\u005f_proto__":{"polluted":1}',
    '"items":[{"__proto__":{"polluted":1},"area":"floor","quantity":1}]',
    '"items":[{"area":"floor","quantity":1,"const\\u0072uctor":{"prototype":{"polluted":1}}}]',
  ];
  const live = await LiveClient.open(node.url, token);
  for (const trick of tricks) {
    const reply = await api.post<Problem>(holds(), { token, raw: `{${trick}}` });
    assert.deepEqual([reply.status, reply.body.code], [400, "malformed_json"], trick);
    live.send(`{"op":"hold","eventId":"${event.id}",${trick}}`);
    assert.equal((await live.next("error")).code, "malformed_json", trick);
  }
  live.close();
  const query = "q=1&__proto__[polluted]=1&constructor.prototype.polluted=1";
  ok(await api.get(`/api/v1/events?${query}`));
  const shown = await api.get(`/api/v1/events/${event.id}`);
  assert.ok(!shown.text.includes("polluted"));
});

test("what is too long is refused by what it says of itself, and long bodies take a token", async () => {
  const declared = async (path: string, bytes: number, token = "") => {
    const answer = await head(
      `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n` +
        `Authorization: Bearer ${token}\r\nContent-Length: ${bytes}\r\n\r\n`,
    );
    return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
  };
  const admin = await adminToken(api);
  assert.equal(await declared(holds(), 64 * 1024 + 1), 413);
  assert.equal(await declared("/api/v1/events", 16 * 1024 * 1024 + 1, admin), 413);
  assert.equal(await declared("/api/v1/events", 64 * 1024 + 1), 401);
  const raw = Buffer.alloc(100_000, " ");
  const reply = await api.post<Problem>("/api/v1/events", { token: admin, raw });
  assert.equal(reply.body.code, "malformed_json", "with a token it is read");
});

/** The head of the answer to a beginning of a request. */
async function head(bytes: string): Promise<string> {
  const socket = api.connect();
  socket.on("error", () => undefined);
  socket.write(bytes);
  const [data] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  return data.toString("latin1");
}

test("a wrong token for operators is refused whatever its length", async () => {
  for (const token of ["", "x", OPS_TOKEN.slice(0, -1), `${OPS_TOKEN}x`, OPS_TOKEN.toUpperCase()]) {
    assert.equal((await api.get("/ops/shards", { token })).status, 401, token);
  }
  ok(await api.get("/ops/shards", { token: OPS_TOKEN }));
});

test("who says nothing, or drips, is hung up on", async () => {
  const begun = (beginning: string, drip: string): Promise<string> => {
    const { hostname, port } = new URL(node.url);
    const socket: Socket = connect(Number(port), hostname);
    let answer = "";
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      answer += String(chunk);
    });
    socket.write(beginning);
    const timer = setInterval(() => socket.write(drip), 500);
    return new Promise((resolve) => {
      socket.once("close", () => {
        clearInterval(timer);
        resolve(answer);
      });
    });
  };
  const post = `POST ${holds()} HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n`;
  const [silent, headers, body] = await Promise.all([
    begun("", ""),
    begun("GET /health/live HTTP/1.1\r\nHost: x\r\n", "X: y\r\n"),
    begun(post, "x"),
  ]);
  assert.deepEqual([silent, headers], ["", ""]);
  assert.match(body, /^HTTP\/1\.1 408 .*"code":"request_timeout".*$/s);
});

test("an address that opens connections without end finds the door closed, after what it may", async () => {
  const { hostname, port } = new URL(node.url);
  const outcome = (): Promise<"served" | "closed"> =>
    new Promise((resolve) => {
      const socket = connect({ port: Number(port), host: hostname, localAddress: "127.0.0.77" });
      socket.on("error", () => resolve("closed"));
      socket.once("close", () => resolve("closed"));
      socket.once("data", () => {
        resolve("served");
        socket.destroy();
      });
      socket.write("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n");
    });
  const outcomes = [];
  for (let n = 0; n < 70; n += 1) outcomes.push(await outcome());
  assert.equal(outcomes.filter((one) => one === "served").length, 60);
  ok(await api.get("/health/live"));
});
