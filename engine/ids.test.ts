import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type EventTag,
  eventTagOf,
  IdMinter,
  isUuidV7,
  itemIdOf,
  offerIdOf,
  refundIdOf,
  uuidV7,
} from "./ids.ts";
import { ITEM_IDS_PER_HOLD } from "./limits.ts";

const TAG = "07a4b1c2d3" as EventTag;

test("routed ids are UUIDv7 that carry their event's tag and their time", () => {
  const id = new IdMinter(0x3fffff).mintHold(0x018f3c9a7b10, TAG, 1);
  assert.equal(id, "018f3c9a-7b10-7000-bfff-ff07a4b1c2d3");
  assert.ok(isUuidV7(id));
  assert.equal(eventTagOf(id), TAG);
});

test("ids never repeat, though the clock stands still or steps back, and items have their own", () => {
  const minter = new IdMinter(1);
  const seen = new Set<string>();
  let count = 0;
  for (let n = 0; n < 5_000; n += 1) {
    const places = n % 7;
    const holdId = minter.mintHold(1_800_000_000_000 - (n % 3), TAG, places);
    seen.add(holdId);
    for (let index = 0; index < places; index += 1) seen.add(itemIdOf(holdId, index));
    count += 1 + places;
  }
  assert.equal(seen.size, count);
  assert.ok([...seen].every(isUuidV7));
});

test("an item's id is the one that its hold's minter would have made next", () => {
  const minter = new IdMinter(1);
  const ids = Array.from({ length: 9_000 }, () => minter.mintHold(0x018ffffffffe, TAG, 0));
  for (const [n, holdId] of ids.entries()) {
    for (const index of [0, 1, 7, ITEM_IDS_PER_HOLD - 1]) {
      const next = ids[n + 1 + index];
      if (next !== undefined) assert.equal<string>(itemIdOf(holdId, index), next);
    }
  }
});

test("all refunds of an intent, and all items of an offer, have ids that are nobody else's", () => {
  const minter = new IdMinter(1);
  const seen = new Set<string>();
  const indexes = Array.from({ length: ITEM_IDS_PER_HOLD }, (_, index) => index);
  const rounds = 100;
  for (let n = 0; n < rounds; n += 1) {
    const intentId = minter.mintIntent(1_000, TAG);
    const entryId = minter.mintEntry(1_000, TAG);
    const offerId = offerIdOf(entryId);
    for (const id of [intentId, entryId, offerId]) seen.add(id);
    for (const index of indexes) seen.add(refundIdOf(intentId, index));
    for (const index of indexes) seen.add(itemIdOf(offerId, index));
  }
  assert.equal(seen.size, rounds * (3 + 2 * ITEM_IDS_PER_HOLD));
});

test("ids of one node grow in the order in which they were made", () => {
  const minter = new IdMinter(1);
  const ids = Array.from({ length: 10_000 }, (_, n) => minter.mintBooking(1_000 + n / 5_000, TAG));
  assert.deepEqual(ids, [...ids].sort());
});

test("an unrouted id is a UUIDv7 of its time", () => {
  const id = uuidV7(0x018f3c9a7b10, Uint8Array.from([255, 255, 1, 2, 3, 4, 5, 6, 7, 8]));
  assert.ok(isUuidV7(id), id);
  assert.ok(id.startsWith("018f3c9a-7b10-7"));
});
