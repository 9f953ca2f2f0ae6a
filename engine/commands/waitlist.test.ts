/** Who waits, what they are offered and when; and what a cancelled event leaves behind. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fateOf, statusOf } from "../booking.ts";
import { whyWaiting } from "../by-itself.ts";
import type { Held } from "../facts.ts";
import { offerIdOf, type UserId } from "../ids.ts";
import { WAITLIST_SKIPS_MAX } from "../limits.ts";
import { type Place, placeOfArea } from "../place.ts";
import { ALICE, BOB, CAROL, definition, EventBench, NOON } from "../testing/fixtures.ts";
import { factOf, refusalOf } from "../testing/replies.ts";
import type { JoinWaitlist } from "./waitlist.ts";

const FLOOR = placeOfArea(0);
const user = (n: number): UserId =>
  `018f3c9a-7b10-7000-8000-0000000${String(n).padStart(5, "0")}` as UserId;

function join(
  bench: EventBench,
  quantity: number,
  userId: UserId,
  changes: Partial<JoinWaitlist> = {},
) {
  return bench.run({ ...bench.joinCommand(quantity, userId), ...changes });
}

const offersIn = ({ facts }: EventBench): Held[] =>
  facts.filter((fact) => fact.kind === "held").filter(({ terms }) => terms?.source === "waitlist");

const offeredTo = (bench: EventBench): UserId[] => offersIn(bench).map(({ userId }) => userId);

/** Everything is held by somebody who waits for nothing; their holds, seat by seat. */
function soldOut(changes = {}): { bench: EventBench; free: (place: Place) => void } {
  const bench = new EventBench({ perUserMax: 100, ...changes });
  const places = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, FLOOR, FLOOR, FLOOR, FLOOR, FLOOR];
  const holds = places.map((place) => ({ place, holdId: bench.held([place], user(9_999)) }));
  const free = (place: Place): void => {
    const at = holds.findIndex((hold) => hold.place === place);
    const [hold] = holds.splice(at, 1);
    if (hold === undefined) throw new Error(`${place} is free`);
    bench.run({ kind: "release", holdId: hold.holdId, userId: user(9_999) });
  };
  return { bench, free };
}

test("what is free is offered at once, as a hold of its own", () => {
  const bench = new EventBench();
  const command = bench.joinCommand(2, BOB);
  factOf(bench.run(command), "queued");
  const [offer] = offersIn(bench);
  assert.equal(offer?.holdId, offerIdOf(command.entryId));
  assert.equal(offer?.items.length, 2);
  assert.equal(offer?.expiresAtMs, NOON + 600_000);
  assert.equal(bench.state.waitlist.count, 0);
  bench.booked(offerIdOf(command.entryId), BOB);
});

test("the line is served by priority, then by arrival, and never more than is free", () => {
  const { bench, free } = soldOut();
  join(bench, 1, ALICE);
  join(bench, 1, BOB);
  join(bench, 1, CAROL, { priority: 5 });
  const entry = bench.state.waitlist.ofUser(BOB);
  assert.ok(entry !== undefined);
  assert.equal(bench.state.waitlist.positionOf(entry.entryId), 3);
  for (const seat of [4, 5, 6]) free(seat);
  assert.deepEqual(offeredTo(bench), [CAROL, ALICE, BOB]);
});

test("an offer that is not used passes to the next", () => {
  const { bench, free } = soldOut();
  join(bench, 1, ALICE);
  join(bench, 1, BOB);
  bench.nowMs += 1_000;
  free(4);
  assert.deepEqual(offeredTo(bench), [ALICE]);
  passOn(bench);
  assert.deepEqual(offeredTo(bench), [ALICE, BOB]);
});

test("an offer that is given back is a drop, one that runs out is none", () => {
  const { bench, free } = soldOut();
  const rule = { freeDrops: 0, windowMs: 1e9, firstWaitMs: 5_000, waitMsMax: 5_000 };
  const mustWait = (userId: UserId): boolean =>
    bench.state.churn.waitUntilMs(rule, userId, bench.nowMs) !== null;
  join(bench, 1, ALICE);
  join(bench, 1, BOB);
  bench.nowMs += 1_000;
  free(4);
  passOn(bench);
  assert.deepEqual([mustWait(ALICE), mustWait(BOB)], [true, false]);
  assert.deepEqual(offeredTo(bench), [ALICE, BOB]);
  bench.nowMs += 600_000;
  bench.expire();
  assert.equal(bench.state.holds.offersTo(BOB).length, 0);
  assert.equal(mustWait(BOB), false);
});

test("whoever waits because they dropped holds joins no sooner than they may hold", () => {
  const churn = { freeDrops: 0, windowMs: 60_000, firstWaitMs: 5_000, waitMsMax: 5_000 };
  const bench = new EventBench({ churn });
  const holdId = bench.held([0], ALICE);
  bench.run({ kind: "release", holdId, userId: ALICE });
  const refusal = { code: "hold_churn", retryAtMs: NOON + 5_000 };
  assert.deepEqual(refusalOf(join(bench, 1, ALICE)), refusal);
  factOf(join(bench, 1, BOB), "queued");
  bench.nowMs += 5_000;
  factOf(join(bench, 1, ALICE), "queued");
  assert.deepEqual(offeredTo(bench), [BOB, ALICE]);
});

test("places are offered of one category that will do, not here and there", () => {
  const { bench, free } = soldOut();
  join(bench, 2, ALICE);
  join(bench, 1, BOB, { categories: [1] });
  free(0);
  free(8);
  assert.deepEqual(offeredTo(bench), [BOB]);
  free(1);
  assert.deepEqual(offeredTo(bench), [BOB, ALICE]);
  assert.deepEqual(
    offersIn(bench)[1]?.items.map(({ place }) => place),
    [0, 1],
  );
});

/** Who was offered something last does not want it: the next one gets it. */
function passOn(bench: EventBench): void {
  const offer = offersIn(bench).at(-1);
  if (offer === undefined) throw new Error("nothing was offered");
  bench.run({ kind: "release", holdId: offer.holdId, userId: offer.userId });
}

test("who was passed over too often is served before whoever wants the same behind them", () => {
  const { bench, free } = soldOut();
  join(bench, 2, ALICE, { categories: [0] });
  for (let n = 0; n < WAITLIST_SKIPS_MAX; n += 1) join(bench, 1, user(n));
  free(FLOOR);
  for (let n = 1; n < WAITLIST_SKIPS_MAX; n += 1) passOn(bench);
  assert.equal(bench.state.waitlist.line()[0]?.skips, WAITLIST_SKIPS_MAX);
  join(bench, 1, BOB, { categories: [0] });
  join(bench, 1, CAROL, { categories: [1] });
  free(0);
  const entry = bench.state.waitlist.ofUser(BOB);
  assert.ok(entry !== undefined);
  assert.equal(whyWaiting(bench.state, entry, bench.nowMs), "after_others");
  passOn(bench);
  free(1);
  free(2);
  assert.deepEqual(offeredTo(bench).slice(WAITLIST_SKIPS_MAX), [CAROL, ALICE, BOB]);
});

test("who may have no more places keeps nobody waiting, however often they are passed over", () => {
  const { bench, free } = soldOut({ perUserMax: 100 });
  join(bench, 1, ALICE);
  bench.run({ kind: "configure", definition: definition({ perUserMax: 2 }) });
  free(0);
  const [offer] = offersIn(bench);
  assert.ok(offer?.userId === ALICE);
  bench.booked(offer.holdId, ALICE);
  // Alice has two places now, and waits for another.
  free(1);
  bench.held([1], ALICE);
  join(bench, 1, ALICE);
  for (let n = 0; n <= WAITLIST_SKIPS_MAX + 1; n += 1) {
    join(bench, 1, user(n));
    if (n === 0) free(2);
    else passOn(bench);
  }
  assert.equal(offeredTo(bench).at(-1), user(WAITLIST_SKIPS_MAX + 1));
  const entry = bench.state.waitlist.ofUser(ALICE);
  assert.ok(entry !== undefined);
  assert.equal(whyWaiting(bench.state, entry, bench.nowMs), "limit_exceeded");
});

test("a buyer waits once, for no more than an order may have, and may leave", () => {
  const { bench } = soldOut({ perOrderMax: 4 });
  factOf(join(bench, 2, ALICE), "queued");
  assert.equal(join(bench, 2, ALICE).reply.kind, "waiting");
  assert.deepEqual(refusalOf(join(bench, 3, ALICE)), { code: "already_waiting" });
  const tooMany = { code: "limit_exceeded", scope: "perOrder", limit: 4, current: 5 };
  assert.deepEqual(refusalOf(join(bench, 5, BOB)), tooMany);
  factOf(bench.run({ kind: "leaveWaitlist", userId: ALICE }), "unqueued");
  assert.deepEqual(bench.run({ kind: "leaveWaitlist", userId: ALICE }).reply, {
    kind: "unchanged",
  });
});

test("one may wait before sales open, is served when they do, and joins no more once they are over", () => {
  const bench = new EventBench({ salesOpenMs: NOON + 10, salesCloseMs: NOON + 20 });
  join(bench, 1, ALICE);
  assert.deepEqual(offeredTo(bench), []);
  bench.nowMs = NOON + 9;
  bench.expire();
  assert.deepEqual(offeredTo(bench), []);
  bench.nowMs += 1;
  bench.expire();
  assert.deepEqual(offeredTo(bench), [ALICE]);
  bench.nowMs = NOON + 20;
  assert.deepEqual(refusalOf(join(bench, 1, BOB)), { code: "sales_closed" });
  assert.deepEqual(refusalOf(join(new EventBench(null), 1, BOB)), { code: "event_not_found" });
});

test("a cancelled event gives everything back, in whatever portions", () => {
  const bench = new EventBench({ perUserMax: 100 });
  const bookingId = bench.booked(bench.held([0, 1]));
  bench.run({
    kind: "cancel",
    bookingId,
    userId: ALICE,
    asOrganizer: false,
    tickets: null,
    reason: null,
    key: null,
  });
  const standing = bench.booked(bench.held([2, 3]));
  const holdId = bench.held([4]);
  const pay = bench.payCommand(bench.held([5]));
  bench.run(pay);
  join(bench, 4, BOB, { categories: [1], priority: 1 });
  join(bench, 4, CAROL, { categories: [1] });
  bench.run({ kind: "configure", definition: definition({ status: "cancelled" }) });
  const before = bench.facts.length;
  while (bench.facts.length < 100) {
    const count = bench.facts.length;
    bench.windUp(1);
    if (bench.facts.length === count) break;
  }
  assert.equal(bench.statuses(), "ffffffffff");
  assert.equal(bench.state.holds.count, 0);
  assert.equal(bench.state.waitlist.count, 0);
  const changes = bench.facts
    .slice(before)
    .flatMap((fact) => (fact.kind === "bookingChanged" ? [fact.change] : []));
  assert.deepEqual(changes.sort(), ["cancelled", "cancelled"]);
  const known = bench.state.bookings.get(standing);
  assert.ok(known !== undefined && statusOf(known.record) === "cancelled");
  assert.notEqual(fateOf(known.record, 0).cancelledAtMs, null);
  const refused = refusalOf(bench.run({ kind: "extend", holdId, userId: ALICE, key: null }));
  assert.deepEqual(refused, { code: "event_cancelled" });
  assert.deepEqual(refusalOf(join(bench, 1, ALICE)), { code: "event_cancelled" });
});

test("who leaves gives back what they were offered, but not what they are paying for", () => {
  const bench = new EventBench({ perUserMax: 100 });
  factOf(join(bench, 1, ALICE), "queued");
  const [paid] = offersIn(bench);
  assert.ok(paid !== undefined);
  assert.equal(join(bench, 1, ALICE).reply.kind, "hold");
  factOf(bench.run(bench.payCommand(paid.holdId)), "paymentStarted");
  factOf(join(bench, 1, ALICE), "queued");
  const spare = offersIn(bench)[1];
  assert.ok(spare !== undefined);
  const leave = { kind: "leaveWaitlist", userId: ALICE } as const;
  const { holdId, reason } = factOf(bench.run(leave), "holdEnded");
  assert.deepEqual([holdId, reason], [spare.holdId, "released"]);
  assert.deepEqual(bench.run(leave).reply, { kind: "unchanged" });
  assert.ok(bench.state.holds.find(paid.holdId) !== undefined);
});
