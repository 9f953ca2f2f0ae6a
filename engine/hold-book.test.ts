import assert from "node:assert/strict";
import { test } from "node:test";
import { HoldBook } from "./hold-book.ts";
import type { HoldId } from "./ids.ts";
import { ALICE, NOON } from "./testing/fixtures.ts";
import { Random } from "./testing/random.ts";

test("whatever was taken and dropped before, the hold that ends first is found", () => {
  const random = new Random(7);
  const book = new HoldBook();
  const alive = new Map<HoldId, number>();
  for (let n = 0; n < 20_000; n += 1) {
    const holdId = `hold-${n}` as HoldId;
    const expiresAtMs = NOON + random.below(1_000_000);
    const rest = { userId: ALICE, items: [], createdAtMs: NOON, extended: false, seq: n + 1 };
    book.put({ holdId, expiresAtMs, ...rest, ordinals: null, terms: null, paying: null });
    alive.set(holdId, expiresAtMs);
    while (alive.size > 10) {
      const gone = random.pick([...alive.keys()]);
      alive.delete(gone);
      const end = { end: "released", bookingId: null, atMs: NOON, isOffer: false } as const;
      book.end({ holdId: gone, userId: ALICE, ...end });
    }
    const firstMs = Math.min(...alive.values());
    assert.equal(book.firstDue(firstMs - 1), null);
    assert.equal(book.firstDue(firstMs)?.expiresAtMs, firstMs);
  }
});
