/** Holds under terms: a channel, a promo code, the engine's choice, and who must wait. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isSeat, placeOfArea } from "../place.ts";
import type { PromoDefinition } from "../promo-codes.ts";
import { ALICE, BOB, EventBench, NOON } from "../testing/fixtures.ts";
import { factOf, refusalOf } from "../testing/replies.ts";
import type { Hold } from "./hold.ts";

const FLOOR = placeOfArea(0);
const wish = { category: null, zone: null, adjacent: false, accessible: false } as const;

const promo = (changes: Partial<PromoDefinition> = {}): PromoDefinition => ({
  code: "EARLY",
  kind: "amount",
  value: 500,
  categories: null,
  fromMs: null,
  untilMs: null,
  usesMax: null,
  usesPerUserMax: null,
  ...changes,
});

function ask(bench: EventBench, changes: Partial<Hold>, userId = ALICE) {
  return bench.run({ ...bench.holdCommand([], userId), ...changes });
}

/** Keeps seat 3 and two places of the floor for the press. */
function allot(bench: EventBench): void {
  const allotment = { channel: "press", seats: [3], areas: [{ area: 0, quantity: 2 }] };
  const none = { block: [], unblock: [], capacities: [], key: null };
  bench.run({ kind: "changePlaces", by: BOB, ...none, allotments: [allotment] });
}

test("an allotment is sold to who has its channel's key, and to nobody else", () => {
  const bench = new EventBench();
  allot(bench);
  assert.deepEqual(refusalOf(ask(bench, { places: [3] })), {
    code: "seat_unavailable",
    seats: [3],
  });
  const other = ask(bench, { places: [3], channel: "club" });
  assert.equal(refusalOf(other).code, "seat_unavailable");
  const { terms } = factOf(ask(bench, { places: [3, FLOOR, 4], channel: "press" }), "held");
  assert.deepEqual([terms?.channel, terms?.kept], ["press", [3, FLOOR]]);
  assert.deepEqual(bench.state.inventory?.area(0), {
    capacity: 5,
    free: 3,
    held: 1,
    sold: 0,
    blocked: 1,
  });
});

test("who comes by a channel has its places of an area, and no others", () => {
  const bench = new EventBench();
  allot(bench);
  const refused = refusalOf(ask(bench, { places: [FLOOR, FLOOR, FLOOR], channel: "press" }));
  assert.deepEqual(refused, { code: "insufficient_capacity", area: 0, available: 2 });
  const more = refusalOf(ask(bench, { places: [FLOOR, FLOOR, FLOOR, FLOOR] }));
  assert.deepEqual(more, { code: "insufficient_capacity", area: 0, available: 3 });
});

test("what is chosen for who comes by a channel is of its allotment, and no more than that", () => {
  const bench = new EventBench();
  bench.held([8, 9], BOB);
  allot(bench);
  const best = [{ ...wish, category: 1, quantity: 3 }];
  assert.deepEqual(refusalOf(ask(bench, { best, channel: "press" })), {
    code: "too_few_places",
    category: 1,
    available: 2,
  });
  const two = [{ ...wish, category: 1, quantity: 1 }];
  const { items, terms } = factOf(
    ask(bench, { places: [FLOOR], best: two, channel: "press" }),
    "held",
  );
  assert.deepEqual(
    items.map(({ place }) => place),
    [FLOOR, FLOOR],
  );
  assert.deepEqual(terms?.kept, [FLOOR]);
  assert.equal(bench.state.inventory?.area(0).blocked, 0);
});

test("seats, however they lie, before standing places", () => {
  const bench = new EventBench({ perUserMax: 10 });
  bench.held([1, 3, 5], BOB);
  bench.held([7, 9], BOB);
  const best = [{ ...wish, quantity: 3, adjacent: true }];
  const { code } = refusalOf(ask(bench, { best }));
  assert.equal(code, "no_adjacent_seats");
  const split = factOf(ask(bench, { best: [{ ...wish, quantity: 3 }] }), "held");
  assert.ok(split.items.every(({ place }) => isSeat(place)));
  // Two seats are left: three can only stand.
  const standing = factOf(ask(bench, { best }), "held");
  assert.ok(standing.items.every(({ place }) => place === FLOOR));
});

test("what is kept returns to who it is kept for", () => {
  const bench = new EventBench();
  allot(bench);
  const { holdId } = factOf(ask(bench, { places: [3, FLOOR], channel: "press" }), "held");
  bench.run({ kind: "release", holdId, userId: ALICE });
  assert.equal(bench.statuses(), "fffbffffff");
  assert.equal(bench.state.inventory?.area(0).blocked, 2);
});

test("a code takes something off, reserves a use, and gives it back with the hold", () => {
  const bench = new EventBench({ promoCodes: [promo({ usesMax: 1 })] });
  const { items, holdId } = factOf(ask(bench, { places: [0], promoCode: "EARLY" }), "held");
  assert.equal(items[0]?.charge?.dueMinor, 4000);
  const again = { places: [1], promoCode: "EARLY" };
  const usedUp = { code: "promo_not_valid", reason: "used_up" };
  assert.deepEqual(refusalOf(ask(bench, again, BOB)), usedUp);
  bench.run({ kind: "release", holdId, userId: ALICE });
  factOf(ask(bench, again, BOB), "held");
});

test("a use stays with the booking until all of it is cancelled", () => {
  const bench = new EventBench({ promoCodes: [promo({ usesPerUserMax: 1 })] });
  const { holdId } = factOf(ask(bench, { places: [0, 1], promoCode: "EARLY" }), "held");
  const bookingId = bench.booked(holdId);
  const again = { places: [2], promoCode: "EARLY" };
  const usedByYou = { code: "promo_not_valid", reason: "used_by_you" };
  assert.deepEqual(refusalOf(ask(bench, again)), usedByYou);
  const cancel = { kind: "cancel", bookingId, userId: ALICE, asOrganizer: false } as const;
  bench.run({ ...cancel, tickets: null, reason: null, key: null });
  factOf(ask(bench, again), "held");
});

test("a code is refused that is not there, not of this time, or for other places", () => {
  const codes = [
    promo({ code: "SOON", fromMs: NOON + 1 }),
    promo({ code: "PAST", untilMs: NOON }),
    promo({ code: "STANDING", categories: [1] }),
  ];
  const bench = new EventBench({ promoCodes: codes });
  const reasonOf = (promoCode: string): unknown => {
    const refusal = refusalOf(ask(bench, { places: [0], promoCode }));
    return refusal.code === "promo_not_valid" ? refusal.reason : refusal.code;
  };
  const reasons = ["NEVER", "SOON", "PAST", "STANDING"].map(reasonOf);
  assert.deepEqual(reasons, ["unknown", "not_yet", "over", "no_place_it_applies_to"]);
  bench.nowMs += 1;
  factOf(ask(bench, { places: [0], promoCode: "SOON" }), "held");
});

test("who drops one hold too many waits, to the very instant", () => {
  const churn = { freeDrops: 1, windowMs: 60_000, firstWaitMs: 2_000, waitMsMax: 8_000 };
  const bench = new EventBench({ churn });
  for (let n = 0; n < 2; n += 1) {
    bench.run({ kind: "release", holdId: bench.held([0]), userId: ALICE });
  }
  const retryAtMs = NOON + 2_000;
  assert.deepEqual(refusalOf(bench.hold([0])), { code: "hold_churn", retryAtMs });
  bench.held([0], BOB);
  bench.nowMs = retryAtMs - 1;
  assert.equal(refusalOf(bench.hold([1])).code, "hold_churn");
  bench.nowMs += 1;
  bench.held([1]);
});

test("what is chosen counts to the limits, and comes behind what was asked for by name", () => {
  const bench = new EventBench();
  const best = [{ ...wish, quantity: 4 }];
  assert.equal(refusalOf(ask(bench, { places: [5], best })).code, "limit_exceeded");
  const three = [{ ...wish, quantity: 3, category: 0 }];
  const { items, terms } = factOf(ask(bench, { places: [5], best: three }), "held");
  assert.equal(items[0]?.place, 5);
  assert.equal(new Set(items.map(({ place }) => place)).size, 4);
  const positions = terms?.chosen.flatMap(({ from, count }) =>
    Array.from({ length: count }, (_, n) => from + n),
  );
  assert.deepEqual(positions, [1, 2, 3]);
});
