/** Whatever a client sends, it hears the contract's error: no 500, no hang, no harm. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { after, before, test } from "node:test";
import { WebSocket } from "ws";
import { OPERATIONS } from "../../gateway/openapi/operations.ts";
import { ApiClient, type Ask, LiveClient, type Reply } from "../support/client.ts";
import { ADMIN, OPS_TOKEN, TestNode, until } from "../support/server.ts";
import type { BookingShape, EventShape, HoldShape, Problem } from "../support/shapes.ts";
import {
  adminToken,
  auditOf,
  availabilityOf,
  guestToken,
  ok,
  openOrganization,
  openStudio,
  SMALL_PLAN,
} from "../support/venue.ts";

const NOBODYS_ID = "018f3c9a-7b10-7000-8000-0007a4b1c2d3";

let node: TestNode;
let api: ApiClient;
let event: EventShape;
let token: string;
before(async () => {
  node = await TestNode.start();
  api = new ApiClient(() => node.url);
  event = await openStudio(api);
  token = await guestToken(api);
});
after(async () => {
  api.close();
  await node.remove();
});

const holds = (): string => `/api/v1/events/${event.id}/holds`;
const bookings = (): string => `/api/v1/events/${event.id}/bookings`;

/** Asserts a problem document with this status and code. */
function assertProblem(reply: Reply<unknown>, status: number, code: string, what = ""): Problem {
  const problem = reply.body as Problem | undefined;
  assert.deepEqual([reply.status, problem?.code], [status, code], `${what} ${reply.text}`);
  assert.match(reply.headers["content-type"] ?? "", /^application\/problem\+json/);
  return problem as Problem;
}

async function post(path: string, ask: Ask): Promise<Reply<unknown>> {
  return api.post(path, { token, ...ask });
}

test("wrong fields of a hold are named", async () => {
  const cases: [body: unknown, path: string][] = [
    [null, ""],
    [[], ""],
    ["items", ""],
    [7, ""],
    [{}, "items"],
    [{ items: null }, "items"],
    [{ items: {} }, "items"],
    [{ items: [] }, "items"],
    [{ items: Array.from({ length: 101 }, () => ({ seat: "A-1" })) }, "items"],
    [{ items: [null] }, "items[0]"],
    [{ items: [{}] }, "items[0]"],
    [{ items: [{ seat: 1 }] }, "items[0].seat"],
    [{ items: [{ seat: "" }] }, "items[0].seat"],
    [{ items: [{ seat: "x".repeat(201) }] }, "items[0].seat"],
    [{ items: [{ seat: "A-1" }, { seat: "A-1" }] }, "items[1].seat"],
    [{ items: [{ area: "floor" }] }, "items[0].quantity"],
    [{ items: [{ area: "floor", quantity: "2" }] }, "items[0].quantity"],
    [{ items: [{ area: "floor", quantity: 0 }] }, "items[0].quantity"],
    [{ items: [{ area: "floor", quantity: -3 }] }, "items[0].quantity"],
    [{ items: [{ area: "floor", quantity: 1.5 }] }, "items[0].quantity"],
    [{ items: [{ area: "floor", quantity: 1e300 }] }, "items[0].quantity"],
  ];
  for (const [body, path] of cases) {
    const what = JSON.stringify(body);
    const problem = assertProblem(await post(holds(), { body }), 400, "validation_failed", what);
    assert.equal(problem.errors?.[0]?.path, path, what);
  }
  assert.equal((await availabilityOf(api, event.id)).free, 15);
});

test("seats and areas that do not exist are named", async () => {
  for (const seat of ["Z-1", "__proto__", "constructor", "A-1 ", "a-1", "席", "\u0000"]) {
    const reply = await post(holds(), { body: { items: [{ seat }] } });
    assert.deepEqual(assertProblem(reply, 400, "unknown_seat").seats, [seat]);
  }
  const area = { items: [{ area: "roof", quantity: 1 }] };
  assertProblem(await post(holds(), { body: area }), 400, "unknown_area");
});

test("bodies that are not JSON", async () => {
  const raws: [raw: string | Buffer, status: number, code: string][] = [
    ["{", 400, "malformed_json"],
    ["{'items': []}", 400, "malformed_json"],
    ["{}{}", 400, "malformed_json"],
    ["nul", 400, "malformed_json"],
    ['"\u0000"', 400, "malformed_json"],
    [Buffer.from([0x22, 0xff, 0xfe, 0x22]), 400, "malformed_json"],
    [Buffer.from('{"items": []}', "utf16le"), 400, "malformed_json"],
    ['{"__proto__": {"items": []}}', 400, "malformed_json"],
    ["[".repeat(30_000), 400, "malformed_json"],
    [`${"[".repeat(30_000)}${"]".repeat(30_000)}`, 400, "validation_failed"],
    [`{"items": ${JSON.stringify("x".repeat(70_000))}}`, 413, "payload_too_large"],
  ];
  for (const [raw, status, code] of raws) {
    assertProblem(await post(holds(), { raw }), status, code, String(raw).slice(0, 40));
  }
  for (const type of ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"]) {
    const headers = { "Content-Type": type };
    const reply = await post(holds(), { raw: '{"items":[]}', headers });
    assertProblem(reply, 415, "unsupported_media_type", type);
  }
});

test("tokens that are none, of someone else's making, or of the wrong kind", async () => {
  const [head = "", payload = "", signature = ""] = token.split(".");
  const admin = JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as object;
  const raised = Buffer.from(JSON.stringify({ ...admin, role: "admin" })).toString("base64url");
  const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString("base64url");
  const tokens = [
    "",
    "x",
    "..",
    `${head}.${payload}`,
    `${head}.${payload}.`,
    `${head}.${payload}.${signature}x`,
    `${head}.${raised}.${signature}`,
    `${none}.${raised}.`,
    "x".repeat(6_000),
    OPS_TOKEN,
  ];
  const body = { items: [{ seat: "A-1" }] };
  for (const wrong of tokens) {
    const reply = await api.post(holds(), { token: wrong, body });
    assertProblem(reply, 401, "unauthenticated", wrong.slice(0, 80));
    assertProblem(await api.get("/api/v1/bookings", { token: wrong }), 401, "unauthenticated");
  }
  for (const authorization of ["Basic YTpi", `bearer${token}`, token]) {
    const headers = { Authorization: authorization };
    assertProblem(await api.post(holds(), { body, headers }), 401, "unauthenticated");
  }
});

test("nobody hears 401 whatever they send, and which token is asked for", async () => {
  const [hold, booking] = [`/api/v1/holds/${NOBODYS_ID}`, `/api/v1/bookings/${NOBODYS_ID}`];
  const events = `/api/v1/events/${event.id}`;
  const routes = [
    ...["holds", "bookings", "waitlist", "check-ins"].map((name) => `POST ${events}/${name}`),
    ...[`PATCH ${events}/inventory`, `PATCH ${events}`, `PATCH ${hold}`, "PATCH /api/v1/users/me"],
    ...[`POST ${hold}/extend`, `POST ${booking}/cancel`, `POST ${booking}/transfer`],
    ...[`POST ${booking}/tickets/${NOBODYS_ID}/move`, "POST /api/v1/organizations"],
  ];
  for (const route of routes) {
    const [method = "", path = ""] = route.split(" ");
    for (const raw of ["{", "[]", ""]) {
      const reply = await api.request<Problem>(method, path, { raw });
      assertProblem(reply, 401, "unauthenticated", `${route} ${raw}`);
      assert.equal(reply.headers["www-authenticate"], "Bearer");
    }
  }
  const body = { email: "nobody@example.org", password: "wrong wrong" };
  const login = await api.post<Problem>("/api/v1/auth/login", { body });
  assert.deepEqual([login.status, login.headers["www-authenticate"]], [401, "Bearer"]);
});

test("ids that are none, or nobody's", async () => {
  const body = { items: [{ seat: "A-1" }] };
  const ids = ["x", NOBODYS_ID, NOBODYS_ID.toUpperCase(), "%00", "..%2f..", "%F0%9F%98%80", "'--"];
  for (const id of ids) {
    const at = `/api/v1/events/${id}`;
    assertProblem(await post(`${at}/holds`, { body }), 404, "event_not_found", id);
    assertProblem(await api.get(at), 404, "event_not_found", id);
    assertProblem(await api.get(`${at}/seats`), 404, "event_not_found", id);
    assertProblem(await api.get(`${at}/availability`), 404, "event_not_found", id);
    const hold = `/api/v1/holds/${id}`;
    assertProblem(await api.get(hold, { token }), 404, "hold_not_found", id);
    assertProblem(await api.delete(hold, { token }), 404, "hold_not_found", id);
    assertProblem(await post(`${hold}/extend`, {}), 404, "hold_not_found", id);
    const booking = `/api/v1/bookings/${id}`;
    assertProblem(await api.get(booking, { token }), 404, "booking_not_found", id);
    assertProblem(await post(`${booking}/cancel`, {}), 404, "booking_not_found", id);
    const audit = await api.get(`/ops/events/${id}/audit`, { token: OPS_TOKEN });
    assertProblem(audit, 404, "event_not_found", id);
  }
  assertProblem(await api.get("/api/v1/events/%ff"), 404, "not_found");
});

test("whatever stands in a path, no route takes it for an error of ours", async () => {
  const admin = await adminToken(api);
  const strange = ["%00", "a%00", "%F0%9F%98%80", "0", "-1", "1e99", "x".repeat(3_000), "%27--"];
  const routes = Object.keys(OPERATIONS).filter((route) => route.includes("/:"));
  for (const route of routes) {
    const [method = "", path = ""] = route.split(" ");
    const known = path.replace(
      /organizations\/:id(?=\/.*:)/,
      `organizations/${event.organizationId}`,
    );
    const ask: Ask = { token: path.startsWith("/ops/") ? OPS_TOKEN : admin };
    const body = method === "GET" || method === "DELETE" ? {} : { body: {} };
    for (const segment of strange) {
      const asked = known.replace(/:\w+/g, segment);
      const { status, text } = await api.request(method, asked, { ...ask, ...body });
      assert.ok(status < 500, `${method} ${asked.slice(0, 200)}: ${text}`);
    }
  }
});

test("routes and methods that do not exist", async () => {
  for (const path of [
    "/docs/nothing",
    "/api/v1",
    "/api/v1/nothing",
    "/api/v2/events",
    "/../etc/passwd",
  ]) {
    assertProblem(await api.get(path), 404, "not_found", path);
  }
  for (const [method, path] of [
    ["PUT", holds()],
    ["GET", holds()],
    ["DELETE", "/api/v1/events"],
    ["POST", "/health/live"],
    ["PROPFIND", "/api/v1/events"],
  ] as const) {
    const reply = await api.request(method, path, { token });
    assertProblem(reply, 405, "method_not_allowed", `${method} ${path}`);
  }
});

test("cursors and limits that are none", async () => {
  const queries = ["limit=0", "limit=101", "limit=x", "limit=-1", "limit=1.5", "cursor=x"];
  for (const query of [...queries, "cursor=AAAA", `cursor=${"x".repeat(500)}`]) {
    for (const path of ["/api/v1/bookings", "/api/v1/events", "/api/v1/organizations"]) {
      const reply = await api.get(`${path}?${query}`, { token });
      assertProblem(reply, 400, "validation_failed", `${path}?${query}`);
    }
  }
  for (const query of ["from=yesterday", "to=%00", "sort=price", `q=${"x".repeat(2_000)}`]) {
    assertProblem(await api.get(`/api/v1/events?${query}`), 400, "validation_failed", query);
  }
});

test("idempotency keys that are none", async () => {
  const body = { items: [{ seat: "A-1" }] };
  for (const key of ["a b", "x".repeat(129), "a\u00e4b"]) {
    const refused = assertProblem(
      await post(holds(), { key, body }),
      400,
      "validation_failed",
      key,
    );
    assert.equal(refused.errors?.[0]?.path, "Idempotency-Key");
    for (const what of ["publish", "cancel"]) {
      const path = `/api/v1/events/${event.id}/${what}`;
      assertProblem(await post(path, { key }), 400, "validation_failed", key);
    }
  }
});

test("holds that have expired, were released, are another's, or of another event", async () => {
  const quick = await openStudio(api, { holdTtlSeconds: 1 });
  const at = `/api/v1/events/${quick.id}`;
  const take = async (seat: string): Promise<HoldShape> =>
    ok(await api.post<HoldShape>(`${at}/holds`, { token, body: { items: [{ seat }] } }), 201);
  const book = (holdId: string, by = token, where = at): Promise<Reply<unknown>> => {
    const body = { holdId, payment: { provider: "none" }, email: "a@example.org" };
    return api.post(`${where}/bookings`, { token: by, body });
  };
  const released = await take("A-2");
  ok(await api.delete(`/api/v1/holds/${released.id}`, { token }), 204);
  assertProblem(await book(released.id), 410, "hold_released");
  const held = await take("A-1");
  assertProblem(await book(held.id, await guestToken(api)), 404, "hold_not_found");
  assertProblem(await book(held.id, token, `/api/v1/events/${event.id}`), 404, "hold_not_found");
  await until("the hold has expired", async () => (await availabilityOf(api, quick.id)).held === 0);
  assert.ok(Date.now() >= Date.parse(held.expiresAt));
  assertProblem(await book(held.id), 410, "hold_expired");
  const path = `/api/v1/holds/${held.id}`;
  assertProblem(await api.get(path, { token }), 410, "hold_expired");
  assertProblem(await api.post(`${path}/extend`, { token }), 410, "hold_expired");
  assertProblem(await api.delete(path, { token }), 410, "hold_expired");
});

test("wrong fields of a booking and a cancellation are named", async () => {
  const body = { items: [{ seat: "A-5" }] };
  const { id: holdId } = ok(await api.post<HoldShape>(holds(), { token, body }), 201);
  const payment = { provider: "none" };
  const email = "a@example.org";
  const cases: [body: unknown, path: string][] = [
    [{}, "holdId"],
    [{ holdId, email }, "payment"],
    [{ holdId, payment: "none", email }, "payment"],
    [{ holdId, payment: { provider: "gold" }, email }, "payment.provider"],
    [{ holdId: 7, payment, email }, "holdId"],
    [{ holdId: "x", payment, email }, "holdId"],
    [{ holdId, payment, email: "nobody" }, "email"],
    [{ holdId, payment, email: 7 }, "email"],
    [{ holdId, payment }, "email"],
  ];
  for (const [wrong, path] of cases) {
    const reply = await post(bookings(), { body: wrong });
    const problem = assertProblem(reply, 400, "validation_failed", JSON.stringify(wrong));
    assert.equal(problem.errors?.[0]?.path, path);
  }
  const right = { holdId, payment, email };
  const booked = ok(await api.post<BookingShape>(bookings(), { token, body: right }), 201);
  const cancel = `/api/v1/bookings/${booked.id}/cancel`;
  for (const wrong of [7, [], { reason: 7 }, { reason: "x".repeat(1_001) }, { ticketIds: [] }]) {
    assertProblem(await post(cancel, { body: wrong }), 400, "validation_failed");
  }
  ok(await api.post(cancel, { token, body: { reason: "null \u0000 and ' quotes" } }));
});

test("wrong people and organisations", async () => {
  const register = "/api/v1/auth/register";
  const good = { email: "somebody@example.org", password: "long enough 1" };
  for (const wrong of [
    {},
    { ...good, email: "nobody" },
    { ...good, email: 7 },
    { ...good, email: `${"x".repeat(300)}@example.org` },
    { ...good, email: "a\u0000b@example.org" },
    { ...good, password: "short" },
    { ...good, password: 12_345_678 },
    { ...good, password: "x".repeat(10_000) },
    { ...good, firstName: 7 },
    { ...good, firstName: "line\nbreak" },
  ]) {
    const reply = await api.post(register, { body: wrong });
    assertProblem(reply, 400, "validation_failed", JSON.stringify(wrong).slice(0, 80));
  }
  for (const wrong of [{}, { email: ADMIN.email }, { email: 7, password: 7 }]) {
    assertProblem(await api.post("/api/v1/auth/login", { body: wrong }), 400, "validation_failed");
  }
  const body = { email: "a\u0000@example.org", password: "\u0000" };
  assertProblem(await api.post("/api/v1/auth/login", { body }), 401, "invalid_credentials");
  const admin = await adminToken(api);
  for (const wrong of [{}, { name: "" }, { name: 7 }, { name: "x", currency: "EURO" }]) {
    const reply = await api.post("/api/v1/organizations", { token: admin, body: wrong });
    assertProblem(reply, 400, "validation_failed", JSON.stringify(wrong));
  }
});

test("wrong events are refused by the path of the fault", async () => {
  const admin = await adminToken(api);
  const organizationId = await openOrganization(api, admin);
  const good = {
    organizationId,
    title: "Good",
    startsAt: "2040-01-01T20:00:00Z",
    priceCategories: [{ key: "standing", name: "Standing", price: 100 }],
    areas: [{ key: "floor", name: "Floor", capacity: 3, priceCategory: "standing" }],
  };
  const cases: [changes: object, path: RegExp][] = [
    [{ organizationId: "x" }, /^organizationId/],
    [{ title: "" }, /^title/],
    [{ title: null }, /^title/],
    [{ startsAt: "tomorrow" }, /^startsAt/],
    [{ startsAt: "2040-02-30T20:00:00Z" }, /^startsAt/],
    [{ startsAt: 7 }, /^startsAt/],
    [{ endsAt: "2039-01-01T20:00:00Z" }, /^endsAt/],
    [{ holdTtlSeconds: 0 }, /^holdTtlSeconds/],
    [{ holdTtlSeconds: 1e9 }, /^holdTtlSeconds/],
    [{ limits: { perOrder: 0 } }, /^limits\.perOrder/],
    [{ limits: { perUser: 1e9 } }, /^limits\.perUser/],
    [{ currency: "gold" }, /^currency/],
    [{ timezone: "Mars/Olympus" }, /^timezone/],
    [{ priceCategories: [] }, /^priceCategories/],
    [{ priceCategories: [{ key: "standing", price: -1 }] }, /^priceCategories\[0\]\.price/],
    [{ priceCategories: [{ key: "standing", price: 0.5 }] }, /^priceCategories\[0\]\.price/],
    [
      { priceCategories: [...good.priceCategories, ...good.priceCategories] },
      /^priceCategories\[1\]/,
    ],
    [{ areas: [] }, /./],
    [{ areas: [{ ...good.areas[0], capacity: 0 }] }, /^areas\[0\]\.capacity/],
    [{ areas: [{ ...good.areas[0], capacity: 1e12 }] }, /^areas\[0\]\.capacity/],
    [{ areas: [{ ...good.areas[0], priceCategory: "gold" }] }, /^areas\[0\]\.priceCategory/],
    [{ areas: [...good.areas, ...good.areas] }, /^areas\[1\]/],
    [{ seatingPlan: "plan" }, /^seatingPlan/],
    [{ seatingPlan: { zones: 7 } }, /^seatingPlan/],
    [{ seatingPlan: { ...SMALL_PLAN, categories: [] } }, /./],
    [{ publish: "yes" }, /^publish/],
  ];
  for (const [changes, path] of cases) {
    const body = { ...good, ...changes };
    const reply = await api.post("/api/v1/events", { token: admin, body });
    const what = JSON.stringify(changes).slice(0, 100);
    const problem = assertProblem(reply, 400, "validation_failed", what);
    assert.match(problem.errors?.[0]?.path ?? "", path, what);
  }
  ok(await api.post("/api/v1/events", { token: admin, body: good }), 201);
  const huge = { token: admin, raw: Buffer.alloc(16 * 1024 * 1024 + 1, " ") };
  assertProblem(await api.post("/api/v1/events", huge), 413, "payload_too_large");
});

test("requests that are cut off half-way leave nothing behind", async () => {
  const before = await availabilityOf(api, event.id);
  const head = `POST ${holds()} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n`;
  const json = "Content-Type: application/json\r\n";
  const pieces = [
    "G",
    "POST ",
    head,
    `${head}Content-Length: 100\r\n\r\n`,
    `${head}${json}Content-Length: 100\r\n\r\n{"items":[{"seat":`,
    `${head}${json}Transfer-Encoding: chunked\r\n\r\n5\r\n{"it`,
    "\u0000\u0001\u0002\u0003",
    "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
  ];
  await Promise.all(
    Array.from({ length: 200 }, (_, n) => api.sendRaw(pieces[n % pieces.length] ?? "")),
  );
  const after = await availabilityOf(api, event.id);
  assert.deepEqual(after, before);
});

test("bytes that are no HTTP are hung up on or refused", async () => {
  for (const bytes of [
    "\u0000\u0001\u0002\r\n\r\n",
    "GET\r\n\r\n",
    "GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    `GET /nothing HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(100_000)}\r\n\r\n`,
    `POST ${holds()} HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n`,
    `POST ${holds()} HTTP/1.1\r\nHost: x\r\nContent-Length: 9e9\r\n\r\n`,
    `POST ${holds()} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab`,
  ]) {
    const answer = await answerTo(bytes);
    assert.match(answer, /^(?:$|HTTP\/1\.1 (?:4\d\d|505) )/, bytes.slice(0, 100));
  }
});

/** What comes back for these bytes until the server hangs up. */
async function answerTo(bytes: string): Promise<string> {
  const socket: Socket = api.connect();
  let answer = "";
  socket.setEncoding("latin1").on("data", (text: string) => {
    answer += text;
    socket.end();
  });
  socket.once("error", () => socket.destroy());
  socket.write(bytes);
  await once(socket, "close");
  return answer;
}

test("bad WebSocket messages are answered with an error, and the connection stays", async () => {
  const live = await LiveClient.open(node.url);
  const messages: [message: string, code: string][] = [
    ["", "malformed_json"],
    ["{", "malformed_json"],
    ["\u0000", "malformed_json"],
    ['{"__proto__": 1}', "malformed_json"],
    ["7", "validation_failed"],
    ["[]", "validation_failed"],
    ["null", "validation_failed"],
    ["{}", "validation_failed"],
    ['{"op":7}', "validation_failed"],
    ['{"op":"dance"}', "unknown_op"],
    ['{"op":"constructor"}', "unknown_op"],
    ['{"op":"subscribe"}', "validation_failed"],
    ['{"op":"unsubscribe"}', "validation_failed"],
    ['{"op":"subscribe","eventId":"x"}', "event_not_found"],
    [`{"op":"subscribe","eventId":"${NOBODYS_ID}"}`, "event_not_found"],
    ['{"op":"subscribe","eventId":7}', "validation_failed"],
    [`{"op":"subscribe","eventId":"${event.id}","since":7}`, "validation_failed"],
    ['{"op":"unsubscribe","eventId":"x"}', "event_not_found"],
    ['{"op":"auth"}', "unauthenticated"],
    ['{"op":"auth","token":"x"}', "unauthenticated"],
  ];
  for (const [message, code] of messages) {
    live.send(message);
    assert.equal((await live.next("error")).code, code, message);
  }
  live.socket.send(Buffer.from([1, 2, 3]));
  assert.equal((await live.next("error")).op, "error");
  live.send({ op: "hold", id: 1, eventId: event.id, items: [] });
  assert.equal((await live.next("reply", 1)).status, 401);
  live.send({ op: "auth", token, id: "auth" });
  assert.equal((await live.next("reply", "auth")).status, 200);
  const asked: [message: object, status: number, code: string][] = [
    [{ op: "hold", eventId: event.id }, 400, "validation_failed"],
    [{ op: "hold", eventId: event.id, items: 7 }, 400, "validation_failed"],
    [{ op: "hold", eventId: event.id, items: [{ seat: "Z" }] }, 400, "unknown_seat"],
    [{ op: "hold", eventId: event.id, items: [{ seat: "\ud83d" }] }, 400, "malformed_json"],
    [{ op: "hold", items: [{ seat: "A-1" }] }, 400, "validation_failed"],
    [{ op: "hold", eventId: "x", items: [{ seat: "A-1" }] }, 404, "event_not_found"],
    [{ op: "hold", eventId: NOBODYS_ID, items: [{ seat: "A-1" }] }, 404, "event_not_found"],
    [{ op: "release" }, 400, "validation_failed"],
    [{ op: "release", holdId: "x" }, 404, "hold_not_found"],
    [{ op: "extend", holdId: NOBODYS_ID }, 404, "hold_not_found"],
    [{ op: "book", eventId: event.id }, 400, "validation_failed"],
    [{ op: "book", eventId: event.id, holdId: 7 }, 400, "validation_failed"],
    [
      { op: "hold", eventId: event.id, items: [{ seat: "A-1" }], idempotencyKey: 7 },
      400,
      "validation_failed",
    ],
    [{ op: "cancel", bookingId: {} }, 400, "validation_failed"],
  ];
  for (const [index, [message, status, code]] of asked.entries()) {
    live.send({ ...message, id: `q${index}` });
    const reply = await live.next("reply", `q${index}`);
    assert.deepEqual([reply.status, reply.body?.code], [status, code], JSON.stringify(message));
  }
  // What is wrong is called as the message calls it.
  const keyed = { op: "hold", eventId: event.id, items: [{ seat: "A-1" }], idempotencyKey: "k y" };
  live.send({ ...keyed, id: "key" });
  const errors = [{ path: "idempotencyKey", message: "must be 1 to 128 visible ASCII characters" }];
  assert.deepEqual((await live.next("reply", "key")).body?.errors, errors);
  live.send({ op: "hold", id: {} });
  assert.match((await live.next("reply")).body?.detail ?? "", /^id must be a string or a number/);
  live.send({ op: "subscribe", eventId: event.id });
  await live.next("snapshot");
  live.close();
});

test("frames that break the protocol, or its bounds, end their own connection only", async () => {
  const good = await LiveClient.open(node.url);
  const huge = new WebSocket(`${node.url.replace("http", "ws")}/ws`);
  huge.on("error", () => undefined);
  await once(huge, "open");
  huge.send("x".repeat(100_000));
  await once(huge, "close");
  const raw = api.connect();
  raw.on("error", () => raw.destroy());
  raw.write(
    "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
  );
  await once(raw, "data");
  raw.write(Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
  await once(raw, "close");
  assertProblem(await api.post("/ws", { body: {} }), 404, "not_found");
  const plain = await api.get("/ws");
  assertProblem(plain, 426, "upgrade_required");
  assert.equal(plain.headers.upgrade, "websocket");
  good.send({ op: "subscribe", eventId: event.id });
  await good.next("snapshot");
  good.close();
});

test("the server is well: healthy, audited, nothing logged as an error", async () => {
  ok(await api.get("/health/ready"));
  await auditOf(api, event.id);
  const reply = await api.post<HoldShape>(holds(), { token, body: { items: [{ seat: "A-9" }] } });
  ok(reply, 201);
  assert.deepEqual(node.errors, []);
});
