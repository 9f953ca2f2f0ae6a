/** What buyers are told by mail, as their mail program reads it. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { createCanvas, loadImage } from "@napi-rs/canvas";
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";
import type { BookingChange } from "../../engine/facts.ts";
import type { BookingId, EventId } from "../../engine/ids.ts";
import type { FactEntry } from "../../gateway/notifier/outbox-entry.ts";
import { Seal } from "../../gateway/notifier/seal.ts";
import { BoxOffice, floor, seats } from "../support/box-office.ts";
import { JWT_SECRET, MessageBench, type SentMail, SHOP } from "../support/message-bench.ts";
import { readPdf } from "../support/pdf-reader.ts";
import { readQr } from "../support/qr-reader.ts";
import type { BookingShape, EventShape } from "../support/shapes.ts";
import { guestToken, ok, openStudio } from "../support/venue.ts";

const office = BoxOffice.forThisFile();
const { api } = office;
const bench = new MessageBench(() => office.node.databaseUrl);
after(() => bench.close());

const factOf = (
  kind: FactEntry["kind"],
  event: EventShape,
  subjectId: string,
  { seq, change = null }: { readonly seq: number; readonly change?: BookingChange | null },
): FactEntry => ({
  kind,
  eventId: event.id as EventId,
  seq,
  change,
  subjectId: subjectId as BookingId,
  atMs: Date.now(),
});

/** The mails that follow once the rows are there, as the projector would ask for them. */
async function told(
  event: EventShape,
  booking: BookingShape,
  change: BookingChange | null = null,
): Promise<SentMail[]> {
  await projected(event, booking.seq);
  const kind = change === null ? "booked" : "bookingChanged";
  return bench.follow(factOf(kind, event, booking.id, { seq: booking.seq, change }));
}

async function projected(event: EventShape, seq: number): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    const { rows } = await bench.rows.query<{ seq: string }>(
      "SELECT seq FROM inventories WHERE event_id = $1",
      [event.id],
    );
    if (Number(rows[0]?.seq) >= seq) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail("the rows did not come");
}

function only(mails: readonly SentMail[]): SentMail {
  const [mail, ...more] = mails;
  assert.ok(mail !== undefined && more.length === 0, `${mails.length} mails`);
  return mail;
}

const studio = (changes: object = {}): Promise<EventShape> =>
  openStudio(api, {
    title: "Müller & Söhne <live>",
    startsAt: "2040-05-04T17:30:00Z",
    endsAt: "2040-05-04T19:45:00Z",
    timezone: "Europe/Berlin",
    venue: { name: "Große Halle", address: "Hafenstraße 1", city: "Jena", country: "DE" },
    ...changes,
  });

test("who has booked gets one mail with tickets that open the door", async () => {
  const event = await studio();
  const { token, email } = await office.register();
  const booked = await office.book(event, token, [...seats("A-3", "A-4"), floor(1)]);
  const { order, mail } = only(await told(event, booked));
  assert.deepEqual(order, {
    key: `confirmation:${booked.id}`,
    kind: "confirmation",
    to: email,
    organizationId: event.organizationId,
  });
  assert.equal(mail.subject, "Your tickets for Müller & Söhne <live>");
  assert.equal(mail.from?.value[0]?.name, "Test Stage");
  const text = mail.text ?? "";
  for (const said of [
    /Müller & Söhne <live>/,
    /Friday,? 4 May 2040/,
    /19:30 – 21:45 (CEST|GMT\+2)/,
    /Große Halle, Hafenstraße 1, Jena, Germany/,
    /Section Hall, Row A, Seat 3/,
    /Area Floor/,
    /€45\.00/,
    /Total\s+€120\.00/,
    new RegExp(`${SHOP}/bookings/${booked.id}`),
    /Choose which mails you get: https:/,
  ]) {
    assert.match(text, said);
  }
  const html = String(mail.html);
  assert.match(html, /Müller &amp; Söhne &lt;live&gt;/);
  assert.doesNotMatch(html, /<live>/);

  const named = (ending: string) =>
    mail.attachments.filter(({ filename = "" }) => filename.endsWith(ending));
  const keys = createLocalJWKSet(ok(await api.get<JSONWebKeySet>("/api/v1/ticket-keys")));
  const codes: unknown[] = [];
  for (const { content, cid, contentType } of named(".png")) {
    assert.equal(contentType, "image/png");
    // The parser has put the images into the HTML, where their names were.
    assert.ok(cid !== undefined && mail.attachments.some((one) => one.cid === cid));
    const image = await loadImage(content);
    const canvas = createCanvas(image.width, image.height);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    const { payload } = await jwtVerify<{ cod?: string }>(
      readQr(data, image.width, image.height) ?? "",
      keys,
    );
    codes.push(payload.cod);
  }
  assert.deepEqual(
    codes,
    booked.tickets.map(({ code }) => code),
  );
  assert.equal(html.match(/src="data:image\/png/g)?.length, 3);
  const [pdf] = named(".pdf");
  const pages = await readPdf(pdf?.content ?? Buffer.alloc(0));
  assert.deepEqual(
    pages.map(({ qr }) => qr !== null),
    [true, true, true],
  );
  const [calendar] = named(".ics");
  assert.match(calendar?.content.toString() ?? "", /DTSTART;TZID=Europe\/Berlin:20400504T193000/);

  assert.deepEqual(await told(event, booked), [], "the same again is not sent again");
});

test("a guest gets mail at the address that was left, and nobody where none was", async () => {
  const event = await studio();
  const token = await guestToken(api);
  const { id } = await office.hold(event, token, seats("A-1"));
  const path = `/api/v1/events/${event.id}/bookings`;
  const body = { holdId: id, payment: { provider: "none" }, email: "Guest@Example.org" };
  const booked = ok(await api.post<BookingShape>(path, { token, body }), 201);
  const { order, mail } = only(await told(event, booked));
  assert.equal(order.to, "guest@example.org");
  assert.equal(mail.subject, "Your ticket for Müller & Söhne <live>");
  const account = await office.register();
  const other = await office.book(event, account.token, seats("A-2"));
  ok(await api.delete("/api/v1/users/me", { token: account.token }), 204);
  assert.deepEqual(await told(event, other), []);
});

test("a cancellation names what is cancelled, and takes it out of calendars", async () => {
  const event = await studio();
  const { token } = await office.register();
  const booked = await office.book(event, token, seats("A-1", "A-2"));
  const cancel = (body: object) =>
    api.post<BookingShape>(`/api/v1/bookings/${booked.id}/cancel`, { token, body });
  const part = ok(await cancel({ ticketIds: [booked.tickets[0]?.id], reason: "Ill" }));
  const one = only(await told(event, part, "cancelled"));
  assert.equal(one.mail.subject, "Tickets for Müller & Söhne <live> are cancelled");
  assert.match(one.mail.text ?? "", /Cancelled[\s\S]*Seat 1[\s\S]*€45\.00/);
  assert.match(one.mail.text ?? "", /Reason: Ill/);
  assert.doesNotMatch(one.mail.text ?? "", /Seat 2|You get back/);
  assert.doesNotMatch(calendarOf(one), /METHOD:CANCEL/);
  const whole = ok(await cancel({}));
  const all = only(await told(event, whole, "cancelled"));
  assert.equal(all.mail.subject, "Your booking for Müller & Söhne <live> is cancelled");
  assert.match(calendarOf(all), /METHOD:CANCEL/);
  assert.equal(all.order.kind, "cancellation");
  // What is cancelled by now is not confirmed any more.
  assert.deepEqual(await told(event, booked), []);
});

const calendarOf = ({ mail }: SentMail): string =>
  mail.attachments.find(({ filename }) => filename?.endsWith(".ics"))?.content.toString() ?? "";

test("a cancelled event is told in the lane that waits for nobody", async () => {
  const event = await studio();
  const { token } = await office.register();
  const booked = await office.book(event, token, seats("A-1"));
  ok(await api.post(`/api/v1/events/${event.id}/cancel`, { token: office.admin }));
  await projected(event, booked.seq + 2);
  const { rows } = await bench.rows.query<{ seq: string }>(
    "SELECT seq FROM event_history WHERE booking_id = $1 AND change = 'cancelled'",
    [booked.id],
  );
  const seq = Number(rows[0]?.seq);
  const entry = factOf("bookingChanged", event, booked.id, { seq, change: "cancelled" });
  const [job] = (await bench.part.follow?.([entry], bench.rows)) ?? [];
  const handler = bench.part.handlers.find(({ kind }) => kind === job?.kind);
  assert.equal(handler?.lane, "urgent");
  const { mail } = only(await bench.follow(entry));
  assert.equal(mail.subject, "Cancelled: Müller & Söhne <live>");
  assert.match(mail.text ?? "", /will not take place/);
});

test("a booking that is handed over: tickets to the new owner, none to the one before", async () => {
  const event = await studio();
  const [anna, ben] = [await office.register(), await office.register()];
  const booked = await office.book(event, anna.token, seats("A-1"));
  const body = { email: ben.email };
  const moved = ok(
    await api.post<BookingShape>(`/api/v1/bookings/${booked.id}/transfer`, {
      token: anna.token,
      body,
    }),
  );
  const mails = await told(event, moved, "transferred");
  assert.equal(mails.length, 2);
  const [toBen, toAnna] = mails;
  assert.equal(toBen?.order.to, ben.email);
  assert.equal(
    toBen?.mail.attachments.filter(({ contentType }) => contentType === "application/pdf").length,
    1,
  );
  assert.equal(toAnna?.order.to, anna.email);
  assert.equal(toAnna?.mail.attachments.length, 0);
  const { rows } = await bench.rows.query<{ code: string }>(
    "SELECT code FROM tickets WHERE booking_id = $1",
    [booked.id],
  );
  const [code = ""] = rows.map((row) => row.code);
  const plain = (sent?: SentMail): string => (sent?.mail.text ?? "").replaceAll(/[- ]/g, "");
  assert.ok(plain(toBen).includes(code));
  assert.ok(!plain(toAnna).includes(code));
  assert.match(toAnna?.mail.text ?? "", new RegExp(ben.email));
});

test("money: paid, cancelled, and back", async () => {
  const event = await studio();
  const { token, email } = await office.register();
  const { id } = await office.hold(event, token, seats("A-1"));
  const pending = ok(await office.tryBook(event, token, id, { provider: "sandbox" }), 202);
  const pay = `/api/v1/payments/sandbox/${pending.payment?.intentId}/succeed`;
  ok(await api.post(pay, { body: {} }));
  const paid = await settled(pending.id, token, ({ status }) => status === "confirmed");
  assert.equal(only(await told(event, paid)).order.to, email);
  const cancelled = ok(
    await api.post<BookingShape>(`/api/v1/bookings/${pending.id}/cancel`, { token }),
  );
  const told1 = only(await told(event, cancelled, "cancelled"));
  assert.match(told1.mail.text ?? "", /You get back €45\.00/);
  const refunded = await settled(pending.id, token, ({ status }) => status === "refunded");
  const { mail, order } = only(await told(event, refunded, "refund_settled"));
  assert.equal(order.kind, "refund");
  assert.match(mail.text ?? "", /we have paid €45\.00 back to you/);
});

async function settled(
  id: string,
  token: string,
  is: (booking: BookingShape) => boolean,
): Promise<BookingShape> {
  for (let tries = 0; tries < 500; tries += 1) {
    const booking = await office.booking(id, token);
    if (is(booking)) return booking;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return assert.fail("it did not come to that");
}

test("an offer says until when, where the event is; one that is over is not told", async () => {
  const event = await studio({ areas: [] });
  const [buyer, waiting] = [await office.register(), await office.register()];
  const ids = Array.from({ length: 10 }, (_, n) => `A-${n + 1}`);
  const booked = await office.book(event, buyer.token, seats(...ids));
  const path = `/api/v1/events/${event.id}/waitlist`;
  ok(await api.post(path, { token: waiting.token, body: { quantity: 1 } }), 201);
  const cancel = { token: buyer.token, body: { ticketIds: [booked.tickets[4]?.id] } };
  const { seq } = ok(await api.post<BookingShape>(`/api/v1/bookings/${booked.id}/cancel`, cancel));
  await projected(event, seq + 1);
  const { rows } = await bench.rows.query<{ id: string; expires_ms: string }>(
    "SELECT id, expires_ms FROM holds WHERE event_id = $1 AND user_id = $2 AND status = 'active'",
    [event.id, waiting.id],
  );
  const [hold] = rows;
  const offered = factOf("offered", event, hold?.id ?? "", { seq: seq + 1 });
  bench.nowMs = Number(hold?.expires_ms);
  assert.deepEqual(await bench.follow(offered), []);
  bench.nowMs = null;
  const { mail, order } = only(await bench.follow(offered));
  assert.equal(order.to, waiting.email);
  const until = new Intl.DateTimeFormat("en-GB", {
    timeZone: "Europe/Berlin",
    hour: "2-digit",
    minute: "2-digit",
  }).format(Number(hold?.expires_ms));
  assert.ok(mail.subject?.includes(until), mail.subject);
  assert.match(mail.text ?? "", /Section Hall, Row A, Seat 5/);
});

test("nobody is told of an event of the past, but of their money", async () => {
  const event = await studio();
  const { token } = await office.register();
  const booked = await office.book(event, token, seats("A-1"));
  bench.nowMs = Date.parse("2040-05-04T19:45:00Z");
  assert.deepEqual(await told(event, booked), []);
  bench.nowMs = null;
  only(await told(event, booked));
});

test("a mail with a token is sent while the token is good, with a link to the shop", async () => {
  const mail = {
    kind: "invitation",
    page: "accept-invitation",
    to: "dora@example.org",
    token: "t".repeat(43),
    words: { organization: 'The "Old" <Mill>', role: "organizer" },
    untilMs: Date.now() + 60_000,
  } as const;
  const ask = (key: string, asked: object) => {
    const detail = { key, sealed: new Seal(JWT_SECRET).close(asked, key) };
    return bench.follow({ kind: "mail", atMs: Date.now(), detail });
  };
  assert.deepEqual(await ask("invitation:1", { ...mail, untilMs: Date.now() }), []);
  const sent = only(await ask("invitation:2", mail));
  assert.equal(sent.mail.subject, 'You were invited to "The "Old" <Mill>"');
  assert.match(sent.mail.text ?? "", new RegExp(`^Token: ${mail.token}$`, "m"));
  assert.ok(sent.mail.text?.includes(`${SHOP}/accept-invitation?token=${mail.token}`));
  assert.deepEqual(await ask("invitation:2", mail), []);
  const foreign = { key: "reset:3", sealed: new Seal("another secret").close(mail, "reset:3") };
  assert.deepEqual(await bench.follow({ kind: "mail", atMs: Date.now(), detail: foreign }), []);
});

test("who has a ticket is told of another time, and reminded of that one", async () => {
  const event = await studio({ startsAt: "2040-06-10T18:00:00Z", endsAt: null });
  const [{ token, email }, other] = [await office.register(), await office.register()];
  await office.book(event, token, seats("A-1"));
  const gone = await office.book(event, other.token, seats("A-2"));
  const cancelled = await api.post<BookingShape>(`/api/v1/bookings/${gone.id}/cancel`, {
    token: other.token,
  });
  await projected(event, ok(cancelled).seq);
  const body = { startsAt: "2040-06-11T19:00:00Z" };
  ok(await api.patch(`/api/v1/events/${event.id}`, { token: office.admin, body }));
  const [from, to] = [Date.parse("2040-06-10T18:00:00Z"), Date.parse("2040-06-11T19:00:00Z")];
  const detail = { startsMs: { from, to } };
  const eventId = event.id as EventId;
  const changed = only(
    await bench.follow({ kind: "eventEdited", eventId, atMs: Date.now() + 1_000, detail }),
  );
  assert.equal(changed.order.to, email);
  assert.equal(changed.mail.subject, "New time: Müller & Söhne <live>");
  assert.match(changed.mail.text ?? "", /It was Sunday, 10 June 2040, 20:00 (CEST|GMT\+2)/);
  assert.match(changed.mail.text ?? "", /Monday, 11 June 2040\s+21:00/);
  assert.match(calendarOf(changed), /DTSTART;TZID=Europe\/Berlin:20400611T210000/);

  bench.nowMs = Date.parse("2040-06-09T18:00:00Z");
  assert.deepEqual(await bench.tick(), [], "a day before the time that was");
  bench.nowMs = Date.parse("2040-06-10T19:00:00Z");
  const reminded = only(await bench.tick());
  assert.equal(reminded.order.to, email);
  assert.equal(reminded.mail.subject, "Tomorrow: Müller & Söhne <live>");
  assert.match(reminded.mail.text ?? "", /begins tomorrow at 21:00/);
  assert.match(reminded.mail.text ?? "", /No more reminders: https:/);
  assert.deepEqual(await bench.tick(), []);
  bench.nowMs = null;
});
