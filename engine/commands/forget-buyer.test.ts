import assert from "node:assert/strict";
import { test } from "node:test";
import { ALICE, BOB, EventBench, NOON } from "../testing/fixtures.ts";
import { factOf, refusalOf } from "../testing/replies.ts";

function bookedBy(email: string) {
  const bench = new EventBench();
  const bookingId = bench.booked(bench.held([0, 1]));
  const by = { bookingId, userId: ALICE, asOrganizer: true, key: null } as const;
  bench.run(bench.drafts.transfer({ ...by, toUserId: ALICE, email }));
  return { bench, bookingId };
}

test("a buyer who is gone leaves the booking as it is, without an address", () => {
  const { bench, bookingId } = bookedBy("alice@example.org");
  const before = bench.state.bookings.get(bookingId)?.record;
  const fact = factOf(
    bench.run({ kind: "forgetBuyer", bookingId, userId: ALICE }),
    "bookingChanged",
  );
  assert.equal(fact.change, "buyer_forgotten");
  assert.deepEqual([fact.by, fact.moves, fact.tickets], [ALICE, [], []]);
  const after = bench.state.bookings.get(bookingId)?.record;
  assert.ok(before !== undefined && after !== undefined && before.later !== null);
  const { email: _, later: __, ...kept } = before;
  assert.deepEqual(after, {
    ...kept,
    email: null,
    later: { ...before.later, seq: fact.seq, atMs: NOON },
  });
  assert.equal(bench.state.placesByUser.get(ALICE), 2);
  const again = bench.run({ kind: "forgetBuyer", bookingId, userId: ALICE });
  assert.equal(again.reply.kind, "booking");
});

test("a cancelled booking forgets its buyer, too; nobody forgets somebody else's", () => {
  const { bench, bookingId } = bookedBy("alice@example.org");
  bench.run({
    kind: "cancel",
    bookingId,
    userId: ALICE,
    asOrganizer: false,
    tickets: null,
    reason: null,
    key: null,
  });
  const byBob = bench.run({ kind: "forgetBuyer", bookingId, userId: BOB });
  assert.deepEqual(refusalOf(byBob), { code: "booking_not_found" });
  const fact = factOf(
    bench.run({ kind: "forgetBuyer", bookingId, userId: ALICE }),
    "bookingChanged",
  );
  assert.deepEqual([fact.booking.email, fact.booking.later?.status], [null, "cancelled"]);
});
