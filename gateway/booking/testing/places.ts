import fc from "fast-check";
import type { Charge } from "../../../engine/charges.ts";
import { type PlaceItem, placeOfArea } from "../../../engine/place.ts";

const CHARGE: Charge = { discountMinor: 10, feeMinor: 0, taxMinor: 5, dueMinor: 95 };

/** Seats and places of an area of `eventEntry`, one in ten with something on its price. */
export const places: fc.Arbitrary<PlaceItem> = fc.record({
  place: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant(placeOfArea(0))),
  category: fc.integer({ min: 0, max: 1 }),
  priceMinor: fc.nat(1_000_000),
  charge: fc.oneof({ weight: 9, arbitrary: fc.constant(null) }, fc.constant(CHARGE)),
});
