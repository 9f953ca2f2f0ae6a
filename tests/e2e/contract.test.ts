/** The booking walk and everything beside it, by the names and codes of the public contract. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { ApiClient, type Reply } from "../support/client.ts";
import { OPS_TOKEN, TestNode, until } from "../support/server.ts";
import type {
  AvailabilityShape,
  BookingShape,
  EventShape,
  HoldShape,
  Page,
  Problem,
  SeatShape,
  SignedIn,
} from "../support/shapes.ts";
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

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

let node: TestNode;
let api: ApiClient;
before(async () => {
  node = await TestNode.start();
  api = new ApiClient(() => node.url);
});
after(async () => {
  assert.deepEqual(node.errors, [], "nothing went wrong inside");
  api.close();
  await node.remove();
});

function refused(reply: Reply<unknown>, status: number, code: string): Problem {
  assert.equal(reply.status, status, reply.text);
  assert.match(reply.headers["content-type"] ?? "", /^application\/problem\+json/);
  const problem = reply.body as Problem;
  assert.equal(problem.code, code);
  assert.equal(problem.status, status);
  for (const member of ["type", "title", "detail", "requestId"] as const) {
    assert.equal(typeof problem[member], "string", member);
  }
  assert.equal(reply.headers["x-request-id"], problem.requestId);
  return problem;
}

async function register(): Promise<{ token: string; id: string; email: string }> {
  const email = `${randomUUID()}@example.org`;
  const body = { email, password: "long enough 1", firstName: "Ada", lastName: "L" };
  const { user, accessToken } = ok(
    await api.post<SignedIn>("/api/v1/auth/register", { body }),
    201,
  );
  return { token: accessToken, id: user.id, email };
}

const holds = (event: EventShape): string => `/api/v1/events/${event.id}/holds`;
const bookings = (event: EventShape): string => `/api/v1/events/${event.id}/bookings`;
const seat = (...ids: string[]) => ({ items: ids.map((id) => ({ seat: id })) });
const payment = { provider: "none" };

/** An extension within the hold's own millisecond would gain nothing, and be refused. */
function aMomentAfter(hold: HoldShape): Promise<void> {
  const createdMs = Date.parse(hold.expiresAt) - 600_000;
  return until("the hold is a millisecond old", () => Date.now() > createdMs);
}

test("people register, log in and are guests", async () => {
  const email = `${randomUUID()}@Example.ORG`;
  const body = { email, password: "long enough 1", firstName: "Ada" };
  const registered = ok(await api.post<SignedIn>("/api/v1/auth/register", { body }), 201);
  assert.match(registered.user.id, UUID_V7);
  assert.equal(registered.expiresIn, 1_800);
  assert.equal(registered.user.role, "customer");
  assert.ok(!JSON.stringify(registered).includes("password"));
  refused(await api.post("/api/v1/auth/register", { body }), 409, "email_taken");
  const login = { email: email.toLowerCase(), password: body.password };
  const again = ok(await api.post<SignedIn>("/api/v1/auth/login", { body: login }));
  assert.equal(again.user.id, registered.user.id);
  const wrong = { ...login, password: "something else" };
  refused(await api.post("/api/v1/auth/login", { body: wrong }), 401, "invalid_credentials");
  const nobody = { ...login, email: "nobody@example.org" };
  refused(await api.post("/api/v1/auth/login", { body: nobody }), 401, "invalid_credentials");
  const guest = ok(await api.post<SignedIn>("/api/v1/auth/guest"), 201);
  assert.equal(guest.user.role, "guest");
  const me = ok(
    await api.get<{ id: string }>("/api/v1/users/me", { token: registered.accessToken }),
  );
  assert.equal(me.id, registered.user.id);
});

test("an organisation is made by a customer, who becomes its owner", async () => {
  const { token } = await register();
  const body = { name: "Owned", allowInvoices: true, currency: "CHF", country: "CH" };
  const made = ok(await api.post<{ id: string }>("/api/v1/organizations", { token, body }), 201);
  assert.match(made.id, UUID_V7);
  const list = ok(await api.get<Page<{ id: string }>>("/api/v1/organizations", { token }));
  assert.deepEqual(
    list.data.map(({ id }) => id),
    [made.id],
  );
  const guest = await guestToken(api);
  refused(await api.post("/api/v1/organizations", { token: guest, body }), 403, "forbidden");
  refused(await api.post("/api/v1/organizations", { body }), 401, "unauthenticated");
});

test("an event is a draft until it is published; others don't see it before", async () => {
  const owner = await register();
  const organizationId = await openOrganization(api, owner.token);
  const body = {
    organizationId,
    title: "Draft",
    startsAt: "2040-01-01T20:00:00+01:00",
    priceCategories: [{ key: "standing", name: "Standing", price: 100 }],
    areas: [{ key: "floor", name: "Floor", capacity: 3, priceCategory: "standing" }],
  };
  const stranger = await register();
  const draft = { token: stranger.token, body };
  const foreign = await api.post<Problem>("/api/v1/events", draft);
  assert.ok([403, 404].includes(foreign.status), foreign.text);
  const event = ok(await api.post<EventShape>("/api/v1/events", { token: owner.token, body }), 201);
  assert.equal(event.status, "draft");
  const path = `/api/v1/events/${event.id}`;
  refused(await api.get(path), 404, "event_not_found");
  refused(await api.get(`${path}/availability`), 404, "event_not_found");
  const hold = { token: stranger.token, body: { items: [{ area: "floor", quantity: 1 }] } };
  refused(await api.post(holds(event), hold), 404, "event_not_found");
  ok(await api.get(path, { token: owner.token }));
  const published = ok(await api.post<EventShape>(`${path}/publish`, { token: owner.token }));
  assert.equal(published.status, "published");
  assert.equal(published.capacity, 3);
  ok(await api.post(holds(event), hold), 201);
});

test("who has the availability hears 304 until a place changes hands", async () => {
  const event = await openStudio(api);
  for (const query of ["", "?seats=true"]) {
    const path = `/api/v1/events/${event.id}/availability${query}`;
    const first = await api.get<AvailabilityShape>(path);
    assert.equal(first.headers["cache-control"], "no-cache", "kept, but asked about each time");
    const headers = { "If-None-Match": first.headers.etag ?? "" };
    const again = await api.get(path, { headers });
    assert.deepEqual([again.status, again.text], [304, ""]);
    const body = { items: [{ area: "floor", quantity: 1 }] };
    ok(await api.post(holds(event), { token: await guestToken(api), body }), 201);
    const changed = ok(await api.get<AvailabilityShape>(path, { headers }));
    assert.equal(changed.free, first.body.free - 1);
  }
});

test("an event has an entity tag; its seats are cacheable for good", async () => {
  const event = await openStudio(api);
  const path = `/api/v1/events/${event.id}`;
  const first = await api.get<EventShape>(path);
  const etag = first.headers.etag ?? "";
  assert.match(etag, /^"[^"]+"$/);
  const again = await api.get(path, { headers: { "If-None-Match": etag } });
  assert.deepEqual([again.status, again.text], [304, ""]);
  const seats = await api.get<{ seats: SeatShape[] }>(`${path}/seats`);
  assert.match(seats.headers["cache-control"] ?? "", /immutable/);
  assert.equal(ok(seats).seats.length, 10);
  assert.deepEqual(seats.body.seats[0], {
    id: "A-1",
    zone: "Hall",
    row: "A",
    number: "1",
    category: "stalls",
    x: 0,
    y: 0,
    accessible: false,
  });
});

test("events are listed in pages, each once", async () => {
  const category = `series-${randomUUID().slice(0, 8)}`;
  const ids: string[] = [];
  for (const day of ["03", "01", "02"]) {
    const startsAt = `2041-02-${day}T20:00:00Z`;
    ids.push((await openStudio(api, { category, startsAt })).id);
  }
  const seen: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const query = `category=${category}&limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`;
    const page: Page<EventShape> = ok(await api.get(`/api/v1/events?${query}`));
    seen.push(...page.data.map(({ id }) => id));
    cursor = page.nextCursor;
  }
  const [third = "", first = "", second = ""] = ids;
  assert.deepEqual(seen, [first, second, third]);
});

test("a booking from the first look to the cancellation", async () => {
  const event = await openStudio(api);
  const { token, email } = await register();
  const items = [{ seat: "A-3" }, { area: "floor", quantity: 2 }];
  const held = ok(await api.post<HoldShape>(holds(event), { token, body: { items } }), 201);
  assert.match(held.id, UUID_V7);
  assert.match(held.expiresAt, INSTANT);
  assert.deepEqual([held.eventId, held.status], [event.id, "active"]);
  assert.deepEqual(held.total, { amount: 4500 + 2 * 3000, currency: "EUR" });
  assert.deepEqual(
    held.items.map(({ id: _, ...item }) => item),
    [
      { seat: "A-3", category: "stalls", price: 4500 },
      { area: "floor", category: "standing", price: 3000 },
      { area: "floor", category: "standing", price: 3000 },
    ],
  );
  const shown = await availabilityOf(api, event.id);
  assert.equal(shown.statuses, "ffhfffffff");
  assert.deepEqual(shown.areas, [{ key: "floor", capacity: 5, free: 3, held: 2, sold: 0 }]);
  assert.deepEqual(ok(await api.get<HoldShape>(`/api/v1/holds/${held.id}`, { token })), held);

  const body = { holdId: held.id, payment };
  const booked = ok(await api.post<BookingShape>(bookings(event), { token, body }), 201);
  assert.match(booked.id, UUID_V7);
  assert.equal(booked.status, "confirmed");
  assert.ok(booked.seq > held.seq);
  assert.deepEqual(booked.total, held.total);
  assert.deepEqual(
    booked.tickets.map(({ id, seat: at, area, status }) => [id, at, area, status]),
    held.items.map(({ id, seat: at, area }) => [id, at, area, "valid"]),
  );
  assert.equal(new Set(booked.tickets.map(({ code }) => code)).size, 3);
  const list = ok(await api.get<Page<BookingShape>>("/api/v1/bookings", { token }));
  assert.deepEqual(list.data, [booked], "visible as soon as its 201 was received");
  const path = `/api/v1/bookings/${booked.id}`;
  assert.deepEqual(ok(await api.get<BookingShape>(path, { token })), booked);
  const again = refused(await api.post(bookings(event), { token, body }), 409, "hold_booked");
  assert.equal("bookingId" in again && again.bookingId, booked.id);

  const stranger = (await register()).token;
  refused(await api.get(path, { token: stranger }), 404, "booking_not_found");
  refused(await api.post(`${path}/cancel`, { token: stranger }), 404, "booking_not_found");

  const reason = { reason: "ill" };
  const cancelled = ok(await api.post<BookingShape>(`${path}/cancel`, { token, body: reason }));
  assert.equal(cancelled.status, "cancelled");
  assert.ok(cancelled.tickets.every(({ status }) => status === "cancelled"));
  const repeated = ok(await api.post<BookingShape>(`${path}/cancel`, { token }));
  assert.deepEqual(repeated, cancelled, "repeated: the same answer");
  assert.deepEqual(ok(await api.get<BookingShape>(path, { token })), cancelled);
  assert.equal((await availabilityOf(api, event.id)).free, 15);
  const audit = await auditOf(api, event.id);
  assert.equal(audit.memory.capacity, 15);
  assert.ok(email.length > 0);
});

test("an organiser cancels a buyer's booking", async () => {
  const event = await openStudio(api);
  const { token } = await register();
  const held = ok(await api.post<HoldShape>(holds(event), { token, body: seat("A-1") }), 201);
  const body = { holdId: held.id, payment };
  const booked = ok(await api.post<BookingShape>(bookings(event), { token, body }), 201);
  const organizer = await adminToken(api);
  const path = `/api/v1/bookings/${booked.id}`;
  const cancelled = ok(await api.post<BookingShape>(`${path}/cancel`, { token: organizer }));
  assert.equal(cancelled.status, "cancelled");
  assert.equal(ok(await api.get<BookingShape>(path, { token })).status, "cancelled");
});

test("a hold is all or nothing, and says what it could not have", async () => {
  const event = await openStudio(api);
  const [first, second] = [await guestToken(api), await guestToken(api)];
  ok(await api.post(holds(event), { token: first, body: seat("A-1", "A-2") }), 201);
  const refusal = await api.post(holds(event), { token: second, body: seat("A-2", "A-3") });
  assert.deepEqual(refused(refusal, 409, "seat_unavailable").seats, ["A-2"]);
  assert.equal((await availabilityOf(api, event.id)).statuses, "hhffffffff");
  const floor = { items: [{ seat: "A-4" }, { area: "floor", quantity: 6 }] };
  const full = await api.post(holds(event), { token: second, body: floor });
  const problem = refused(full, 409, "insufficient_capacity");
  assert.deepEqual({ ...problem, area: "floor", available: 5 }, problem);
});

test("limits per order and per buyer", async () => {
  const event = await openStudio(api, { limits: { perOrder: 2, perUser: 3 } });
  const token = await guestToken(api);
  const many = await api.post(holds(event), { token, body: seat("A-1", "A-2", "A-3") });
  assert.equal((refused(many, 409, "limit_exceeded") as Problem & { limit: number }).limit, 2);
  ok(await api.post(holds(event), { token, body: seat("A-1", "A-2") }), 201);
  const more = await api.post(holds(event), { token, body: seat("A-3", "A-4") });
  const problem = refused(more, 409, "limit_exceeded");
  assert.deepEqual({ ...problem, limit: 3, current: 2 }, problem);
  ok(await api.post(holds(event), { token, body: seat("A-3") }), 201);
});

test("sales open and close, and an event is cancelled", async () => {
  const opensAt = "2039-01-01T00:00:00.000Z";
  const token = await guestToken(api);
  const early = await openStudio(api, { salesOpenAt: opensAt });
  const refusal = refused(
    await api.post(holds(early), { token, body: seat("A-1") }),
    409,
    "sales_not_open",
  );
  assert.equal("opensAt" in refusal && refusal.opensAt, opensAt);
  const late = await openStudio(api, { salesCloseAt: "2020-01-01T00:00:00Z" });
  refused(await api.post(holds(late), { token, body: seat("A-1") }), 409, "sales_closed");
  const event = await openStudio(api);
  const organizer = await adminToken(api);
  ok(await api.post(`/api/v1/events/${event.id}/cancel`, { token: organizer }));
  refused(await api.post(holds(event), { token, body: seat("A-1") }), 409, "event_cancelled");
  assert.equal((await availabilityOf(api, event.id)).status, "cancelled");
});

test("a hold is released, and again, and is nobody else's", async () => {
  const event = await openStudio(api);
  const [owner, stranger] = [await guestToken(api), await guestToken(api)];
  const held = ok(
    await api.post<HoldShape>(holds(event), { token: owner, body: seat("A-1") }),
    201,
  );
  const path = `/api/v1/holds/${held.id}`;
  refused(await api.get(path, { token: stranger }), 404, "hold_not_found");
  refused(await api.delete(path, { token: stranger }), 404, "hold_not_found");
  refused(await api.post(`${path}/extend`, { token: stranger }), 404, "hold_not_found");
  const body = { holdId: held.id, payment, email: "x@example.org" };
  const foreign = await api.post(bookings(event), { token: stranger, body });
  refused(foreign, 404, "hold_not_found");
  for (let n = 0; n < 2; n += 1) {
    const released = await api.delete(path, { token: owner });
    assert.deepEqual([released.status, released.text], [204, ""]);
  }
  refused(await api.get(path, { token: owner }), 410, "hold_released");
  refused(await api.post(bookings(event), { token: owner, body }), 410, "hold_released");
  assert.equal((await availabilityOf(api, event.id)).free, 15);
});

test("a hold is extended once", async () => {
  const event = await openStudio(api, { holdTtlSeconds: 600 });
  const token = await guestToken(api);
  const held = ok(await api.post<HoldShape>(holds(event), { token, body: seat("A-1") }), 201);
  await aMomentAfter(held);
  const path = `/api/v1/holds/${held.id}/extend`;
  const extended = ok(await api.post<HoldShape>(path, { token }));
  assert.equal(extended.id, held.id);
  assert.ok(Date.parse(extended.expiresAt) > Date.parse(held.expiresAt));
  assert.ok(Date.parse(extended.expiresAt) <= Date.parse(held.expiresAt) + 600_000);
  refused(await api.post(path, { token }), 409, "hold_not_extendable");
});

test("the same key gives the same outcome; with another request it is refused", async () => {
  const event = await openStudio(api);
  const token = await guestToken(api);
  const key = randomUUID();
  const ask = { token, key, body: seat("A-1") };
  const first = await api.post<HoldShape>(holds(event), ask);
  const second = await api.post<HoldShape>(holds(event), ask);
  assert.deepEqual(ok(second, 201), ok(first, 201));
  assert.equal(first.headers["idempotent-replayed"], undefined);
  assert.equal(second.headers["idempotent-replayed"], "true");
  const other = await api.post(holds(event), { ...ask, body: seat("A-2") });
  refused(other, 422, "idempotency_key_reused");
  const stranger = await guestToken(api);
  ok(await api.post(holds(event), { token: stranger, key, body: seat("A-2") }), 201);

  await aMomentAfter(first.body);
  const extend = { token, key: "extend" };
  const path = `/api/v1/holds/${first.body.id}/extend`;
  const extended = ok(await api.post<HoldShape>(path, extend));
  assert.deepEqual(ok(await api.post<HoldShape>(path, extend)), extended);

  const book = {
    token,
    key: "book",
    body: { holdId: first.body.id, payment, email: "x@example.org" },
  };
  const booked = ok(await api.post<BookingShape>(bookings(event), book), 201);
  assert.equal(booked.email, "x@example.org");
  assert.deepEqual(ok(await api.post<BookingShape>(bookings(event), book), 201), booked);

  const cancel = { token, key: "cancel" };
  const cancelPath = `/api/v1/bookings/${booked.id}/cancel`;
  const cancelled = ok(await api.post<BookingShape>(cancelPath, cancel));
  assert.deepEqual(ok(await api.post<BookingShape>(cancelPath, cancel)), cancelled);
  assert.deepEqual(
    ok(await api.post<BookingShape>(bookings(event), book), 201),
    booked,
    "the first outcome, whatever became of it",
  );
});

test("a refused request may be tried again under its key", async () => {
  const event = await openStudio(api);
  const [first, second] = [await guestToken(api), await guestToken(api)];
  const held = ok(
    await api.post<HoldShape>(holds(event), { token: first, body: seat("A-1") }),
    201,
  );
  const ask = { token: second, key: "k", body: seat("A-1") };
  refused(await api.post(holds(event), ask), 409, "seat_unavailable");
  await api.delete(`/api/v1/holds/${held.id}`, { token: first });
  ok(await api.post(holds(event), ask), 201);
});

test("unpaid bookings need an organisation that takes invoices, or a total of 0", async () => {
  const admin = await adminToken(api);
  const organizationId = await openOrganization(api, admin, { allowInvoices: false });
  const prices = [
    { key: "stalls", name: "Stalls", price: 100 },
    { key: "balcony", name: "Balcony", price: 0 },
  ];
  const event = await openStudio(api, { organizationId, priceCategories: prices, areas: [] });
  const { token } = await register();
  const hold = async (id: string) =>
    ok(await api.post<HoldShape>(holds(event), { token, body: seat(id) }), 201).id;
  const paid = { token, body: { holdId: await hold("A-1"), payment } };
  refused(await api.post(bookings(event), paid), 409, "payment_required");
  const free = { token, body: { holdId: await hold("A-9"), payment } };
  assert.equal(ok(await api.post<BookingShape>(bookings(event), free), 201).total.amount, 0);
});

test("a buyer's bookings are listed newest first, in pages, each once", async () => {
  const event = await openStudio(api);
  const { token } = await register();
  const made: string[] = [];
  for (let n = 1; n <= 5; n += 1) {
    const held = ok(await api.post<HoldShape>(holds(event), { token, body: seat(`A-${n}`) }), 201);
    const body = { holdId: held.id, payment };
    made.push(ok(await api.post<BookingShape>(bookings(event), { token, body }), 201).id);
  }
  const seen: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const query = `limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`;
    const page: Page<BookingShape> = ok(await api.get(`/api/v1/bookings?${query}`, { token }));
    seen.push(...page.data.map(({ id }) => id));
    cursor = page.nextCursor;
  }
  assert.deepEqual(seen, [...made].reverse());
});

test("health is public; operations are behind their token or an administrator", async () => {
  for (const path of ["live", "ready", "startup"]) ok(await api.get(`/health/${path}`));
  const event = await openStudio(api);
  const paths = [
    "/ops/shards",
    "/ops/shards/0",
    `/ops/events/${event.id}`,
    `/ops/events/${event.id}/audit`,
    "/ops/journal",
  ];
  const admin = await adminToken(api);
  const { token } = await register();
  for (const path of paths) {
    refused(await api.get(path), 401, "unauthenticated");
    refused(await api.get(path, { token: `${OPS_TOKEN}x` }), 401, "unauthenticated");
    refused(await api.get(path, { token }), 403, "forbidden");
    ok(await api.get(path, { token: admin }));
    ok(await api.get(path, { token: OPS_TOKEN }));
  }
  const report = ok(
    await api.get<{ shards: { shard: number; lsn: number }[] }>("/ops/shards", {
      token: OPS_TOKEN,
    }),
  );
  assert.equal(report.shards.length, 16);
  refused(await api.get("/ops/shards/16", { token: OPS_TOKEN }), 404, "not_found");
});

test("a request id is echoed, or made", async () => {
  const reply = await api.get("/health/live", { headers: { "X-Request-Id": "mine-1" } });
  assert.equal(reply.headers["x-request-id"], "mine-1");
  const other = await api.get("/health/live");
  assert.ok((other.headers["x-request-id"] ?? "").length > 0);
});

test("broken seating plans are refused with the path of the fault, others work unchanged", async () => {
  const token = await adminToken(api);
  const organizationId = await openOrganization(api, token);
  const create = (plan: unknown) =>
    api.post<EventShape>("/api/v1/events", {
      token,
      body: {
        organizationId,
        title: "Plans",
        startsAt: "2040-01-01T20:00:00Z",
        priceCategories: [
          { key: "stalls", name: "Stalls", price: 100 },
          { key: "balcony", name: "Balcony", price: 100 },
        ],
        seatingPlan: plan,
        publish: true,
      },
    });
  const [zone] = SMALL_PLAN.zones;
  const [row] = zone?.rows ?? [];
  const seats = row?.seats ?? [];
  const withRows = (...rows: object[]) => ({ ...SMALL_PLAN, zones: [{ ...zone, rows }] });
  const faults: [plan: unknown, path: RegExp][] = [
    [7, /^seatingPlan/],
    [{}, /^seatingPlan/],
    [{ ...SMALL_PLAN, zones: [] }, /^seatingPlan/],
    [withRows({ ...row, seats: [] }), /^seatingPlan/],
    [withRows({ ...row, seats: [...seats, seats[0]] }), /seats\[10\]/],
    [withRows({ ...row, seats: [{ ...seats[0], category: "Nowhere" }] }), /seats\[0\]\.category/],
    [withRows({ ...row, seats: [{ seat_number: "1", category: "Stalls" }] }), /seats\[0\]/],
  ];
  for (const [plan, path] of faults) {
    const problem = refused(await create(plan), 400, "validation_failed");
    assert.match(problem.errors?.[0]?.path ?? "", path);
  }
  const odd = withRows(
    { row_number: "", seats: [] },
    { row_number: "Ä", seats: [{ ...seats[0], seat_guid: "席-1", seat_number: "" }] },
    { row_number: "7", seats: [{ ...seats[9], seat_guid: "seat 99/ß", seat_number: "99" }] },
  );
  const event = ok(await create(odd), 201);
  assert.equal(event.seatCount, 2);
  const guest = await guestToken(api);
  const held = ok(
    await api.post<HoldShape>(holds(event), { token: guest, body: seat("席-1", "seat 99/ß") }),
    201,
  );
  assert.deepEqual(
    held.items.map((item) => item.seat),
    ["席-1", "seat 99/ß"],
  );
});
