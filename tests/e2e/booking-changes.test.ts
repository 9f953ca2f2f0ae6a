/** What becomes of a booking: cancelled in part, moved, handed over; and who reads of it. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { BoxOffice, floor, refused, seats } from "../support/box-office.ts";
import { LiveClient } from "../support/client.ts";
import { MailFolder } from "../support/mail-folder.ts";
import { until } from "../support/server.ts";
import type { BookingShape, HistoryShape, LogShape, Page, SignedIn } from "../support/shapes.ts";
import { auditOf, availabilityOf, ok, openStudio } from "../support/venue.ts";

const office = BoxOffice.forThisFile();
const mails = new MailFolder(() => office.node.dataDir);

const post = (booking: BookingShape, what: string, token: string, body?: object) =>
  office.api.post<BookingShape>(`/api/v1/bookings/${booking.id}/${what}`, {
    token,
    ...(body === undefined ? {} : { body }),
  });

const historyOf = async (booking: BookingShape, token: string) =>
  ok(await office.api.get<Page<HistoryShape>>(`/api/v1/bookings/${booking.id}/history`, { token }))
    .data;

test("a part of a booking is cancelled, then the rest; each freed place returns to sale", async () => {
  const event = await openStudio(office.api);
  const { token, id: userId } = await office.register();
  const booked = await office.book(event, token, [...seats("A-1", "A-2"), floor(1)]);
  const [first, second, third] = booked.tickets;
  const ticketIds = [second?.id, third?.id];
  const part = ok(await post(booked, "cancel", token, { ticketIds, reason: "ill" }));
  assert.equal(part.status, "confirmed");
  assert.deepEqual(
    part.tickets.map(({ id, status }) => [id, status]),
    [
      [first?.id, "valid"],
      [second?.id, "cancelled"],
      [third?.id, "cancelled"],
    ],
  );
  assert.deepEqual(await office.booking(booked.id, token), part);
  assert.deepEqual(ok(await post(booked, "cancel", token, { ticketIds })), part, "and again");
  const shown = await availabilityOf(office.api, event.id);
  assert.deepEqual([shown.statuses, shown.free], ["sfffffffff", 14]);
  const whole = ok(await post(booked, "cancel", token));
  assert.deepEqual([whole.status, whole.cancelReason], ["cancelled", null]);
  assert.deepEqual(await office.booking(booked.id, token), whole);
  const history = await historyOf(booked, token);
  assert.deepEqual(
    history.map(({ change, by, reason, seq }) => [change, by.who, by.userId, reason, seq]),
    [
      ["booked", "you", userId, null, booked.seq],
      ["cancelled", "you", userId, "ill", part.seq],
      ["cancelled", "you", userId, null, whole.seq],
    ],
  );
  await auditOf(office.api, event.id);
});

test("a ticket gets another seat; the seat it had is free at once", async () => {
  const event = await openStudio(office.api);
  const [mine, other] = [await office.register(), await office.register()];
  const booked = await office.book(event, mine.token, seats("A-1", "A-2"));
  await office.hold(event, other.token, seats("A-3"));
  const [, ticket] = booked.tickets;
  const move = (seat: string, token = mine.token) =>
    post(booked, `tickets/${ticket?.id}/move`, token, { seat });
  assert.deepEqual(refused(await move("A-3"), 409, "seat_unavailable").seats, ["A-3"]);
  refused(await move("Z-1"), 400, "unknown_seat");
  refused(await move("A-4", other.token), 404, "booking_not_found");
  const { priceDifference, ...moved } = ok(await move("A-9"));
  assert.deepEqual(priceDifference, { amount: -2000, currency: "EUR" });
  assert.deepEqual(
    moved.tickets.map(({ id, seat, price, code }) => [id, seat, price, code]),
    [
      [booked.tickets[0]?.id, "A-1", 4500, booked.tickets[0]?.code],
      [ticket?.id, "A-9", 2500, ticket?.code],
    ],
  );
  assert.deepEqual(await office.booking(booked.id, mine.token), moved);
  assert.equal((await availabilityOf(office.api, event.id)).statuses, "sfhfffffsf");
  const [, entry] = await historyOf(booked, mine.token);
  assert.deepEqual(
    { ...entry, change: "ticket_moved", from: "A-2", to: "A-9", tickets: [ticket?.id] },
    entry,
  );
  await auditOf(office.api, event.id);
});

test("a booking is handed over to an account, or to whoever comes to own the address", async () => {
  const event = await openStudio(office.api);
  const [mine, other] = [await office.register(), await office.confirmed()];
  const booked = await office.book(event, mine.token, seats("A-1"));
  const given = ok(await post(booked, "transfer", mine.token, { email: other.email }));
  assert.equal(given.email, other.email);
  const path = `/api/v1/bookings/${booked.id}`;
  refused(await office.api.get(path, { token: mine.token }), 404, "booking_not_found");
  const theirs = await office.booking(booked.id, other.token);
  assert.deepEqual(withoutCodes(theirs), given, "visible at once, and the codes theirs alone");
  const list = ok(await office.api.get<Page<BookingShape>>("/api/v1/bookings", other));
  assert.deepEqual(list.data, [theirs]);

  const email = `${randomUUID()}@example.org`;
  const onwards = ok(await post(booked, "transfer", other.token, { email: email.toUpperCase() }));
  assert.equal(onwards.email, email);
  const late = await office.register(email);
  refused(await office.api.get(path, late), 404, "booking_not_found");
  const admitting = (await office.booking(booked.id, office.admin)).tickets;
  await mails.confirm(office.api, late);
  const { seq, ...got } = await office.booking(booked.id, late.token);
  assert.deepEqual(withoutCodes({ ...got, seq: onwards.seq }), onwards);
  assert.deepEqual([got.tickets, seq > onwards.seq], [admitting, true], "with the same codes");
  const history = await historyOf(booked, late.token);
  assert.deepEqual(
    history.map(({ change, by, email }) => [change, by.who, email]),
    [
      ["booked", "owner", undefined],
      ["transferred", "owner", undefined],
      ["transferred", "owner", undefined],
      ["transferred", "owner", email],
    ],
  );
  const seen = await historyOf(booked, office.admin);
  const addresses = seen.map((entry) => entry.email);
  const all = [undefined, other.email, email, email];
  assert.deepEqual(addresses, all, "the organiser reads all of it");
  const pages: HistoryShape[] = [];
  let query = "limit=1";
  for (let page = 1; page <= history.length; page += 1) {
    const at = `${path}/history?${query}`;
    const { data, nextCursor } = ok(await office.api.get<Page<HistoryShape>>(at, late));
    assert.deepEqual([data.length, nextCursor === null], [1, page === history.length]);
    pages.push(...data);
    query = `limit=1&cursor=${nextCursor}`;
  }
  assert.deepEqual(pages, history, "and page by page the same");
  for (const wrong of ["limit=0", "limit=101", "cursor=x"]) {
    refused(await office.api.get(`${path}/history?${wrong}`, late), 400, "validation_failed");
  }
  await auditOf(office.api, event.id);
});

test("what is handed over to an address is nobody's who has merely registered with it", async () => {
  const { api, node } = office;
  const event = await openStudio(api);
  const mine = await office.register();
  const early = await office.book(event, mine.token, seats("A-1"));
  const late = await office.book(event, mine.token, seats("A-2"));
  const email = `${randomUUID()}@example.org`;
  ok(await post(early, "transfer", mine.token, { email }));
  const stranger = await office.register(email);
  const live = await LiveClient.open(node.url, stranger.token);
  ok(await post(late, "transfer", mine.token, { email }));
  // Their opening the mail makes it no more the stranger's.
  const body = { token: await mails.tokenFor(email) };
  ok(await api.post("/api/v1/auth/verify-email", { body }));
  const login = async (password: string) => {
    const asked = { body: { email, password } };
    return { token: ok(await api.post<SignedIn>("/api/v1/auth/login", asked)).accessToken };
  };
  const again = await login("long enough 1");
  const list = ok(await api.get<Page<BookingShape>>("/api/v1/bookings", again));
  const { bookings } = ok(await api.get<{ bookings: unknown[] }>("/api/v1/users/me/export", again));
  assert.deepEqual([list.data, bookings], [[], []]);
  for (const { id } of [early, late]) {
    const at = `/api/v1/bookings/${id}`;
    const given = { ...again, body: { email: mine.email } };
    for (const reply of [
      await api.get(at, again),
      await api.get(`${at}/history`, again),
      await api.post(`${at}/cancel`, { ...again, body: {} }),
      await api.post(`${at}/transfer`, given),
    ]) {
      refused(reply, 404, "booking_not_found");
    }
    const { code, body: problem } = await live.ask({ op: "cancel", bookingId: id });
    assert.equal(problem?.code ?? code, "booking_not_found");
  }
  assert.deepEqual(live.take("booking.updated"), []);
  live.close();
  ok(await api.post("/api/v1/auth/forgot-password", { body: { email } }), 202);
  const reset = {
    token: await mails.tokenFor(email, { kind: "reset" }),
    password: "the owner's own 1",
  };
  ok(await api.post("/api/v1/auth/reset-password", { body: reset }), 204);
  const owner = await login("the owner's own 1");
  const theirs = ok(await api.get<Page<BookingShape>>("/api/v1/bookings", owner)).data;
  assert.deepEqual(new Set(theirs.map(({ id }) => id)), new Set([early.id, late.id]));
  await auditOf(api, event.id);
});

const withoutCodes = (booking: BookingShape): BookingShape => ({
  ...booking,
  tickets: booking.tickets.map(({ code: _, ...ticket }) => ticket),
});

test("the tickets of a booking that was handed over have new codes; the old ones admit nobody", async () => {
  const { api, admin, node } = office;
  const event = await openStudio(api);
  const [mine, other] = [await office.register(), await office.confirmed()];
  const booked = await office.book(event, mine.token, seats("A-1", "A-2"));
  const scan = (code: string | undefined, undo = false) => {
    const body = { ticketCode: code, undo };
    return api.post(`/api/v1/events/${event.id}/check-ins`, { token: admin, body });
  };
  const [first, second] = booked.tickets;
  ok(await scan(first?.code));
  ok(await scan(first?.code, true));
  const key = { key: "hand-over" };
  const to = { token: mine.token, body: { email: other.email } };
  const path = `/api/v1/bookings/${booked.id}/transfer`;
  const given = ok(await api.post<BookingShape>(path, { ...to, ...key }));
  assert.ok(given.tickets.every((ticket) => !("code" in ticket)));
  const theirs = await office.booking(booked.id, other.token);
  const codes = theirs.tickets.map(({ code }) => code);
  assert.equal(new Set([first?.code, second?.code, ...codes]).size, 4);
  assert.deepEqual(await office.booking(booked.id, admin), theirs, "the organiser sees them");

  const stillSo = async () => {
    for (const { code } of booked.tickets) refused(await scan(code), 404, "ticket_not_found");
    const replayed = await api.post<BookingShape>(path, { ...to, ...key });
    assert.equal(replayed.headers["idempotent-replayed"], "true");
    assert.deepEqual(ok(replayed), given);
    refused(await api.post(path, to), 404, "booking_not_found");
    const again = { token: other.token, body: { email: other.email } };
    assert.deepEqual(ok(await api.post(path, again)), theirs, "theirs already: nothing changes");
    assert.deepEqual(await office.booking(booked.id, other.token), theirs);
  };
  await stillSo();
  await node.kill9();
  await node.start();
  await stillSo();
  ok(await scan(codes[0]));
  await auditOf(api, event.id);
});

/** All of it, two entries a page. */
async function logOf(path: string): Promise<LogShape[]> {
  const { admin: token, api } = office;
  const read: LogShape[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const query = cursor === "" ? "?limit=2" : `?limit=2&cursor=${cursor}`;
    const page: Page<LogShape> = ok(await api.get(`${path}/log${query}`, { token }));
    read.push(...page.data);
    cursor = page.nextCursor;
  }
  return read;
}

test("the organiser reads everything that happened to the event, page by page", async () => {
  const event = await openStudio(office.api);
  const { token, id } = await office.register();
  const path = `/api/v1/events/${event.id}`;
  const { admin, api } = office;
  const me = await api.get<{ id: string }>("/api/v1/users/me", { token: admin });
  const organiser = me.body.id;
  const booked = await office.book(event, token, seats("A-1", "A-2"));
  ok(await api.patch(`${path}/inventory`, { token: admin, body: { block: ["A-10"] } }));
  ok(await post(booked, "cancel", admin, { ticketIds: [booked.tickets[0]?.id], reason: "rain" }));
  const prices = { priceCategories: [{ key: "stalls", price: 9900 }] };
  ok(await api.patch(path, { token: admin, body: prices }));
  ok(await api.post(`${path}/cancel`, { token: admin }));
  let read: readonly LogShape[] = [];
  // What becomes of the event's bookings follows the answer, step by step.
  await until("the booking is cancelled with its event", async () => {
    read = await logOf(path);
    return read.at(-1)?.reason === "event_cancelled";
  });
  assert.deepEqual(
    read.map(({ change, userId, reason }) => [change, userId, reason]),
    [
      ["configured", organiser, null],
      ["booked", id, null],
      ["inventory_changed", organiser, null],
      ["cancelled", organiser, "rain"],
      ["configured", organiser, null],
      ["event_cancelled", organiser, null],
      ["cancelled", null, "event_cancelled"],
    ],
  );
  const [first, , , , dearer] = read;
  assert.deepEqual(
    [first, dearer].map((entry) => entry?.prices?.[0]),
    [4500, 9900].map((amount) => ({ category: "stalls", price: { amount, currency: "EUR" } })),
  );
  assert.deepEqual(
    read.map(({ seq }) => seq),
    read.map(({ seq }) => seq).toSorted((a, b) => a - b),
  );
  refused(await api.get(`${path}/log`, { token }), 403, "forbidden");
});

test("the organiser finds a booking by the code that its buyer reads out, among all", async () => {
  const event = await openStudio(office.api);
  const { token } = await office.register();
  const first = await office.book(event, token, seats("A-1", "A-2"));
  const second = await office.book(event, token, seats("A-4"));
  const { admin, api } = office;
  const path = `/api/v1/events/${event.id}/bookings`;
  const read = async (query: string) =>
    ok(await api.get<Page<BookingShape>>(`${path}?${query}`, { token: admin }));
  await until("both are there", async () => (await read("")).data.length === 2);
  const [newest, cursor] = await read("limit=1").then((page) => [page.data, page.nextCursor]);
  assert.deepEqual(newest, [await office.booking(second.id, token)]);
  const rest = await read(`limit=1&cursor=${cursor}`);
  assert.deepEqual([rest.data[0]?.id, rest.nextCursor], [first.id, null]);

  const spoken = `${first.code.slice(0, 5)} - ${first.code.slice(5)}`.toLowerCase();
  const found = await read(`code=${encodeURIComponent(spoken)}`);
  assert.deepEqual([found.data.map(({ id }) => id), found.nextCursor], [[first.id], null]);
  assert.deepEqual(found.data[0], await office.booking(first.id, token));
  const [one = "", ...others] = first.code;
  const misheard = `${one === "Z" ? "Y" : "Z"}${others.join("")}`;
  const mistyped = await api.get(`${path}?code=${misheard}`, { token: admin });
  assert.equal(refused(mistyped, 400, "validation_failed").errors?.[0]?.path, "code");
  refused(await api.get(`${path}?cursor=no`, { token: admin }), 400, "validation_failed");
  refused(await api.get(path, { token }), 403, "forbidden");
  refused(await api.get(path), 401, "unauthenticated");
});

test("the organiser sees a booking as soon as its buyer was told of it", async () => {
  const event = await openStudio(office.api);
  const { token } = await office.register();
  for (let n = 0; n < 5; n += 1) {
    const { id } = await office.book(event, token, [{ area: "floor", quantity: 1 }]);
    assert.equal((await office.booking(id, office.admin)).id, id);
  }
});
