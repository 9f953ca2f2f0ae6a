import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { BookingLater, BookingRecord } from "../../engine/booking.ts";
import { IdMinter, type UserId } from "../../engine/ids.ts";
import { PLACES_PER_HOLD_MAX } from "../../engine/limits.ts";
import { PLAIN_TERMS } from "../../engine/terms.ts";
import { NOON, TAG } from "../../engine/testing/fixtures.ts";
import { bookingJson } from "./booking-json.ts";
import { eventEntry } from "./testing/event-entry.ts";
import { places } from "./testing/places.ts";
import { bookingView } from "./views.ts";

const minter = new IdMinter(7);
const holdId = minter.mintHold(NOON, TAG, PLACES_PER_HOLD_MAX);
const bookingId = minter.mintBooking(NOON, TAG);
const CANCELLED: BookingLater = {
  status: "cancelled",
  seq: 9,
  atMs: NOON,
  tickets: null,
  payment: null,
  cancelled: { atMs: NOON, by: null, reason: "it rains" },
};

const record: fc.Arbitrary<BookingRecord> = fc
  .record({
    items: fc.array(places, { minLength: 1, maxLength: 5 }),
    isReordered: fc.boolean(),
    email: fc.option(fc.oneof(fc.emailAddress(), fc.string({ unit: "binary" }))),
    promoCode: fc.option(fc.constant("EARLY"), { freq: 9 }),
    isCancelled: fc.boolean(),
    bookedAtMs: fc.integer({ min: NOON, max: 2 * NOON }),
  })
  .map(({ items, isReordered, email, promoCode, isCancelled, bookedAtMs }) => ({
    bookingId,
    holdId,
    userId: "u" as UserId,
    email,
    code: "7K2MXA9P4G",
    items,
    ordinals: isReordered ? items.map((_, index) => 2 * index + 1) : null,
    ticketCodes: items.map((_, index) => `TICKET${index}`),
    bookedAtMs,
    terms: promoCode === null ? null : { ...PLAIN_TERMS, promoCode },
    later: isCancelled ? CANCELLED : null,
  }));

const reader = fc.record({
  userId: fc.constantFrom("u" as UserId, "somebody else" as UserId),
  asOrganizer: fc.boolean(),
});

test("a booking's JSON is that of its view, whoever reads it and whatever places are called", () => {
  fc.assert(
    fc.property(
      record,
      reader,
      fc.nat(),
      fc.array(fc.string({ unit: "binary" }), { minLength: 13 }),
      (booking, who, seq, names) => {
        const [area = "", first = "", second = "", ...seatIds] = names;
        const event = eventEntry({ seatIds, areaKeys: [area], categoryKeys: [first, second] });
        const known = { record: booking, seq };
        assert.equal(
          bookingJson(event, known, who),
          JSON.stringify(bookingView(event, known, who)),
        );
      },
    ),
  );
});
