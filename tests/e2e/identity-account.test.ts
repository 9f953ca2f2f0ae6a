/** What people keep, see and take along: guests who register, their own data, going for good. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import pg from "pg";
import { BoxOffice, floor, refused, seats } from "../support/box-office.ts";
import { LiveClient } from "../support/client.ts";
import { MailFolder } from "../support/mail-folder.ts";
import { until } from "../support/server.ts";
import type { BookingShape, HoldShape, SignedIn } from "../support/shapes.ts";
import { auditOf, guestToken, ok, openOrganization, openStudio } from "../support/venue.ts";

const office = BoxOffice.forThisFile();
const { api } = office;
const mails = new MailFolder(() => office.node.dataDir);
const password = "long enough 1";
const freshEmail = () => `${randomUUID()}@example.org`;

interface Arrived extends SignedIn {
  readonly handedOver?: { readonly bookings: number; readonly left: number };
}
interface Export {
  readonly user: { readonly id: string };
  readonly memberships: readonly { readonly organizationId: string; readonly role: string }[];
  readonly bookings: readonly BookingShape[];
  readonly holds: readonly HoldShape[];
  readonly waitlist: readonly { readonly eventId: string; readonly quantity: number }[];
  readonly sessions: readonly unknown[];
}
const ME = "/api/v1/users/me";
const enter = (how: "register" | "login", email: string, token?: string) =>
  api.post<Arrived>(`/api/v1/auth/${how}`, {
    body: { email, password },
    ...(token === undefined ? {} : { token }),
  });
const bookingsOf = async (token: string) =>
  ok(await api.get<{ data: BookingShape[] }>("/api/v1/bookings", { token })).data;
const myExport = async (token: string) => ok(await api.get<Export>(`${ME}/export`, { token }));
const leave = (token: string) => api.delete(ME, { token });

/** The rows of all tables that have this text in them. */
async function rowsWith(text: string): Promise<string[]> {
  const client = new pg.Client(office.node.databaseUrl);
  await client.connect();
  const { rows: tables } = await client.query<{ name: string }>(
    `SELECT quote_ident(table_name) AS name FROM information_schema.tables
     WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const { rows } = await client.query<{ row: string }>(
      `SELECT to_jsonb(t)::text AS row FROM ${name} t WHERE strpos(to_jsonb(t)::text, $1) > 0`,
      [text],
    );
    found.push(...rows.map(({ row }) => `${name}: ${row}`));
  }
  await client.end();
  return found;
}

async function bookedAsGuest() {
  const event = await openStudio(api);
  const guest = await guestToken(api);
  const { id } = await office.hold(event, guest, seats("A-1", "A-2"));
  const body = { holdId: id, payment: { provider: "none" }, email: "guest@example.org" };
  const path = `/api/v1/events/${event.id}/bookings`;
  const booking = ok(await api.post<BookingShape>(path, { token: guest, body }), 201);
  return { event, guest, booking };
}

test("a guest who registers keeps bookings and holds", async () => {
  const { event, guest, booking } = await bookedAsGuest();
  const held = await office.hold(event, guest, seats("A-5"));
  const guestId = ok(await api.get<{ id: string }>(ME, { token: guest })).id;
  const arrived = ok(await enter("register", freshEmail(), guest), 201);
  assert.equal(arrived.user.id, guestId);
  assert.equal(arrived.user.role, "customer");
  assert.deepEqual(
    (await bookingsOf(arrived.accessToken)).map(({ id }) => id),
    [booking.id],
  );
  const kept = await office.tryBook(event, arrived.accessToken, held.id);
  assert.equal(ok(kept, 201).holdId, held.id);
  const second = ok(await enter("register", freshEmail(), guest), 201);
  assert.notEqual(second.user.id, guestId);
  assert.deepEqual(await bookingsOf(second.accessToken), []);
  await auditOf(api, event.id);
});

test("the token of a guest who became somebody opens nothing of theirs", async () => {
  const { booking, guest } = await bookedAsGuest();
  const live = await LiveClient.open(office.node.url, guest);
  const { accessToken: token } = ok(await enter("register", freshEmail(), guest), 201);
  assert.equal((await live.next("error")).code, "unauthenticated");
  live.close();
  for (const path of [ME, `${ME}/export`, "/api/v1/bookings", `/api/v1/bookings/${booking.id}`]) {
    refused(await api.get(path, { token: guest }), 401, "unauthenticated");
    ok(await api.get(path, { token }));
  }
  refused(await leave(guest), 401, "unauthenticated");
  assert.equal((await api.post("/api/v1/auth/logout", { token: guest })).status, 204);
  ok(await api.get(ME, { token }));
});

test("the token of a guest who signs in goes on: it has the guest's holds, and nothing else", async () => {
  const { event, guest } = await bookedAsGuest();
  const held = await office.hold(event, guest, seats("A-5"));
  const email = freshEmail();
  ok(await enter("register", email), 201);
  const { accessToken } = ok(await enter("login", email, guest));
  assert.equal((await bookingsOf(accessToken)).length, 1);
  assert.deepEqual(await bookingsOf(guest), []);
  ok(await api.get(`/api/v1/holds/${held.id}`, { token: guest }));
});

test("a guest who signs in takes the bookings along; what can't be moved stays", async () => {
  const { event, guest, booking } = await bookedAsGuest();
  const gone = await office.hold(event, guest, seats("A-4"));
  const body = { holdId: gone.id, payment: { provider: "none" }, email: "guest@example.org" };
  const path = `/api/v1/events/${event.id}/bookings`;
  const cancelled = ok(await api.post<BookingShape>(path, { token: guest, body }), 201);
  ok(await api.post(`/api/v1/bookings/${cancelled.id}/cancel`, { token: guest, body: {} }));
  const email = freshEmail();
  const known = ok(await enter("register", email), 201);
  assert.equal(known.handedOver, undefined);
  const arrived = ok(await enter("login", email, guest));
  assert.deepEqual(arrived.handedOver, { bookings: 1, left: 1 });
  const mine = await bookingsOf(arrived.accessToken);
  assert.deepEqual(
    mine.map(({ id, email: to }) => [id, to]),
    [[booking.id, email]],
  );
  const codesOf = (one: BookingShape | undefined) => one?.tickets.map(({ code }) => code);
  assert.deepEqual(codesOf(mine[0]), codesOf(booking), "printed tickets go on admitting");
  assert.deepEqual(ok(await enter("login", email, guest)).handedOver, { bookings: 0, left: 1 });
  assert.equal(ok(await enter("login", email, arrived.accessToken)).handedOver, undefined);
  await auditOf(api, event.id);
});

test("whoever was given a booking before has it with the address, coming as a guest, too", async () => {
  const { guest, booking } = await bookedAsGuest();
  const other = await bookedAsGuest();
  const email = freshEmail();
  const transfer = `/api/v1/bookings/${other.booking.id}/transfer`;
  ok(await api.post(transfer, { token: other.guest, body: { email } }));
  const arrived = ok(await enter("register", email, guest), 201);
  assert.deepEqual(
    (await bookingsOf(arrived.accessToken)).map(({ id }) => id),
    [booking.id],
  );
  await mails.confirm(api, { email, token: arrived.accessToken });
  assert.deepEqual(
    new Set((await bookingsOf(arrived.accessToken)).map(({ id }) => id)),
    new Set([booking.id, other.booking.id]),
  );
});

test("names and password are changed by their owner, the password with the old one", async () => {
  const { token, email } = await office.register();
  const elsewhere = ok(await enter("login", email));
  const patch = (body: object) => api.patch<SignedIn["user"]>(ME, { token, body });
  const named = ok(await patch({ firstName: "Ann", lastName: "Lee" }));
  assert.deepEqual(ok(await api.get(ME, { token })), named);
  const { firstName, lastName } = ok(await patch({ lastName: null })) as typeof named & {
    firstName: string;
    lastName: null;
  };
  assert.deepEqual([firstName, lastName], ["Ann", null]);
  refused(await patch({ password: "another long one" }), 401, "invalid_credentials");
  refused(await patch({ email: freshEmail() }), 400, "validation_failed");
  refused(await patch({ password: "short" }), 400, "validation_failed");
  ok(await patch({ password: "another long one", currentPassword: password }));
  ok(await api.get(ME, { token }));
  refused(await api.get(ME, { token: elsewhere.accessToken }), 401, "unauthenticated");
  refused(await enter("login", email), 401, "invalid_credentials");
  const guest = { token: await guestToken(api), body: { firstName: "No" } };
  refused(await api.patch(ME, guest), 403, "forbidden");
});

test("the export has all of one's own, and nobody else's", async () => {
  const event = await openStudio(api);
  const { token, id } = await office.register();
  const other = await office.register();
  const booking = await office.book(event, token, seats("A-1"));
  await office.book(event, other.token, seats("A-2"));
  const held = await office.hold(event, token, seats("A-3"));
  await office.hold(event, other.token, [floor(5)]);
  const wait = { token, body: { quantity: 2, categories: ["standing"] } };
  ok(await api.post(`/api/v1/events/${event.id}/waitlist`, wait), 201);
  const organizationId = await openOrganization(api, token);
  const all = await myExport(token);
  assert.equal(all.user.id, id);
  assert.deepEqual(
    all.bookings.map((one) => [one.id, one.code]),
    [[booking.id, booking.code]],
  );
  assert.deepEqual(
    all.holds.map((one) => one.id),
    [held.id],
  );
  assert.deepEqual(
    all.waitlist.map((one) => [one.eventId, one.quantity]),
    [[event.id, 2]],
  );
  assert.deepEqual(
    all.memberships.map((one) => [one.organizationId, one.role]),
    [[organizationId, "owner"]],
  );
  assert.equal(all.sessions.length, 1);
  const guest = await myExport(await guestToken(api));
  assert.deepEqual([guest.bookings, guest.memberships], [[], []]);
  refused(await api.get(`${ME}/export`), 401, "unauthenticated");
});

/** A booking that was handed over to an address and used: nobody can be handed it any more. */
async function givenAndUsed(email: string): Promise<BookingShape> {
  const { event, guest, booking } = await bookedAsGuest();
  const path = `/api/v1/bookings/${booking.id}`;
  ok(await api.post(`${path}/transfer`, { token: guest, body: { email } }));
  const admin = { token: office.admin };
  // Who organises sees it when it is stored.
  let ticketCode = booking.tickets[0]?.code;
  await until("its codes are new", async () => {
    [ticketCode] = ok(await api.get<BookingShape>(path, admin)).tickets.map(({ code }) => code);
    return ticketCode !== booking.tickets[0]?.code;
  });
  const body = { ticketCode };
  ok(await api.post(`/api/v1/events/${event.id}/check-ins`, { ...admin, body }));
  return booking;
}

test("who merely registered with an address takes nothing away with it but the account", async () => {
  const { guest, booking } = await bookedAsGuest();
  const email = freshEmail();
  const { accessToken: stranger } = ok(await enter("register", email), 201);
  // Two mails of one moment may come in any order.
  await mails.tokenFor(email);
  ok(await api.post(`/api/v1/bookings/${booking.id}/transfer`, { token: guest, body: { email } }));
  assert.equal((await leave(stranger)).status, 204);
  const { accessToken: token } = ok(await enter("register", email), 201);
  const body = { token: await mails.tokenFor(email, { nth: 2 }) };
  ok(await api.post("/api/v1/auth/verify-email", { token, body }));
  assert.deepEqual(
    (await bookingsOf(token)).map(({ id }) => id),
    [booking.id],
  );
});

test("who goes is gone at once; the bookings stay, without an address, in memory too", async () => {
  const { event, guest, booking: given } = await bookedAsGuest();
  const email = freshEmail();
  const arrived = ok(await enter("register", email), 201);
  const { accessToken: token, refreshToken } = arrived;
  ok(await api.post(`/api/v1/bookings/${given.id}/transfer`, { token: guest, body: { email } }));
  const used = await givenAndUsed(email);
  await mails.confirm(api, { email, token });
  const held = await office.hold(event, token, seats("A-4"));
  const body = { holdId: held.id, payment: { provider: "none" }, email };
  const path = `/api/v1/events/${event.id}/bookings`;
  const booking = ok(await api.post<BookingShape>(path, { token, body }), 201);
  const wait = { token, body: { quantity: 1, categories: ["standing"] } };
  await office.hold(event, (await office.register()).token, [floor(5)]);
  ok(await api.post(`/api/v1/events/${event.id}/waitlist`, wait), 201);
  assert.notDeepEqual(await rowsWith(email), []);
  assert.equal((await leave(token)).status, 204);
  assert.deepEqual(await rowsWith(email), []);
  const lines = await api.get<{ data: unknown[] }>(`/api/v1/events/${event.id}/waitlist`, {
    token: office.admin,
  });
  assert.deepEqual(ok(lines).data, []);
  refused(await api.get(ME, { token }), 401, "unauthenticated");
  refused(await leave(token), 401, "unauthenticated");
  const refreshed = await api.post("/api/v1/auth/refresh", { body: { refreshToken } });
  refused(refreshed, 401, "unauthenticated");
  refused(await enter("login", email), 401, "invalid_credentials");
  const admin = { token: office.admin };
  for (const { id } of [booking, given, used]) {
    const kept = ok(await api.get<BookingShape>(`/api/v1/bookings/${id}`, admin));
    assert.deepEqual([kept.status, kept.email], ["confirmed", null]);
    const history = await api.get(`/api/v1/bookings/${id}/history`, admin);
    assert.ok(!history.text.includes(email), history.text);
    if (id === used.id) continue;
    const cancelled = await api.post(`/api/v1/bookings/${id}/cancel`, { ...admin, body: {} });
    assert.ok(!cancelled.text.includes(email), cancelled.text);
  }
  await auditOf(api, event.id);
  const again = ok(await enter("register", email), 201);
  assert.notEqual(again.user.id, arrived.user.id);
  assert.deepEqual(await bookingsOf(again.accessToken), []);
});

test("while money is on its way nobody goes, and no organisation loses its last owner", async () => {
  const event = await openStudio(api);
  const { token } = await office.register();
  const { id } = await office.hold(event, token, seats("A-1"));
  const body = { holdId: id, payment: { provider: "sandbox" }, email: "payer@example.org" };
  const path = `/api/v1/events/${event.id}/bookings`;
  const pending = ok(await api.post<BookingShape>(path, { token, body }), 202);
  refused(await leave(token), 409, "booking_pending");
  ok(await api.post(`/api/v1/bookings/${pending.id}/cancel`, { token, body: {} }));
  const staff = await office.register();
  await mails.confirm(api, staff);
  const organization = await openOrganization(api, token);
  const members = `/api/v1/organizations/${organization}/members`;
  ok(await api.post(members, { token, body: { email: staff.email, role: "staff" } }), 201);
  refused(await leave(token), 409, "last_owner");
  assert.equal((await leave(staff.token)).status, 204);
  assert.equal((await leave(token)).status, 204);
});

test("a guest goes, too", async () => {
  const { guest, booking } = await bookedAsGuest();
  assert.equal((await leave(guest)).status, 204);
  const kept = await office.booking(booking.id, office.admin);
  assert.equal(kept.email, null);
  refused(await api.get(ME, { token: guest }), 401, "unauthenticated");
  const ofAccounts = /^Feedback-ID: (?:verification|reset|invitation):/m;
  assert.ok(!mails.to("guest@example.org").some((mail) => ofAccounts.test(mail)));
});
