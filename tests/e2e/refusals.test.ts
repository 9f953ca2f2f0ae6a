/**
 * Every refusal of the booking side, with its status and its extra members: over HTTP, and, where
 * there is an op for it, over WebSocket in the same words.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../../bench/root.ts";
import { PROBLEMS } from "../../gateway/http/problem-codes.ts";
import { BoxOffice, best, floor, refused, seats } from "../support/box-office.ts";
import { LiveClient, type Reply } from "../support/client.ts";
import { until } from "../support/server.ts";
import type { EventShape, HoldShape } from "../support/shapes.ts";
import { ok, openOrganization, openStudio } from "../support/venue.ts";

const office = BoxOffice.forThisFile();
const { api } = office;

interface Scene {
  readonly event: EventShape;
  /** `/api/v1/events/{id}` */
  readonly path: string;
  readonly buyer: string;
  readonly other: string;
}

interface Case {
  readonly code: string;
  readonly status: number;
  /** Of the event. */
  readonly terms?: () => Promise<object> | object;
  readonly members?: readonly string[];
  /** Either the reply, or what to ask for through both doors. */
  readonly run: (scene: Scene) => Promise<Reply<unknown> | Asked> | Asked;
}

/** Something that the desk is asked for, as a message of the WebSocket has it. */
interface Asked {
  readonly op: keyof typeof OVER_HTTP;
  readonly eventId?: string;
  readonly holdId?: string;
  readonly bookingId?: string;
  readonly ticketId?: string | undefined;
  readonly idempotencyKey?: string;
  /** Default: the buyer. */
  readonly token?: string;
  readonly [member: string]: unknown;
}

/** The same over HTTP: a method, and a path with the ids of the message. */
const OVER_HTTP = {
  hold: ["POST", "/events/:eventId/holds"],
  change: ["PATCH", "/holds/:holdId"],
  extend: ["POST", "/holds/:holdId/extend"],
  release: ["DELETE", "/holds/:holdId"],
  book: ["POST", "/events/:eventId/bookings"],
  cancel: ["POST", "/bookings/:bookingId/cancel"],
  transfer: ["POST", "/bookings/:bookingId/transfer"],
  move: ["POST", "/bookings/:bookingId/tickets/:ticketId/move"],
  "waitlist.join": ["POST", "/events/:eventId/waitlist"],
  "waitlist.leave": ["DELETE", "/events/:eventId/waitlist/me"],
} as const;

function overHttp({ op, idempotencyKey: key, ...message }: Asked, token: string) {
  const [method, path] = OVER_HTTP[op];
  const filled = path.replace(/:(\w+)/g, (_, name: string) => String(message[name]));
  const body = method === "DELETE" ? {} : { body: message };
  const ask = { token, ...body, ...(key === undefined ? {} : { key }) };
  return api.request<unknown>(method, `/api/v1${filled}`, ask);
}

/** The problem of the reply, without what is each answer's own. */
async function overWebSocket({ token: _, ...message }: Asked, token: string) {
  const live = await LiveClient.open(office.node.url, token);
  live.send({ ...message, id: 1 });
  const { status, body } = await live.next("reply", 1);
  live.close();
  return { status, body };
}

const hold = (scene: Scene, items: readonly object[], more: object = {}): Asked => ({
  op: "hold",
  eventId: scene.event.id,
  items,
  ...more,
});
const book = ({ event }: Scene, holdId: string, provider = "none"): Asked => ({
  op: "book",
  eventId: event.id,
  holdId,
  payment: { provider },
});
const held = ({ event, buyer }: Scene, items: readonly object[] = seats("A-1")) =>
  office.hold(event, buyer, items);
const booked = ({ event, buyer }: Scene, items: readonly object[] = seats("A-1")) =>
  office.book(event, buyer, items);
const post = (path: string, token: string, body?: object) =>
  api.post(`/api/v1${path}`, { token, ...(body === undefined ? {} : { body }) });
const patch = (path: string, token: string, body: object) =>
  api.patch(`/api/v1${path}`, { token, body });
const inventory = ({ event }: Scene, body: object) =>
  patch(`/events/${event.id}/inventory`, office.admin, body);
const checkIn = ({ event }: Scene, body: object) =>
  post(`/events/${event.id}/check-ins`, office.admin, body);
const payFor = async ({ event, buyer }: Scene, { id }: HoldShape) =>
  ok(await office.tryBook(event, buyer, id, { provider: "sandbox" }), 202);
const NOBODY = "0197f3c9-7b10-7005-8aaa-aa07a4b1c2d3";

const CASES: readonly Case[] = [
  {
    code: "event_not_found",
    status: 404,
    run: () => ({ op: "hold", eventId: NOBODY, items: seats("A-1") }),
  },
  {
    code: "event_cancelled",
    status: 409,
    run: async (scene) => {
      ok(await post(`/events/${scene.event.id}/cancel`, office.admin));
      return hold(scene, seats("A-1"));
    },
  },
  {
    code: "sales_not_open",
    status: 409,
    terms: () => ({ salesOpenAt: "2039-01-01T00:00:00Z" }),
    members: ["opensAt"],
    run: (scene) => hold(scene, seats("A-1")),
  },
  {
    code: "sales_closed",
    status: 409,
    terms: () => ({ salesCloseAt: "2020-01-01T00:00:00Z" }),
    run: (scene) => hold(scene, seats("A-1")),
  },
  {
    code: "unknown_seat",
    status: 400,
    members: ["seats"],
    run: (scene) => hold(scene, seats("Z-1")),
  },
  {
    code: "unknown_area",
    status: 400,
    members: ["areas"],
    run: (scene) => hold(scene, [{ area: "roof", quantity: 1 }]),
  },
  {
    code: "unknown_category",
    status: 400,
    members: ["categories"],
    run: (scene) => hold(scene, [best({ quantity: 1, category: "royal" })]),
  },
  {
    code: "seat_unavailable",
    status: 409,
    members: ["seats"],
    run: async (scene) => {
      await held(scene);
      return hold(scene, seats("A-1"));
    },
  },
  {
    code: "insufficient_capacity",
    status: 409,
    members: ["area", "available"],
    run: (scene) => hold(scene, [floor(6)]),
  },
  {
    code: "insufficient_capacity",
    status: 409,
    members: ["category", "available"],
    run: (scene) => hold(scene, [best({ quantity: 3, category: "balcony" })]),
  },
  {
    code: "no_adjacent_seats",
    status: 409,
    members: ["alternatives"],
    run: async (scene) => {
      await held(scene, seats("A-2", "A-4", "A-6", "A-8"));
      return hold(scene, [best({ quantity: 2, category: "stalls" })]);
    },
  },
  {
    code: "limit_exceeded",
    status: 409,
    terms: () => ({ limits: { perOrder: 1, perUser: 1 } }),
    members: ["scope", "limit", "current"],
    run: (scene) => hold(scene, seats("A-1", "A-2")),
  },
  {
    code: "hold_churn",
    status: 429,
    terms: () => ({ holdChurn: { freeDrops: 0, firstWaitSeconds: 60 } }),
    members: ["retryAt"],
    run: async (scene) => {
      const { id } = await held(scene);
      await api.delete(`/api/v1/holds/${id}`, { token: scene.buyer });
      const reply = await overHttp(hold(scene, seats("A-1")), scene.buyer);
      const seconds = Number(reply.headers["retry-after"]);
      assert.ok(seconds > 50 && seconds <= 60, `Retry-After: ${seconds}`);
      return hold(scene, seats("A-1"));
    },
  },
  {
    code: "promo_not_valid",
    status: 409,
    members: ["reason"],
    run: (scene) => hold(scene, seats("A-1"), { promoCode: "NONE" }),
  },
  {
    code: "hold_not_found",
    status: 404,
    run: () => ({ op: "release", holdId: NOBODY }),
  },
  {
    code: "hold_expired",
    status: 410,
    terms: () => ({ holdTtlSeconds: 1 }),
    run: async (scene) => {
      const { id } = await held(scene);
      const look = () => api.get(`/api/v1/holds/${id}`, { token: scene.buyer });
      await until("the hold is over", async () => (await look()).status === 410);
      refused(await look(), 410, "hold_expired");
      return { op: "extend", holdId: id };
    },
  },
  {
    code: "hold_released",
    status: 410,
    run: async (scene) => {
      const { id } = await held(scene);
      await api.delete(`/api/v1/holds/${id}`, { token: scene.buyer });
      return { op: "change", holdId: id, add: seats("A-2") };
    },
  },
  {
    code: "hold_booked",
    status: 409,
    members: ["bookingId"],
    run: async (scene) => {
      const { holdId } = await booked(scene);
      return book(scene, holdId);
    },
  },
  {
    code: "hold_paying",
    status: 409,
    members: ["bookingId"],
    run: async (scene) => {
      const mine = await held(scene);
      await payFor(scene, mine);
      return { op: "change", holdId: mine.id, add: seats("A-2") };
    },
  },
  {
    code: "hold_not_extendable",
    status: 409,
    run: async (scene) => {
      const mine = await held(scene);
      await payFor(scene, mine);
      return { op: "extend", holdId: mine.id };
    },
  },
  {
    code: "hold_would_be_empty",
    status: 409,
    run: async (scene) => {
      const mine = await held(scene);
      return { op: "change", holdId: mine.id, remove: mine.items.map(({ id }) => id) };
    },
  },
  {
    code: "hold_changed_too_often",
    status: 409,
    run: async (scene) => {
      let mine = await held(scene);
      for (let n = 0; ; n += 1) {
        const body = { add: seats(n % 2 === 0 ? "A-2" : "A-1"), remove: [mine.items[0]?.id] };
        const reply = await patch(`/holds/${mine.id}`, scene.buyer, body);
        if (reply.status !== 200 || n > 200) return reply;
        mine = reply.body as HoldShape;
      }
    },
  },
  {
    code: "item_not_found",
    status: 404,
    members: ["items"],
    run: async (scene) => {
      const mine = await held(scene);
      return { op: "change", holdId: mine.id, remove: [NOBODY] };
    },
  },
  {
    code: "payment_required",
    status: 409,
    terms: async () => ({
      organizationId: await openOrganization(api, office.admin, { allowInvoices: false }),
    }),
    run: async (scene) => book(scene, (await held(scene)).id),
  },
  {
    code: "intent_not_found",
    status: 404,
    run: () => api.post(`/api/v1/payments/sandbox/${NOBODY}/succeed`),
  },
  {
    code: "booking_not_found",
    status: 404,
    run: async (scene) => {
      return { op: "cancel", bookingId: (await booked(scene)).id, token: scene.other };
    },
  },
  {
    code: "booking_pending",
    status: 409,
    run: async (scene) => {
      const { id } = await payFor(scene, await held(scene));
      return { op: "transfer", bookingId: id, email: "x@example.org" };
    },
  },
  {
    code: "booking_cancelled",
    status: 409,
    run: async (scene) => {
      const { id } = await booked(scene);
      ok(await post(`/bookings/${id}/cancel`, scene.buyer));
      return { op: "transfer", bookingId: id, email: "x@example.org" };
    },
  },
  {
    code: "cancellation_closed",
    status: 409,
    terms: () => ({ cancellableUntil: "2020-01-01T00:00:00Z" }),
    members: ["closedAt"],
    run: async (scene) => ({ op: "cancel", bookingId: (await booked(scene)).id }),
  },
  {
    code: "ticket_not_found",
    status: 404,
    run: (scene) => checkIn(scene, { ticketCode: "2222222222222222" }),
  },
  {
    code: "ticket_not_found",
    status: 404,
    run: async (scene) => {
      return { op: "cancel", bookingId: (await booked(scene)).id, ticketIds: [NOBODY] };
    },
  },
  {
    code: "ticket_cancelled",
    status: 409,
    run: async (scene) => {
      const { id, tickets } = await booked(scene, seats("A-1", "A-2"));
      const ticketId = tickets[0]?.id;
      ok(await post(`/bookings/${id}/cancel`, scene.buyer, { ticketIds: [ticketId] }));
      return { op: "move", bookingId: id, ticketId, seat: "A-3" };
    },
  },
  {
    code: "ticket_cancelled",
    status: 409,
    run: async (scene) => {
      const { id, tickets } = await booked(scene, seats("A-1", "A-2"));
      const [ticket] = tickets;
      ok(await post(`/bookings/${id}/cancel`, scene.buyer, { ticketIds: [ticket?.id] }));
      return checkIn(scene, { ticketCode: ticket?.code });
    },
  },
  {
    code: "ticket_not_movable",
    status: 409,
    run: async (scene) => {
      const { id, tickets } = await booked(scene, [floor(1)]);
      return { op: "move", bookingId: id, ticketId: tickets[0]?.id, seat: "A-1" };
    },
  },
  {
    code: "price_differs",
    status: 409,
    members: ["priceDifference"],
    run: async (scene) => {
      const { id, tickets, payment } = await payFor(scene, await held(scene, seats("A-9")));
      ok(await api.post(`/api/v1/payments/sandbox/${payment?.intentId}/succeed`));
      return { op: "move", bookingId: id, ticketId: tickets[0]?.id, seat: "A-1" };
    },
  },
  {
    code: "already_checked_in",
    status: 409,
    members: ["checkedInAt"],
    run: async (scene) => {
      const [ticket] = (await booked(scene)).tickets;
      ok(await checkIn(scene, { ticketCode: ticket?.code }));
      return checkIn(scene, { ticketCode: ticket?.code });
    },
  },
  {
    code: "already_checked_in",
    status: 409,
    members: ["checkedInAt"],
    run: async (scene) => {
      const { id, tickets } = await booked(scene);
      ok(await checkIn(scene, { ticketCode: tickets[0]?.code }));
      return { op: "cancel", bookingId: id };
    },
  },
  {
    code: "not_checked_in",
    status: 409,
    run: async (scene) => {
      const [ticket] = (await booked(scene)).tickets;
      return checkIn(scene, { ticketCode: ticket?.code, undo: true });
    },
  },
  {
    code: "capacity_in_use",
    status: 409,
    members: ["area", "inUse"],
    run: async (scene) => {
      await held(scene, [floor(2)]);
      return inventory(scene, { areas: [{ key: "floor", capacity: 1 }] });
    },
  },
  {
    code: "already_waiting",
    status: 409,
    run: async ({ event, buyer, other }) => {
      await office.hold(event, other, [floor(5), ...seats("A-1", "A-2", "A-3", "A-4", "A-5")]);
      ok(await post(`/events/${event.id}/waitlist`, buyer, { quantity: 9 }), 201);
      return { op: "waitlist.join", eventId: event.id, quantity: 8 };
    },
  },
  {
    code: "not_waiting",
    status: 404,
    run: ({ path, buyer }) => api.get(`${path}/waitlist/me`, { token: buyer }),
  },
  {
    code: "idempotency_key_reused",
    status: 422,
    run: async (scene) => {
      const { path, buyer } = scene;
      const ask = (...ids: string[]) =>
        api.post(`${path}/holds`, { token: buyer, key: "k", body: { items: seats(...ids) } });
      ok(await ask("A-1"), 201);
      return hold(scene, seats("A-2"), { idempotencyKey: "k" });
    },
  },
  {
    code: "validation_failed",
    status: 400,
    members: ["errors"],
    run: (scene) => ({ ...book(scene, ""), payment: 7 }),
  },
  {
    code: "unauthenticated",
    status: 401,
    run: (scene) => ({ ...hold(scene, seats("A-1")), token: "nobody's" }),
  },
  {
    code: "forbidden",
    status: 403,
    run: (scene) => post(`/events/${scene.event.id}/check-ins`, scene.buyer, { ticketCode: "2" }),
  },
  {
    code: "organization_not_found",
    status: 404,
    run: ({ buyer }) => patch(`/organizations/${NOBODY}`, buyer, { name: "Ours" }),
  },
  {
    code: "webhook_signature_invalid",
    status: 400,
    run: () => api.post("/api/v1/payments/webhooks/sandbox", { body: {} }),
  },
  {
    code: "payment_provider_unknown",
    status: 404,
    run: () => api.post("/api/v1/payments/webhooks/cash", { body: {} }),
  },
];

for (const { code, status, terms, members = [], run } of CASES) {
  test(`${code}${members.length > 0 ? ` names ${members.join(", ")}` : ""}`, async () => {
    const event = await openStudio(api, (await terms?.()) ?? {});
    const [buyer, other] = [await office.register(), await office.register()];
    const path = `/api/v1/events/${event.id}`;
    const done = await run({ event, path, buyer: buyer.token, other: other.token });
    const isAsked = "op" in done;
    const token = isAsked ? (done.token ?? buyer.token) : "";
    const problem = refused(isAsked ? await overHttp(done, token) : done, status, code);
    for (const member of members) assert.ok(member in problem, `${member} is missing`);
    if (!isAsked) return;
    const { requestId: _, ...said } = problem;
    assert.deepEqual(await overWebSocket(done, token), { status, body: said });
  });
}

/** Codes that no request alone can bring about, and where they are reached. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  inventory_fixed: "engine/decide.test.ts",
  internal: "gateway/booking/booking-desk.test.ts",
  busy: "gateway/http/server.test.ts",
  timeout: "gateway/booking/booking-desk.test.ts",
};

test("every code of the one table is reached by a test that names it", () => {
  const here = join(ROOT, "tests/e2e");
  const all = readdirSync(here)
    .map((name) => readFileSync(join(here, name), "utf8"))
    .join("\n");
  const missing = Object.keys(PROBLEMS).filter((code) => {
    const elsewhere = ELSEWHERE[code];
    const text = elsewhere === undefined ? all : readFileSync(join(ROOT, elsewhere), "utf8");
    return !text.includes(`"${code}"`);
  });
  assert.deepEqual(missing, []);
});
