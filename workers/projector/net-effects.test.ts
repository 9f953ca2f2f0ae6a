import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventId } from "../../engine/ids.ts";
import { placeOfArea } from "../../engine/place.ts";
import { BOB, definition, EVENT_ID, EventBench } from "../../engine/testing/fixtures.ts";
import { factsOf, findOutcome } from "../store/key-blocks.ts";
import type { NetEffects } from "./effects.ts";
import { netEffectsOf } from "./net-effects.ts";

const FLOOR = placeOfArea(0);
const key = (digest: string) => ({ digest, fingerprint: `of ${digest}` });

/** The net effects of what `act` causes, after everything that happened before it. */
function effectsOf(bench: EventBench, act: () => void): NetEffects {
  const from = bench.facts.length;
  act();
  return netEffectsOf(bench.facts.slice(from).map((fact) => ({ eventId: EVENT_ID, fact })));
}

test("a hold that began and ended within the run leaves its end, for whoever was told of it", () => {
  const bench = new EventBench();
  const effects = effectsOf(bench, () => {
    const { reply } = bench.hold([0, FLOOR], BOB, key("k"));
    assert.ok(reply.kind === "done" && reply.fact.kind === "held");
    bench.run({ kind: "release", holdId: reply.fact.holdId, userId: BOB });
  });
  assert.deepEqual(effects.events, [
    { eventId: EVENT_ID, firstSeq: 2, lastSeq: 3, seatsFreed: 0, definition: null },
  ]);
  assert.deepEqual(effects.areas, []);
  assert.deepEqual(
    effects.holdsMade.map(({ ended }) => [ended?.end.end, ended?.seq]),
    [["released", 3]],
  );
  assert.deepEqual(effects.holdChanges, []);
  assert.deepEqual(
    effects.keyBlocks.map((block) => findOutcome(factsOf(block), block.lastSeq)),
    [bench.facts[1]],
  );
});

test("a hold that was extended within the run is made as extended", () => {
  const bench = new EventBench();
  const effects = effectsOf(bench, () => {
    const holdId = bench.held([0], BOB);
    bench.nowMs += 1_000;
    bench.run({ kind: "extend", holdId, userId: BOB, key: null });
  });
  assert.deepEqual(
    effects.holdsMade.map(({ hold }) => hold),
    [...bench.state.holds.active()],
  );
  assert.equal(effects.holdsMade[0]?.hold.extended, true);
  assert.deepEqual(effects.holdChanges, []);
});

test("an earlier hold that is extended and then ends changes once, and keeps both", () => {
  const bench = new EventBench();
  const holdId = bench.held([FLOOR], BOB);
  const effects = effectsOf(bench, () => {
    bench.nowMs += 1_000;
    bench.run({ kind: "extend", holdId, userId: BOB, key: null });
    bench.nowMs += 1_200_000;
    bench.expire();
  });
  assert.equal(effects.holdChanges.length, 1);
  const [change] = effects.holdChanges;
  assert.equal(change?.seq, 4);
  assert.equal(change?.ended?.end.end, "expired");
  assert.equal(change?.ended?.end.atMs, bench.nowMs);
  assert.ok(change?.update.extended === true && change.update.expiresAtMs !== undefined);
  assert.deepEqual(effects.areas, [
    { eventId: EVENT_ID, area: 0, held: -1, sold: 0, blocked: 0, capacity: null },
  ]);
});

test("a booking of an earlier hold ends it, is made, and moves the area's counters", () => {
  const bench = new EventBench();
  const holdId = bench.held([3, FLOOR, FLOOR]);
  const effects = effectsOf(bench, () => bench.booked(holdId));
  assert.deepEqual(effects.areas, [
    { eventId: EVENT_ID, area: 0, held: -2, sold: 2, blocked: 0, capacity: null },
  ]);
  assert.equal(effects.bookingsMade.length, 1);
  assert.equal(effects.bookingsMade[0]?.record.later, null);
  assert.deepEqual(effects.holdsBooked, [{ eventId: EVENT_ID, holdId }]);
  assert.deepEqual(effects.holdChanges, []);
});

test("a booking that was made and cancelled within the run is made, as cancelled", () => {
  const bench = new EventBench();
  const cancel = (bookingId: ReturnType<EventBench["booked"]>): void => {
    const rest = { userId: BOB, asOrganizer: true, tickets: null, reason: "ill", key: null };
    bench.run({ kind: "cancel", bookingId, ...rest });
  };
  const early = bench.booked(bench.held([0]));
  const effects = effectsOf(bench, () => {
    cancel(bench.booked(bench.held([1, FLOOR])));
    cancel(early);
  });
  assert.equal(effects.bookingsMade.length, 1);
  assert.equal(effects.bookingsMade[0]?.record.later?.cancelled?.reason, "ill");
  assert.deepEqual(
    effects.bookingChanges.map(({ record, tickets }) => [record.bookingId, tickets]),
    [[early, [0]]],
  );
  assert.deepEqual(effects.areas, []);
});

test("a booking that is handed over twice within the run has its last codes, for every ticket", () => {
  const bench = new EventBench();
  const bookingId = bench.booked(bench.held([0, 1]));
  const of = { bookingId, userId: BOB, asOrganizer: true, toUserId: BOB, key: null };
  const effects = effectsOf(bench, () => {
    bench.run(bench.drafts.transfer({ ...of, email: "bob@example.org" }));
    bench.run(bench.drafts.transfer({ ...of, email: "bobby@example.org" }));
  });
  const record = bench.state.bookings.get(bookingId)?.record;
  assert.deepEqual(effects.bookingChanges, [
    { eventId: EVENT_ID, record, tickets: [0, 1], moved: [] },
  ]);
});

test("events are told apart, and the last definition of each counts", () => {
  const bench = new EventBench();
  bench.run({ kind: "configure", definition: definition({ perUserMax: 2 }) });
  bench.held([FLOOR]);
  const other = "018f3c9a-7b10-7000-8000-000000000001" as EventId;
  const effects = netEffectsOf(
    bench.facts.flatMap((fact) => [
      { eventId: EVENT_ID, fact },
      { eventId: other, fact },
    ]),
  );
  assert.deepEqual(
    effects.events.map((event) => [event.eventId, event.firstSeq, event.lastSeq]),
    [
      [EVENT_ID, 1, 3],
      [other, 1, 3],
    ],
  );
  assert.equal(effects.events[0]?.definition?.perUserMax, 2);
  assert.equal(effects.holdsMade.length, 2);
  assert.deepEqual(
    effects.areas.map((area) => area.eventId),
    [EVENT_ID, other],
  );
});

test("a gap in an event's facts is a bug and throws", () => {
  const bench = new EventBench();
  bench.held([0]);
  bench.held([1]);
  const [first, , third] = bench.facts;
  assert.ok(first !== undefined && third !== undefined);
  assert.throws(() => netEffectsOf([first, third].map((fact) => ({ eventId: EVENT_ID, fact }))));
});
