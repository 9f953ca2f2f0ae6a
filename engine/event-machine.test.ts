/**
 * Random runs of the event machine against a model that shares no code with it. On failure the
 * test's name shows the seed: set SEED to it to run that one again.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { apply } from "./apply.ts";
import { EventState } from "./event-state.ts";
import { decodeFact, encodeFact } from "./fact-codec.ts";
import type { BookingId, HoldId, UserId } from "./ids.ts";
import { isSeat, type Place, placeOfArea } from "./place.ts";
import { restore, snapshotOf } from "./snapshot.ts";
import { driftBetween, snapshotHash } from "./snapshot-comparison.ts";
import { ALICE, BOB, EventBench } from "./testing/fixtures.ts";
import { Random } from "./testing/random.ts";

interface ModelHold {
  readonly user: UserId;
  readonly places: readonly Place[];
  readonly endsMs: number;
}

/** The rules of holding and selling once more, in the plainest way. */
class Model {
  readonly holds = new Map<HoldId, ModelHold>();
  readonly sold = new Map<BookingId, readonly Place[]>();

  taken(): Place[] {
    return [
      ...[...this.holds.values()].flatMap((hold) => hold.places),
      ...[...this.sold.values()].flat(),
    ];
  }

  expire(nowMs: number): void {
    for (const [id, hold] of this.holds) if (hold.endsMs <= nowMs) this.holds.delete(id);
  }
}

const STEPS = 400;
const SEATS = 10;
const AREA_CAPACITY = 5;

function run(seed: number): void {
  const random = new Random(seed);
  const bench = new EventBench({ perUserMax: 100, holdTtlMs: 10_000 });
  const model = new Model();
  for (let step = 0; step < STEPS; step += 1) {
    bench.nowMs += random.below(2_000);
    model.expire(bench.nowMs);
    bench.expire();
    oneStep(random, bench, model);
    check(bench, model);
  }
  const replayed = new EventState();
  for (const fact of bench.facts) apply(replayed, decodeFact(structuredClone(encodeFact(fact))));
  assert.equal(snapshotHash(snapshotOf(replayed)), snapshotHash(snapshotOf(bench.state)));
  const restored = snapshotOf(restore(snapshotOf(bench.state)));
  assert.deepEqual(driftBetween(restored, snapshotOf(bench.state)), []);
}

function oneStep(random: Random, bench: EventBench, model: Model): void {
  const user = random.pick([ALICE, BOB]);
  const holdIds = [...model.holds.keys()];
  const bookingIds = [...model.sold.keys()];
  const choice = random.below(10);
  if (choice < 5 || holdIds.length === 0) return tryHold(random, bench, model, user);
  const holdId = random.pick(holdIds);
  const hold = model.holds.get(holdId);
  if (choice < 7) {
    const { reply } = bench.run({ kind: "release", holdId, userId: user });
    assert.equal(reply.kind === "done", hold?.user === user);
    if (reply.kind === "done") model.holds.delete(holdId);
  } else if (choice < 9 || bookingIds.length === 0) {
    const command = bench.bookCommand(holdId, user);
    const { reply } = bench.run(command);
    assert.equal(reply.kind === "done", hold?.user === user);
    if (reply.kind !== "done" || hold === undefined) return;
    model.holds.delete(holdId);
    model.sold.set(command.bookingId, hold.places);
  } else {
    const bookingId = random.pick(bookingIds);
    const rest = { asOrganizer: true, reason: null, key: null };
    const { reply } = bench.run({
      kind: "cancel",
      tickets: null,
      bookingId,
      userId: user,
      ...rest,
    });
    assert.equal(reply.kind, "done");
    model.sold.delete(bookingId);
  }
}

function tryHold(random: Random, bench: EventBench, model: Model, user: UserId): void {
  const count = 1 + random.below(4);
  const places = Array.from({ length: count }, () =>
    random.below(4) === 0 ? placeOfArea(0) : random.below(SEATS),
  );
  const command = bench.holdCommand(places, user);
  const { reply } = bench.run(command);
  const after = [...model.taken(), ...places];
  const seats = after.filter(isSeat);
  const fits = new Set(seats).size === seats.length && after.length - seats.length <= AREA_CAPACITY;
  assert.equal(reply.kind === "done", fits, JSON.stringify(reply));
  if (fits) model.holds.set(command.holdId, { user, places, endsMs: bench.nowMs + 10_000 });
}

function check(bench: EventBench, model: Model): void {
  const { inventory } = bench.state;
  assert.ok(inventory !== null);
  const { free, held, sold, blocked, capacity } = inventory;
  assert.equal(free + held + sold + blocked, capacity);
  const heldPlaces = [...model.holds.values()].flatMap((hold) => hold.places);
  const soldPlaces = [...model.sold.values()].flat();
  assert.equal(held, heldPlaces.length);
  assert.equal(sold, soldPlaces.length);
  const expected = Array.from({ length: SEATS }, (_, seat) =>
    heldPlaces.includes(seat) ? "h" : soldPlaces.includes(seat) ? "s" : "f",
  ).join("");
  assert.equal(bench.statuses(), expected);
}

const chosen = process.env.SEED;
const seeds = chosen === undefined ? Array.from({ length: 60 }, (_, n) => n + 1) : [Number(chosen)];
for (const seed of seeds) {
  test(`a random run agrees with the model and with its own replay (SEED=${seed})`, () =>
    run(seed));
}
