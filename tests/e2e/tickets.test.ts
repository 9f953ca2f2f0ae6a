/** What a buyer takes along: QR codes that anybody can verify, paper, and a line in a calendar. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";
import ical from "node-ical";
import { TICKET_KEYS_MAX } from "../../engine/ticket-limits.ts";
import { BoxOffice, refused, seats } from "../support/box-office.ts";
import { readPdf } from "../support/pdf-reader.ts";
import { readQrSvg } from "../support/qr-reader.ts";
import { OPS_TOKEN } from "../support/server.ts";
import type { CheckInShape } from "../support/shapes.ts";
import { ok, openStudio } from "../support/venue.ts";

const office = BoxOffice.forThisFile();
const { api } = office;

const keys = async (): Promise<JSONWebKeySet> =>
  ok(await api.get<JSONWebKeySet>("/api/v1/ticket-keys"));

/** What a scanner makes of a code without a network, with keys that it has fetched before. */
async function verified(token: string, set: JSONWebKeySet) {
  const { payload, protectedHeader } = await jwtVerify<{ plc?: string; cod?: string }>(
    token,
    createLocalJWKSet(set),
  );
  return { ...payload, kid: protectedHeader.kid };
}

async function qrOf(ticketId: string | undefined, token: string): Promise<string> {
  const reply = await api.get(`/api/v1/tickets/${ticketId}/qr.svg`, { token });
  ok(reply);
  assert.equal(reply.headers["content-type"], "image/svg+xml");
  assert.equal(reply.headers["cache-control"], "private, no-store");
  const text = readQrSvg(reply.text);
  assert.ok(text !== null, "a scanner reads it");
  return text;
}

test("a ticket's QR code is read by a scanner, verified offline, and lets in once", async () => {
  const event = await openStudio(api);
  const { token } = await office.register();
  const booked = await office.book(event, token, [...seats("A-3"), { area: "floor", quantity: 1 }]);
  const [seat, standing] = booked.tickets;
  const code = await qrOf(seat?.id, token);
  const { kid, iat, ...claims } = await verified(code, await keys());
  assert.deepEqual(claims, { jti: seat?.id, evt: event.id, cod: seat?.code, plc: "A-3" });
  assert.equal(iat, Math.floor(Date.parse(booked.createdAt) / 1000));
  assert.ok(typeof kid === "string");
  assert.equal(await qrOf(seat?.id, token), code, "it is the same whenever it is asked for");
  const floor = await verified(await qrOf(standing?.id, office.admin), await keys());
  assert.equal(floor.plc, "floor", "who organises the event may see it, too");

  const scan = (ticketCode: string, at = event) =>
    api.post<CheckInShape>(`/api/v1/events/${at.id}/check-ins`, {
      token: office.admin,
      body: { ticketCode },
    });
  const other = await openStudio(api);
  refused(await scan(code, other), 404, "ticket_not_found");
  const [head, body, signature = ""] = code.split(".");
  const forged = `${signature[0] === "A" ? "B" : "A"}${signature.slice(1)}`;
  refused(await scan(`${head}.${body}.${forged}`), 404, "ticket_not_found");
  const none = Buffer.from('{"alg":"none"}').toString("base64url");
  refused(await scan(`${none}.${body}.`), 404, "ticket_not_found");
  refused(await scan(`${none}.${body}.${signature}`), 404, "ticket_not_found");
  assert.equal(ok(await scan(code)).ticket.id, seat?.id);
  refused(await scan(code), 409, "already_checked_in");
  refused(await scan(seat?.code ?? ""), 409, "already_checked_in");
});

test("a QR code is shown to whose it is, and to nobody else", async () => {
  const event = await openStudio(api);
  const [buyer, friend] = [await office.confirmed(), await office.confirmed()];
  const booked = await office.book(event, buyer.token, seats("A-1", "A-2"));
  const [first, second] = booked.tickets;
  const path = `/api/v1/tickets/${first?.id}/qr.svg`;
  refused(await api.get(path), 401, "unauthenticated");
  refused(await api.get(path, { token: friend.token }), 404, "ticket_not_found");
  const cancel = { token: buyer.token, body: { ticketIds: [second?.id] } };
  ok(await api.post(`/api/v1/bookings/${booked.id}/cancel`, cancel));
  const gone = await api.get(`/api/v1/tickets/${second?.id}/qr.svg`, { token: buyer.token });
  refused(gone, 409, "ticket_cancelled");
  const before = await qrOf(first?.id, buyer.token);
  const transfer = { token: buyer.token, body: { email: friend.email } };
  ok(await api.post(`/api/v1/bookings/${booked.id}/transfer`, transfer));
  refused(await api.get(path, { token: buyer.token }), 404, "ticket_not_found");
  const after = await qrOf(first?.id, friend.token);
  assert.notEqual(after, before);
  const scan = { token: office.admin, body: { ticketCode: before } };
  refused(await api.post(`/api/v1/events/${event.id}/check-ins`, scan), 404, "ticket_not_found");
  for (const strange of ["none", "018f3c9a-7b10-7000-91c0-5e07a4b1c2d3"]) {
    const reply = await api.get(`/api/v1/tickets/${strange}/qr.svg`, { token: buyer.token });
    refused(reply, 404, "ticket_not_found");
  }
});

test("a PDF has a page for each ticket that stands, with names in every script", async () => {
  const event = await openStudio(api, {
    title: "Zażółć gęślą jaźń, Ελλάδα, Київ, 音楽会",
    endsAt: "2040-05-04T21:45:00Z",
    timezone: "Europe/Berlin",
    venue: { name: "Große Halle", city: "Łódź", country: "PL" },
  });
  const { token } = await office.register();
  const items = [...seats("A-4", "A-5"), { area: "floor", quantity: 1 }];
  const booked = await office.book(event, token, items);
  const [, second] = booked.tickets;
  const cancel = { token, body: { ticketIds: [second?.id] } };
  ok(await api.post(`/api/v1/bookings/${booked.id}/cancel`, cancel));
  const path = `/api/v1/bookings/${booked.id}/tickets.pdf`;
  const reply = await api.get(path, { token });
  assert.equal(reply.headers["content-type"], "application/pdf");
  const name = `inline; filename="tickets-${booked.code}.pdf"`;
  assert.equal(reply.headers["content-disposition"], name);
  const [seat, standing, ...more] = await readPdf(reply.bytes);
  assert.ok(seat !== undefined && standing !== undefined);
  assert.equal(more.length, 0);
  assert.deepEqual([Math.round(seat.width), Math.round(seat.height)], [595, 842]);
  // Where one font ends and another begins, a reader sees a space.
  const squeezed = (text: string): string => text.replace(/[\s,]+/g, "");
  const said = ["Test Stage", "Zażółć gęślą jaźń", "Ελλάδα", "Київ", "音楽会", "Große Halle"];
  said.push("Łódź, Poland", "Friday, 4 May 2040", "21:30 – 23:45 CEST", "Ticket 1 of 2");
  for (const words of [...said, "Section Hall", "Row A", "Seat 4", "Stalls", "€45.00"]) {
    assert.ok(squeezed(seat.text).includes(squeezed(words)), `${words}: ${seat.text}`);
  }
  assert.match(standing.text, /Floor/);
  const set = await keys();
  assert.equal((await verified(seat.qr ?? "", set)).plc, "A-4");
  assert.equal((await verified(standing.qr ?? "", set)).plc, "floor");
  const small = await readPdf((await api.get(`${path}?format=mobile`, { token })).bytes);
  assert.deepEqual([small[0]?.width, small.length], [375, 2]);
  assert.equal((await verified(small[0]?.qr ?? "", set)).jti, booked.tickets[0]?.id);
  const unknown = refused(await api.get(`${path}?format=a0`, { token }), 400, "validation_failed");
  assert.equal(unknown.detail, "format must be one of a4, mobile");
  ok(await api.post(`/api/v1/bookings/${booked.id}/cancel`, { token }));
  refused(await api.get(path, { token }), 409, "booking_cancelled");
});

test("a calendar file has the event in its zone, and takes it out again", async () => {
  const event = await openStudio(api, {
    title: "Opera; with commas, and\\slashes",
    startsAt: "2032-05-04T19:30",
    timezone: "America/New_York",
    venue: { name: "Hall", city: "New York", country: "US", location: { lat: 40.7, lng: -74 } },
  });
  const { token } = await office.register();
  const booked = await office.book(event, token, seats("A-6"));
  const path = `/api/v1/bookings/${booked.id}/calendar.ics`;
  const entryOf = async () => {
    const reply = await api.get(path, { token });
    ok(reply);
    assert.match(reply.text, /BEGIN:VTIMEZONE\r\nTZID:America\/New_York\r\n/);
    assert.match(reply.text, /DTSTAMP:\d{8}T\d{6}Z\r\n/);
    assert.match(reply.text, /DTSTART;TZID=America\/New_York:20320504T193000\r\n/);
    const entry = Object.values(ical.sync.parseICS(reply.text)).find(
      (component) => component?.type === "VEVENT",
    );
    assert.ok(entry?.type === "VEVENT");
    return entry;
  };
  const entry = await entryOf();
  assert.equal(entry.summary, event.title);
  assert.equal(entry.start.getTime(), Date.parse("2032-05-04T23:30:00Z"));
  assert.equal(entry.status, "CONFIRMED");
  assert.match(String(entry.location), /^Hall\nNew York, United States/);
  ok(await api.post(`/api/v1/bookings/${booked.id}/cancel`, { token }));
  const cancelled = await entryOf();
  assert.equal(cancelled.status, "CANCELLED");
  assert.equal(cancelled.uid, entry.uid);
  assert.ok(Number(cancelled.sequence) > Number(entry.sequence));
});

test("keys change without a ticket losing its worth, until one is taken back", async () => {
  const event = await openStudio(api);
  const { token } = await office.register();
  const booked = await office.book(event, token, seats("A-7"));
  const [ticket] = booked.tickets;
  const asked = { token: OPS_TOKEN };
  const before = await qrOf(ticket?.id, token);
  const soon = new Date(Date.now() + 3_600_000).toISOString();
  const next = await api.post<{ kid: string }>("/ops/ticket-keys", {
    ...asked,
    body: { signsFrom: soon },
  });
  assert.equal(await qrOf(ticket?.id, token), before, "the next one does not sign yet");
  assert.ok((await keys()).keys.some(({ kid }) => kid === ok(next, 201).kid));
  ok(await api.post("/ops/ticket-keys", { ...asked, body: {} }), 201);
  const after = await qrOf(ticket?.id, token);
  const set = await keys();
  const [old, fresh] = [await verified(before, set), await verified(after, set)];
  assert.notEqual(old.kid, fresh.kid);
  assert.equal(old.cod, fresh.cod);
  assert.equal((await api.delete(`/ops/ticket-keys/${old.kid}`, asked)).status, 204);
  await assert.rejects(verified(before, await keys()));
  const scan = (ticketCode: string) =>
    api.post(`/api/v1/events/${event.id}/check-ins`, { token: office.admin, body: { ticketCode } });
  refused(await scan(before), 404, "ticket_not_found");
  ok(await scan(after));
  refused(await api.delete(`/ops/ticket-keys/${old.kid}`, asked), 404, "not_found");
  refused(await api.get("/ops/ticket-keys", { token }), 403, "forbidden");
  const never = { ...asked, body: { signsFrom: "12345678" } };
  refused(await api.post("/ops/ticket-keys", never), 400, "validation_failed");
});

test("there are as many keys as may be, until one is taken back", async () => {
  const asked = { token: OPS_TOKEN };
  const add = () => api.post("/ops/ticket-keys", { ...asked, body: {} });
  for (let count = (await keys()).keys.length; count < TICKET_KEYS_MAX; count += 1) {
    ok(await add(), 201);
  }
  refused(await add(), 409, "too_many_ticket_keys");
  const [oldest] = (await keys()).keys;
  assert.equal((await api.delete(`/ops/ticket-keys/${oldest?.kid}`, asked)).status, 204);
  ok(await add(), 201);
});
