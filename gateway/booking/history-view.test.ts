import assert from "node:assert/strict";
import { test } from "node:test";
import type { BookingId, UserId } from "../../engine/ids.ts";
import { ALICE, BOB, EVENT_ID, EventBench, NOON } from "../../engine/testing/fixtures.ts";
import type { HistoryRow } from "./history-reader.ts";
import { bookingHistoryView, logEntryView } from "./history-view.ts";
import { eventEntry } from "./testing/event-entry.ts";

const EVENT = eventEntry();
const AT = new Date(NOON).toISOString();
const CAROL = "018f3c9a-7b10-7000-8000-00000000ca01" as UserId;
const ORGANISER = "018f3c9a-7b10-7000-8000-000000000009" as UserId;

const row = (changes: Partial<HistoryRow>): HistoryRow => ({
  seq: 1,
  atMs: NOON,
  kind: "bookingChanged",
  change: null,
  bookingId: null,
  by: null,
  reason: null,
  detail: null,
  ...changes,
});

test("a booking's history says who did what, as its reader knows them", () => {
  const engine = new EventBench();
  const bookingId = engine.booked(engine.held([0]));
  const known = engine.state.bookings.get(bookingId);
  assert.ok(known !== undefined);
  const record = { ...known.record, userId: CAROL };
  const booking = { eventId: EVENT_ID, record, buyerId: ALICE, seq: known.seq };
  const rows = [
    row({ seq: 3, kind: "booked", by: ALICE }),
    row({
      seq: 4,
      change: "ticket_moved",
      by: ORGANISER,
      detail: { tickets: ["t"], from: 0, to: 2 },
    }),
    row({ seq: 5, change: "transferred", by: ALICE, detail: { userId: BOB, email: "b@x.org" } }),
    row({ seq: 6, change: "transferred", by: BOB, detail: { userId: CAROL, email: "c@x.org" } }),
    row({ seq: 7, change: "cancelled", by: CAROL, reason: "ill", detail: { tickets: ["t"] } }),
    row({ seq: 8, change: "refund_settled" }),
  ];
  const told = (who: string, userId: UserId | null) => ({ who, userId });
  const reader = { userId: CAROL, asOrganizer: false };
  const history = bookingHistoryView(EVENT, booking, { rows, given: [BOB, CAROL] }, reader);
  assert.deepEqual(history, [
    { seq: 3, at: AT, change: "booked", by: told("owner", ALICE), reason: null },
    {
      seq: 4,
      at: AT,
      change: "ticket_moved",
      by: told("organiser", ORGANISER),
      reason: null,
      tickets: ["t"],
      from: "A-1",
      to: "A-3",
    },
    {
      seq: 5,
      at: AT,
      change: "transferred",
      by: told("owner", ALICE),
      reason: null,
    },
    {
      seq: 6,
      at: AT,
      change: "transferred",
      by: told("owner", BOB),
      reason: null,
      email: "c@x.org",
    },
    {
      seq: 7,
      at: AT,
      change: "cancelled",
      by: told("you", CAROL),
      reason: "ill",
      tickets: ["t"],
    },
    { seq: 8, at: AT, change: "refund_settled", by: told("system", null), reason: null },
  ]);
});

test("to which address a booking was handed over is told to both of them, and to organisers", () => {
  const engine = new EventBench();
  const known = engine.state.bookings.get(engine.booked(engine.held([0])));
  assert.ok(known !== undefined);
  const handed = (by: UserId, userId: UserId, email: string) =>
    row({ change: "transferred", by, detail: { tickets: ["t"], userId, email } });
  const rows = [
    handed(ALICE, BOB, "b@x.org"),
    handed(BOB, CAROL, "c@x.org"),
    handed(ORGANISER, ALICE, "a@x.org"),
  ];
  const record = { ...known.record, userId: ALICE };
  const booking = { eventId: EVENT_ID, record, buyerId: ALICE, seq: known.seq };
  const emails = (userId: UserId, asOrganizer = false) =>
    bookingHistoryView(EVENT, booking, { rows, given: [BOB] }, { userId, asOrganizer }).map(
      (entry) => ("email" in entry ? entry.email : null),
    );
  assert.deepEqual(emails(ALICE), ["b@x.org", null, "a@x.org"]);
  assert.deepEqual(emails(BOB), ["b@x.org", "c@x.org", null]);
  assert.deepEqual(emails(CAROL), [null, "c@x.org", null]);
  assert.deepEqual(emails(ORGANISER, true), ["b@x.org", "c@x.org", "a@x.org"]);
});

test("an event's log names places, not indexes", () => {
  const bookingId = "0197f3c9-7b10-7005-8aaa-aa07a4b1c2d3" as BookingId;
  const detail = {
    blocks: [
      { channel: "", quantity: 1, places: [0, 1] },
      { channel: "club", quantity: 2, places: [-1] },
    ],
    capacities: [{ area: 0, capacity: 8 }],
  };
  const entry = { seq: 9, at: AT, reason: null };
  assert.deepEqual(
    logEntryView(EVENT, row({ seq: 9, kind: "placesChanged", by: ORGANISER, detail })),
    {
      ...entry,
      change: "inventory_changed",
      bookingId: null,
      userId: ORGANISER,
      blocks: [
        { allotment: null, quantity: 1, places: ["A-1", "A-2"] },
        { allotment: "club", quantity: 2, places: ["floor"] },
      ],
      areas: [{ key: "floor", capacity: 8 }],
    },
  );
  const paying = { provider: "sandbox", intentId: "i", amountMinor: 4500 };
  assert.deepEqual(
    logEntryView(
      EVENT,
      row({ seq: 9, kind: "paymentStarted", bookingId, by: ALICE, detail: paying }),
    ),
    {
      ...entry,
      change: "payment_started",
      bookingId,
      userId: ALICE,
      provider: "sandbox",
      amount: { amount: 4500, currency: "EUR" },
    },
  );
});
