import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { mayLeadToOffer } from "./by-itself.ts";
import type { UserId, WaitlistEntryId } from "./ids.ts";
import { ALICE, BOB, EventBench } from "./testing/fixtures.ts";
import { factOf } from "./testing/replies.ts";
import { isBefore, Waitlist, type WaitlistEntry, type Wish } from "./waitlist.ts";

const WISHES = 3;
const wishOf = (seq: number): Wish => {
  const quantity = 1 + (seq % WISHES);
  return { quantity, categories: quantity === 1 ? null : [0, 1] };
};

function entryOf(seq: number, priority: number): WaitlistEntry {
  const tail = String(seq).padStart(12, "0");
  return {
    entryId: `018f3c9a-7b10-7000-8000-${tail}` as WaitlistEntryId,
    userId: `018f3c9a-7b10-7000-9000-${tail}` as UserId,
    ...wishOf(seq),
    priority,
    seq,
    atMs: seq,
  };
}

interface Naive {
  readonly entry: WaitlistEntry;
  skips: number;
}

interface Step {
  readonly does: "join" | "leave" | "offer";
  readonly priority: number;
  /** Who leaves or is offered something: a number of any size. */
  readonly pick: number;
}

function compareWithList(steps: readonly Step[]): void {
  const waitlist = new Waitlist();
  let naive: Naive[] = [];
  for (const [seq, { does, priority, pick }] of steps.entries()) {
    const at = pick % Math.max(1, naive.length);
    const picked = naive[at];
    if (does === "join") {
      const entry = entryOf(seq, priority);
      waitlist.add(entry);
      naive.push({ entry, skips: 0 });
      naive.sort((a, b) => (isBefore(a.entry, b.entry) ? -1 : 1));
    } else if (picked !== undefined) {
      if (does === "leave") waitlist.remove(picked.entry.entryId);
      else waitlist.offered(picked.entry.entryId);
      for (const before of naive.slice(0, does === "offer" ? at : 0)) before.skips += 1;
      naive = naive.filter((other) => other !== picked);
      assert.equal(waitlist.positionOf(picked.entry.entryId), 0);
      assert.equal(waitlist.ofUser(picked.entry.userId), undefined);
    }
    const told = waitlist.line().map(({ entry, skips }) => ({ entry, skips }));
    assert.deepEqual(told, naive);
    const wishes = new Set(waitlist.line().map(({ wish }) => wish));
    assert.deepEqual(new Set(waitlist.wishes()), wishes);
    assert.equal(wishes.size, new Set(naive.map(({ entry }) => entry.seq % WISHES)).size);
    for (const [n, { entry }] of naive.entries()) {
      assert.equal(waitlist.positionOf(entry.entryId), n + 1);
    }
  }
}

test("the line is that of a list which is sorted anew each time, with the same skips", () => {
  const step: fc.Arbitrary<Step> = fc.record({
    does: fc.constantFrom("join", "join", "leave", "offer"),
    priority: fc.nat(2),
    pick: fc.nat(1_000),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), compareWithList));
});

test("the line is looked through when places or their owners change, not when somebody enters", () => {
  const bench = new EventBench();
  const pay = bench.payCommand(bench.held([0]));
  bench.run(pay);
  const { intentId, ticketCodes, bookingId } = pay;
  const paid = bench.run({ kind: "settlePayment", intentId, outcome: "succeeded" });
  assert.equal(mayLeadToOffer(factOf(paid, "booked")), false);
  const enter = { kind: "checkIn", by: ALICE, undo: false, key: null } as const;
  const entered = bench.run({ ...enter, ticketCode: ticketCodes[0] ?? "" });
  assert.equal(mayLeadToOffer(factOf(entered, "bookingChanged")), false);
  const requester = { bookingId, userId: ALICE, asOrganizer: true };
  // Who handed it over may have more places, and who wants them may be waiting.
  const undo = { ...enter, undo: true, ticketCode: ticketCodes[0] ?? "" } as const;
  assert.equal(mayLeadToOffer(factOf(bench.run(undo), "bookingChanged")), false);
  const to = { toUserId: BOB, email: "bob@example.org" } as const;
  const handed = bench.run(bench.drafts.transfer({ ...requester, ...to, key: null }));
  assert.equal(mayLeadToOffer(factOf(handed, "bookingChanged")), true);
  const cancel = { kind: "cancel", ...requester, tickets: null, reason: null, key: null } as const;
  assert.equal(mayLeadToOffer(factOf(bench.run(cancel), "bookingChanged")), true);
});
