/** At the door: a ticket lets somebody in, once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BoxOffice, refused, seats } from "../support/box-office.ts";
import type { CheckInShape } from "../support/shapes.ts";
import { auditOf, ok, openStudio } from "../support/venue.ts";

const office = BoxOffice.forThisFile();

test("of many scans of one ticket one lets in; that can be undone", async () => {
  const event = await openStudio(office.api);
  const { token } = await office.register();
  const booked = await office.book(event, token, seats("A-1", "A-2"));
  const [ticket] = booked.tickets;
  assert.ok(ticket?.code !== undefined);
  const { code } = ticket;
  const scan = (body: object, as = office.admin) =>
    office.api.post<CheckInShape>(`/api/v1/events/${event.id}/check-ins`, { token: as, body });
  const typed = `${code.slice(0, 8)}-${code.slice(8)}`.toLowerCase();
  const scans = await Promise.all(
    [code, typed, code, typed].map((ticketCode) => scan({ ticketCode })),
  );
  const [entered, ...more] = scans.filter(({ status }) => status === 200);
  assert.ok(entered !== undefined && more.length === 0, "once");
  const { checkedInAt } = entered.body;
  assert.deepEqual(entered.body.ticket, { ...ticket, checkedInAt });
  assert.deepEqual(entered.body.booking, { id: booked.id, code: booked.code });
  for (const reply of scans.filter((other) => other !== entered)) {
    assert.equal(refused(reply, 409, "already_checked_in").checkedInAt, checkedInAt);
  }
  refused(await scan({ ticketCode: ticket.code }, token), 403, "forbidden");
  refused(await scan({ ticketCode: "2222222222222222" }), 404, "ticket_not_found");
  const [shown] = (await office.booking(booked.id, token)).tickets;
  assert.equal(shown?.checkedInAt, checkedInAt);
  const cancel = `/api/v1/bookings/${booked.id}/cancel`;
  refused(await office.api.post(cancel, { token }), 409, "already_checked_in");
  const undone = ok(await scan({ ticketCode: ticket.code, undo: true }));
  assert.equal(undone.checkedInAt, null);
  refused(await scan({ ticketCode: ticket.code, undo: true }), 409, "not_checked_in");
  ok(await office.api.post(cancel, { token, body: { ticketIds: [ticket.id] } }));
  refused(await scan({ ticketCode: ticket.code }), 409, "ticket_cancelled");
  await auditOf(office.api, event.id);
});
