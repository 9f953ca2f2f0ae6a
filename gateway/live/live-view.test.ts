import assert from "node:assert/strict";
import { test } from "node:test";
import { FREE, HELD, isSeatStatus, type SeatStatus, SOLD } from "../../engine/inventory.ts";
import { DELTAS_KEPT_PER_EVENT_MAX } from "../../engine/limits.ts";
import { definition, EVENT_ID } from "../../engine/testing/fixtures.ts";
import { Random } from "../../engine/testing/random.ts";
import type { InventoryChange } from "../../workers/shard-messages.ts";
import { LiveView } from "./live-view.ts";
import { AvailabilityReader } from "./testing/availability-reader.ts";

const EPOCH = 4;
const FLOOR = -1;

function view(seq = 1): LiveView {
  return new LiveView(EVENT_ID, {
    definition: definition(),
    epoch: EPOCH,
    seq,
    statuses: new Uint8Array(10).fill(FREE),
    areas: [{ capacity: 5, free: 5, held: 0, sold: 0, blocked: 0 }],
  });
}

function moved(
  seq: number,
  from: SeatStatus,
  to: SeatStatus,
  ...places: number[]
): InventoryChange {
  return { eventId: EVENT_ID, seq, moves: [{ places, from, to }] };
}
function shownBy(live: LiveView, withSeats: boolean) {
  return JSON.parse(String(live.availabilityEntity(withSeats).answerTo("").body));
}
const held = (seq: number, ...places: number[]) => moved(seq, FREE, HELD, ...places);

test("a view shows seats, areas and prices as the contract has them", () => {
  const live = view();
  live.apply(held(2, 0, FLOOR, FLOOR));
  live.apply(moved(3, HELD, SOLD, 0));
  assert.deepEqual(shownBy(live, true), {
    eventId: EVENT_ID,
    epoch: EPOCH,
    seq: 3,
    status: "published",
    capacity: 15,
    free: 12,
    held: 2,
    sold: 1,
    blocked: 0,
    categories: [
      { key: "stalls", free: 7, price: 4500 },
      { key: "standing", free: 5, price: 3000 },
    ],
    areas: [{ key: "floor", capacity: 5, free: 3, held: 2, sold: 0 }],
    statuses: "sfffffffff",
  });
  assert.equal("statuses" in shownBy(live, false), false);
});

test("an answer is encoded once until something changes, and its tag tells when", () => {
  const live = view();
  for (const withSeats of [true, false]) {
    const before = live.availabilityEntity(withSeats);
    assert.equal(live.availabilityEntity(withSeats), before);
    assert.equal(before.answerTo(before.etag).status, 304);
    live.apply(held(live.seq + 1, live.seq));
    const after = live.availabilityEntity(withSeats);
    assert.notEqual(after.etag, before.etag);
    assert.equal(after.answerTo(before.etag).status, 200);
  }
  const [whole, plain] = [live.availabilityEntity(true), live.availabilityEntity(false)];
  assert.notEqual(whole.etag, plain.etag);
});

test("a delta has what changed since the last one, as it is now", () => {
  const live = view();
  assert.equal(live.takeDelta(), null);
  live.apply(held(2, 0, 1));
  live.apply(moved(3, HELD, FREE, 1));
  live.apply(held(4, FLOOR));
  assert.deepEqual(JSON.parse(live.takeDelta() ?? ""), {
    op: "delta",
    eventId: EVENT_ID,
    epoch: EPOCH,
    from: 1,
    to: 4,
    seats: [
      [0, "h"],
      [1, "f"],
    ],
    areas: [{ key: "floor", capacity: 5, free: 4, held: 1, sold: 0 }],
    free: 13,
    held: 2,
    sold: 0,
    blocked: 0,
  });
  assert.equal(live.takeDelta(), null);
});

test("a change that the view has already changes nothing", () => {
  const live = view(7);
  live.apply(held(7, 0));
  assert.equal(live.hasUnsent, false);
  assert.equal(live.inventory.free, 15);
});

test("a change that moves nothing still moves the seq", () => {
  const live = view();
  live.apply(held(2));
  const delta = JSON.parse(live.takeDelta() ?? "");
  assert.deepEqual([delta.from, delta.to, delta.seats, delta.areas], [1, 2, [], []]);
});

test("who applies only deltas ends with the same availability", () => {
  const seed = 20_260_101;
  const random = new Random(seed);
  const live = view();
  const reader = new AvailabilityReader();
  reader.read(live.snapshot());
  for (let seq = 2; seq < 2_000; seq += 1) {
    const place = random.below(10);
    const from = live.inventory.statusOf(place);
    const to = random.pick([FREE, HELD, SOLD].filter((status) => status !== from));
    assert.ok(isSeatStatus(from) && isSeatStatus(to));
    live.apply(moved(seq, from, to, place));
    if (random.below(3) === 0) reader.read(live.takeDelta() ?? "");
  }
  const last = live.takeDelta();
  if (last !== null) reader.read(last);
  const shown = shownBy(live, true);
  assert.equal(reader.statuses, shown.statuses, `seed ${seed}`);
  assert.deepEqual(reader.totals, {
    free: shown.free,
    held: shown.held,
    sold: shown.sold,
    blocked: shown.blocked,
  });
  assert.equal(reader.seq, shown.seq);
});

test("a client resumes with the deltas that it missed", () => {
  const live = view();
  const sent: string[] = [];
  for (const seq of [2, 3, 4]) {
    live.apply(held(seq, seq));
    sent.push(live.takeDelta() ?? "");
  }
  assert.deepEqual(live.deltasSince(EPOCH, 1), sent);
  assert.deepEqual(live.deltasSince(EPOCH, 3), sent.slice(2));
  assert.deepEqual(live.deltasSince(EPOCH, 4), []);
});

test("a client needs a snapshot after another epoch, from between deltas, or from the future", () => {
  const live = view();
  live.apply(held(2, 0));
  live.apply(held(3, 1));
  live.takeDelta();
  assert.equal(live.deltasSince(EPOCH - 1, 1), null);
  assert.equal(live.deltasSince(EPOCH, 2), null);
  assert.equal(live.deltasSince(EPOCH, 99), null);
  live.apply(held(4, 2));
  assert.equal(live.deltasSince(EPOCH, 3), null, "not while there is something unsent");
});

test("who has missed much gets a snapshot, where that says it in fewer words", () => {
  const live = view();
  const all = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, FLOOR];
  for (let seq = 2; seq <= 1_001; seq += 1) {
    live.apply(seq % 2 === 0 ? held(seq, ...all) : moved(seq, HELD, FREE, ...all));
    live.takeDelta();
  }
  assert.equal(live.deltasSince(EPOCH, 1), null);
  assert.equal(live.deltasSince(EPOCH, 501)?.length, 500);
});

test("the kept deltas are bounded, and gapless to the end", () => {
  const live = view();
  const count = 3 * DELTAS_KEPT_PER_EVENT_MAX;
  for (let n = 0; n < count; n += 1) {
    const isHeld = n % 2 === 1;
    live.apply(moved(2 + n, isHeld ? HELD : FREE, isHeld ? FREE : HELD, 0));
    live.takeDelta();
  }
  const last = 1 + count;
  assert.equal(live.deltasSince(EPOCH, 1), null, "the oldest are gone");
  const kept = live.deltasSince(EPOCH, last - DELTAS_KEPT_PER_EVENT_MAX) ?? [];
  assert.equal(kept.length, DELTAS_KEPT_PER_EVENT_MAX);
  const steps = kept.map((text) => JSON.parse(text));
  for (const [index, step] of steps.entries()) {
    assert.equal(step.from, steps[index - 1]?.to ?? last - DELTAS_KEPT_PER_EVENT_MAX);
  }
});
