/** After a sale: what is in the buyers' inboxes, on a mail server that is not ours. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";
import { type ParsedMail, simpleParser } from "mailparser";
import ical from "node-ical";
import { BoxOffice, floor, seats } from "../support/box-office.ts";
import { MailSink } from "../support/mail-sink.ts";
import { requireMailedOnce } from "../support/mailed-once.ts";
import { readPdf } from "../support/pdf-reader.ts";
import { OPS_TOKEN, until } from "../support/server.ts";
import type { BookingShape, EventShape } from "../support/shapes.ts";
import { guestToken, ok, openStudio } from "../support/venue.ts";

const sink = new MailSink();
const office = BoxOffice.forThisFile(async () => {
  await sink.open();
  return { SMTP_URL: sink.url };
});
const { api } = office;
after(() => sink.close());

const mailsTo = async (address: string): Promise<ParsedMail[]> =>
  Promise.all(sink.to(address).map(({ raw }) => simpleParser(Buffer.from(raw, "latin1"))));

/** The next mail to an address, beyond those that it has had. */
async function mailTo(address: string, before = 0): Promise<ParsedMail> {
  await until(`${address} has mail`, () => sink.to(address).length > before);
  const mail = (await mailsTo(address))[before];
  assert.ok(mail !== undefined);
  return mail;
}

/** Nothing is under way any more. */
async function settled(): Promise<void> {
  const asked = { token: OPS_TOKEN };
  await until("nothing waits", async () => {
    const { lanes, outbox } = ok(await api.get<LanesShape>("/ops/lanes", asked));
    return outbox.waiting === 0 && lanes.every(({ waiting, active }) => waiting + active === 0);
  });
}
interface LanesShape {
  readonly outbox: { readonly waiting: number };
  readonly lanes: readonly {
    readonly name: string;
    readonly waiting: number;
    readonly active: number;
    readonly isPaused: boolean;
  }[];
}

async function bookAs(event: EventShape, email: string, items: readonly object[]) {
  const token = await guestToken(api);
  const { id } = await office.hold(event, token, items);
  const body = { holdId: id, payment: { provider: "none" }, email };
  const path = `/api/v1/events/${event.id}/bookings`;
  return { token, booking: ok(await api.post<BookingShape>(path, { token, body }), 201) };
}

const fileOf = (mail: ParsedMail, contentType: string): Buffer => {
  const found = mail.attachments.find((file) => file.contentType === contentType);
  assert.ok(found !== undefined, `a file of ${contentType}`);
  return found.content;
};

test("each buyer gets one mail, whose PDF opens, and whose codes open the door", async () => {
  // Readers of calendars know no summer time beyond 2037.
  const startsAt = "2031-05-04T19:30:00.000Z";
  const title = "Żółta łódź & Co";
  const event = await openStudio(api, { title, startsAt, timezone: "Europe/Warsaw" });
  const buyers = ["anna", "bruno", "cleo", "dora"].map((name) => `${name}@inbox.example`);
  const booked = await Promise.all(
    buyers.map((email, n) => bookAs(event, email, seats(`A-${2 * n + 1}`, `A-${2 * n + 2}`))),
  );
  const keys = ok(await api.get<JSONWebKeySet>("/api/v1/ticket-keys"));
  for (const [n, email] of buyers.entries()) {
    const mail = await mailTo(email);
    assert.match(mail.subject ?? "", /Żółta łódź & Co/);
    assert.ok(mail.html !== false && mail.text !== undefined);
    const pages = await readPdf(fileOf(mail, "application/pdf"));
    const booking = booked[n]?.booking;
    assert.equal(pages.length, booking?.tickets.length);
    for (const [index, page] of pages.entries()) {
      const { payload } = await jwtVerify(page.qr ?? "", createLocalJWKSet(keys));
      assert.equal(payload.jti, booking?.tickets[index]?.id);
    }
    const calendar = ical.sync.parseICS(fileOf(mail, "text/calendar").toString("utf8"));
    const entry = Object.values(calendar).find((part) => part?.type === "VEVENT");
    assert.equal(entry?.type === "VEVENT" && entry.start.toISOString(), startsAt);
  }
  await settled();
  for (const email of buyers) assert.equal(sink.to(email).length, 1, email);
});

test("a cancellation, a moved event and an offer are told to whom they concern", async () => {
  const event = await openStudio(api);
  const [kept, gone] = ["kept@inbox.example", "gone@inbox.example"];
  await bookAs(event, kept, [floor(2)]);
  const leaving = await bookAs(event, gone, [floor(3)]);
  await Promise.all([mailTo(kept), mailTo(gone)]);
  const waiting = await office.register();
  const token = /^Token: ([\w-]+)/m.exec((await mailTo(waiting.email)).text ?? "")?.[1];
  ok(await api.post("/api/v1/auth/verify-email", { token: waiting.token, body: { token } }));
  const body = { quantity: 2 };
  ok(await api.post(`/api/v1/events/${event.id}/waitlist`, { token: waiting.token, body }), 201);
  const cancel = { token: leaving.token, body: {} };
  ok(await api.post(`/api/v1/bookings/${leaving.booking.id}/cancel`, cancel));
  assert.match((await mailTo(gone, 1)).subject ?? "", /cancel/i);
  assert.match((await mailTo(waiting.email, 1)).text ?? "", /2/);
  const startsAt = "2040-05-05T19:30:00Z";
  ok(await api.patch(`/api/v1/events/${event.id}`, { token: office.admin, body: { startsAt } }));
  const moved = await mailTo(kept, 1);
  assert.match(moved.text ?? "", /5 May 2040/);
  await settled();
  assert.equal(sink.to(gone).length, 2, "who has no ticket any more is told no more");
});

test("a node that is killed again and again while it mails tells nobody twice, and all but who is in doubt", async () => {
  const event = await openStudio(api, {
    areas: [{ key: "floor", name: "Floor", capacity: 200, priceCategory: "standing" }],
  });
  const buyers = Array.from({ length: 60 }, (_, n) => `crowd-${n}@inbox.example`);
  for (const email of buyers) await bookAs(event, email, [floor(1)]);
  const had = (): number => buyers.filter((email) => sink.to(email).length > 0).length;
  const shares = [5, 20, 40];
  for (const share of shares) {
    await until(`${share} have their mail`, () => had() >= share);
    await office.node.kill9();
    await office.node.start();
  }
  const { databaseUrl } = office.node;
  await requireMailedOnce(sink, buyers, { databaseUrl, kills: shares.length, settled });
});

test("a paused lane keeps what is in it, and a server that refuses makes a dead letter", async () => {
  const event = await openStudio(api);
  const operator = { token: OPS_TOKEN };
  ok(await api.post("/ops/lanes/transactional/pause", operator), 204);
  await bookAs(event, "patient@inbox.example", [floor(1)]);
  sink.manners.rcpt = (to) =>
    to.startsWith("nobody") ? { code: 550, text: "5.1.1 there is no such user" } : null;
  await bookAs(event, "nobody@inbox.example", [floor(1)]);
  await until("both wait", async () => {
    const { lanes } = ok(await api.get<LanesShape>("/ops/lanes", operator));
    const lane = lanes.find(({ name }) => name === "transactional");
    return lane?.isPaused === true && lane.waiting === 2;
  });
  assert.equal(sink.to("patient@inbox.example").length, 0);
  ok(await api.post("/ops/lanes/transactional/resume", operator), 204);
  await mailTo("patient@inbox.example");
  interface Letters {
    readonly data: readonly { readonly id: string; readonly reason: string }[];
  }
  await until("it is dead", async () => {
    const { data } = ok(await api.get<Letters>("/ops/dead-letters", operator));
    return data.length === 1;
  });
  const { data } = ok(await api.get<Letters>("/ops/dead-letters?lane=transactional", operator));
  const [letter] = data;
  assert.match(letter?.reason ?? "", /no such user/);
  ok(await api.get(`/ops/dead-letters/${letter?.id}`, operator));
  delete sink.manners.rcpt;
  ok(await api.delete(`/ops/dead-letters/${letter?.id}`, operator), 204);
});
