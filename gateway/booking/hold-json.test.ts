import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ActiveHold } from "../../engine/hold-book.ts";
import { type BookingId, IdMinter, type UserId } from "../../engine/ids.ts";
import { PLACES_PER_HOLD_MAX } from "../../engine/limits.ts";
import { PLAIN_TERMS } from "../../engine/terms.ts";
import { NOON, TAG } from "../../engine/testing/fixtures.ts";
import { holdJson } from "./hold-json.ts";
import { eventEntry } from "./testing/event-entry.ts";
import { places } from "./testing/places.ts";
import { holdView, type ShownHold } from "./views.ts";

const holdId = new IdMinter(7).mintHold(NOON, TAG, PLACES_PER_HOLD_MAX);
const hold: fc.Arbitrary<ActiveHold> = fc
  .record({
    items: fc.array(places, { minLength: 1, maxLength: 5 }),
    isReordered: fc.boolean(),
    promoCode: fc.option(fc.constant("EARLY")),
    paying: fc.option(fc.constant(holdId as string as BookingId)),
    expiresAtMs: fc.integer({ min: NOON, max: 2 * NOON }),
    seq: fc.nat(),
  })
  .map(({ items, isReordered, promoCode, paying, expiresAtMs, seq }) => ({
    holdId,
    userId: "u" as UserId,
    items,
    ordinals: isReordered ? items.map((_, index) => 2 * index + 1) : null,
    terms: promoCode === null ? null : { ...PLAIN_TERMS, promoCode },
    expiresAtMs,
    seq,
    paying,
    createdAtMs: NOON,
    extended: false,
  }));

test("a hold's JSON is that of its view, whatever places are called", () => {
  fc.assert(
    fc.property(
      hold,
      fc.array(fc.string({ unit: "binary" }), { minLength: 13 }),
      (shown, names) => {
        const [area = "", first = "", second = "", ...seatIds] = names;
        const event = eventEntry({ seatIds, areaKeys: [area], categoryKeys: [first, second] });
        const told: ShownHold = shown;
        assert.equal(holdJson(event, told), JSON.stringify(holdView(event, told)));
      },
    ),
  );
});
