import assert from "node:assert/strict";
import { test } from "node:test";
import { COURTESY_LOOK_MS, COURTESY_SHARE } from "../../engine/lane-limits.ts";
import { ManualClock } from "../../workers/testing/manual-clock.ts";
import { Courtesy } from "./courtesy.ts";

/** Two processors, of which this part is idle. */
function stage(idleShare: number) {
  const clock = new ManualClock();
  const state = { idleShare, busyMs: 0, idleMs: 0, lookedMs: 0 };
  const machine = () => {
    state.idleMs += 2 * (clock.nowMs - state.lookedMs) * state.idleShare;
    state.lookedMs = clock.nowMs;
    return { idleMs: state.idleMs, totalMs: 2 * clock.nowMs };
  };
  const courtesy = new Courtesy({ clock, machine, busyMs: () => state.busyMs });
  return { clock, state, courtesy };
}

test("on a machine with time to spare nobody waits, however much was used", async () => {
  const { clock, state, courtesy } = stage(0.5);
  for (let n = 0; n < 10; n += 1) {
    state.busyMs += COURTESY_LOOK_MS;
    await clock.pass(COURTESY_LOOK_MS);
    assert.equal(courtesy.isHoldingBack, false);
    await courtesy.turn();
  }
});

test("a machine that it keeps busy by itself is no crowd", async () => {
  const { clock, state, courtesy } = stage(0);
  for (let n = 0; n < 10; n += 1) {
    state.busyMs += COURTESY_LOOK_MS;
    await clock.pass(COURTESY_LOOK_MS);
    assert.equal(courtesy.isHoldingBack, false);
  }
});

test("it is quiet when others have little to do, whatever it does itself", async () => {
  const { clock, state, courtesy } = stage(0.3);
  assert.equal(courtesy.isQuiet, false, "before the first look");
  await clock.pass(COURTESY_LOOK_MS);
  assert.equal(courtesy.isQuiet, false);
  // It alone keeps one of the two processors busy, and a bit of the other.
  state.busyMs += 1.2 * COURTESY_LOOK_MS;
  await clock.pass(COURTESY_LOOK_MS);
  assert.equal(courtesy.isQuiet, true);
});

test("in a crowd it uses its share and no more, and goes on as soon as that is paid back", async () => {
  const { clock, state, courtesy } = stage(0.02);
  const beganMs = clock.nowMs;
  let turns = 0;
  const work = async (): Promise<void> => {
    for (;;) {
      await courtesy.turn();
      turns += 1;
      // Each costs 10 ms of a processor, which a thread in the background has to wait for.
      state.busyMs += 10;
      await new Promise<void>((resolve) => {
        clock.after(30, resolve);
      });
    }
  };
  void work();
  await clock.pass(60_000);
  const share = (turns * 10) / (clock.nowMs - beganMs);
  assert.ok(share < COURTESY_SHARE * 1.2 && share > COURTESY_SHARE * 0.7, `a share of ${share}`);
  state.idleShare = 0.6;
  await clock.pass(2 * COURTESY_LOOK_MS);
  const before = turns;
  await clock.pass(1_000);
  assert.ok(turns - before > 25, "nobody holds it back any more");
  courtesy.stop();
});

test("a rush finds many waiting: they begin one by one, as their share pays for them", async () => {
  const { clock, state, courtesy } = stage(0.02);
  await clock.pass(COURTESY_LOOK_MS);
  const begun: number[] = [];
  const all = Array.from({ length: 50 }, async (_, n) => {
    await courtesy.turn();
    begun.push(n);
    state.busyMs += 1;
  });
  await clock.pass(COURTESY_LOOK_MS);
  assert.ok(begun.length <= 5, `${begun.length} began at once`);
  // By and by it learns how little they cost.
  await clock.pass(8 * COURTESY_LOOK_MS);
  assert.ok(begun.length >= 20, `${begun.length} began in two seconds`);
  await clock.pass(16 * COURTESY_LOOK_MS);
  await Promise.all(all);
  assert.deepEqual(
    begun,
    [...begun].sort((a, b) => a - b),
    "in order",
  );
  courtesy.stop();
});

test("nothing waits behind a campaign, however many of its mails waited before", async () => {
  const { clock, courtesy } = stage(0.02);
  await clock.pass(COURTESY_LOOK_MS);
  const begun: string[] = [];
  for (let n = 0; n < 50; n += 1) {
    void courtesy.patientTurn().then(() => begun.push("campaign"));
  }
  await clock.pass(1);
  const already = begun.length;
  assert.ok(already < 50);
  void courtesy.turn().then(() => begun.push("ticket"));
  await clock.pass(COURTESY_LOOK_MS);
  assert.equal(begun[already], "ticket");
  courtesy.stop();
  await clock.pass(1);
  assert.equal(begun.length, 51);
});

test("who waits when it stops is let go", async () => {
  const { clock, state, courtesy } = stage(0);
  state.busyMs = 1_000;
  await clock.pass(COURTESY_LOOK_MS);
  const waiting = courtesy.turn();
  courtesy.stop();
  await waiting;
});
