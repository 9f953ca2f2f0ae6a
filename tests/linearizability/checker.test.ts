/** Hand-made histories: those that an order explains, and those that none does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkEvent } from "./checker.ts";
import { bookingOf, SCENE, Scene } from "./scene.ts";

const A1 = { seat: "A-1" };
const A2 = { seat: "A-2" };
const A3 = { seat: "A-3" };
const FLOOR = { area: "floor", quantity: 1 };
const TAKEN = [409, { code: "seat_unavailable", seats: ["A-1"] }] as [number, object];

function faultOf(scene: Scene): string | null {
  return checkEvent(SCENE, scene.history).fault;
}

function accepts(scene: Scene): void {
  assert.equal(faultOf(scene), null);
}

function rejects(scene: Scene, why: RegExp): void {
  assert.match(faultOf(scene) ?? "an order was found", why);
}

test("a hold, its booking, its cancellation and what was seen of them have an order", () => {
  const scene = new Scene();
  scene.look([0, 1], 1, "fff");
  const hold = scene.hold("ann", [10, 14], "h1", [A1, A2], 2);
  scene.look([20, 21], 2, "hhf");
  const booking = scene.book("ann", [30, 34], hold, 3);
  scene.say("ann", [36, 37], { kind: "listBookings" }, { body: { data: [booking] } });
  scene.cancel("ann", [40, 44], booking, 4);
  scene.look([50, 51], 4, "fff");
  scene.hold("bob", [60, 64], "h2", [A1], 5);
  accepts(scene);
});

test("answers that overlap may be true in another order than they came", () => {
  const scene = new Scene();
  scene.refuse("bob", [5, 40], { kind: "hold", key: "h2", items: [A1] }, TAKEN);
  scene.look([6, 45], 1, "fff");
  scene.hold("ann", [10, 50], "h1", [A1], 2);
  scene.look([12, 30], 2, "hff");
  accepts(scene);
});

test("a stale read is rejected", () => {
  const scene = new Scene();
  scene.hold("ann", [10, 14], "h1", [A1], 2);
  scene.look([20, 21], 1, "fff");
  rejects(scene, /availability.* can't come before seq 2/);
});

test("a read that goes back behind an earlier read is rejected", () => {
  const scene = new Scene();
  scene.hold("ann", [10, 90], "h1", [A1], 2);
  scene.look([20, 21], 2, "hff");
  scene.look([30, 31], 1, "fff");
  rejects(scene, /can't come before/);
});

test("a read of what was never so is rejected", () => {
  const scene = new Scene();
  scene.hold("ann", [10, 14], "h1", [A1], 2);
  scene.look([20, 21], 2, "fhf");
  rejects(scene, /what was shown of seq 2 is not so/);
});

test("a hold that was acknowledged and is gone is rejected", () => {
  const scene = new Scene();
  const hold = scene.hold("ann", [10, 14], "h1", [A1], 2);
  const look = { kind: "getHold", holdId: hold.id } as const;
  scene.refuse("ann", [20, 24], look, [404, { code: "hold_not_found" }]);
  rejects(scene, /hold_not_found/);
});

test("how a hold ended is not forgotten, by a restart neither", () => {
  const scene = new Scene();
  const hold = scene.hold("ann", [10, 14], "h1", [A1], 2);
  scene.release("ann", [20, 24], hold);
  scene.outage(50, 300);
  accepts(scene);
  const look = { kind: "getHold", holdId: hold.id } as const;
  scene.refuse("ann", [400, 404], look, [404, { code: "hold_not_found" }]);
  rejects(scene, /hold_not_found/);
});

test("many holds that were due at once have one order, and a release finds its place among them", () => {
  const scene = new Scene();
  const count = 14;
  for (let n = 0; n < count; n += 1) {
    scene.hold(`buyer ${n}`, [10 * n, 10 * n + 4], `h${n}`, [FLOOR], 2 + n);
  }
  const hold = scene.hold("bob", [150, 154], "b", [A1], 2 + count);
  scene.extend("bob", [160, 164], hold, 3 + count);
  scene.outage(200, 3_000);
  scene.release("bob", [190, 3_020], hold);
  const taken = { kind: "hold", key: "c", items: [A1] } as const;
  scene.hold("dan", [3_001, 3_005], "d", [A2], 4 + 2 * count);
  scene.refuse("cat", [3_008, 3_010], taken, TAKEN);
  scene.hold("eve", [3_030, 3_034], "e", [A3], 6 + 2 * count);
  const event = { ...SCENE, areas: [{ key: "floor", capacity: 20 }] };
  const { fault, deadEnds } = checkEvent(event, scene.history);
  assert.equal(fault, null);
  assert.ok(deadEnds <= count + 1, `${deadEnds} dead ends`);
});

test("a release comes before the ends that were due after it", () => {
  const scene = new Scene();
  const first = scene.hold("ann", [10, 14], "h1", [FLOOR], 2);
  scene.hold("bob", [20, 24], "h2", [A1], 3);
  scene.outage(40, 2_200);
  scene.release("ann", [30, 2_300], first);
  scene.hold("cat", [2_300, 2_304], "h3", [A1], 6);
  accepts(scene);
});

test("an acknowledged seq that another fact took after a crash is rejected", () => {
  const scene = new Scene();
  scene.hold("ann", [10, 14], "h1", [A1], 2);
  scene.outage(20, 400);
  scene.hold("bob", [420, 424], "h2", [A2], 2);
  rejects(scene, /two outcomes have seq 2/);
});

test("a seat that is sold twice is rejected", () => {
  const scene = new Scene();
  const first = scene.hold("ann", [10, 14], "h1", [A1], 2);
  scene.book("ann", [20, 24], first, 3);
  scene.hold("bob", [30, 34], "h2", [A1], 4);
  rejects(scene, /seat A-1 is not free/);
});

test("an area that is overfull is rejected", () => {
  const scene = new Scene();
  scene.hold("ann", [10, 14], "h1", [FLOOR, FLOOR], 2);
  scene.hold("bob", [20, 24], "h2", [FLOOR, FLOOR], 3);
  rejects(scene, /area floor has no 2 free/);
});

test("a refusal that was true only before or after its window is rejected", () => {
  const before = new Scene();
  before.refuse("bob", [5, 8], { kind: "hold", key: "h2", items: [A1] }, TAKEN);
  before.hold("ann", [10, 14], "h1", [A1], 2);
  rejects(before, /seat_unavailable/);
  const after = new Scene();
  const hold = after.hold("ann", [10, 14], "h1", [A1], 2);
  after.release("ann", [20, 24], hold);
  after.refuse("bob", [30, 34], { kind: "hold", key: "h2", items: [A1] }, TAKEN);
  rejects(after, /seat_unavailable/);
});

test("a refusal that names the wrong numbers is rejected", () => {
  const scene = new Scene();
  scene.hold("ann", [10, 14], "h1", [FLOOR, FLOOR], 2);
  const items = [{ area: "floor", quantity: 2 }];
  const refusal = { code: "insufficient_capacity", area: "floor", available: 0 };
  scene.refuse("bob", [20, 24], { kind: "hold", key: "h2", items }, [409, refusal]);
  rejects(scene, /insufficient_capacity/);
  const right = new Scene();
  right.hold("ann", [10, 14], "h1", [FLOOR, FLOOR], 2);
  const told = { ...refusal, available: 1 };
  right.refuse("bob", [20, 24], { kind: "hold", key: "h2", items }, [409, told]);
  accepts(right);
});

test("limits are told as they are", () => {
  const limit = { code: "limit_exceeded", scope: "perUser", limit: 4, current: 3 };
  const scene = (current: number): Scene => {
    const made = new Scene();
    made.hold("ann", [10, 14], "h1", [A1, FLOOR, FLOOR], 2);
    const more = { kind: "hold", key: "h2", items: [A2, FLOOR] } as const;
    made.refuse("ann", [20, 24], more, [409, { ...limit, current }]);
    return made;
  };
  accepts(scene(3));
  rejects(scene(2), /limit_exceeded/);
});

test("an order by seq that goes against the order in time is rejected", () => {
  const scene = new Scene();
  scene.hold("ann", [10, 14], "h1", [A1], 3);
  scene.hold("bob", [20, 24], "h2", [A2], 2);
  rejects(scene, /seq 2 .* can't come before seq 3/);
});

test("a server whose time runs backwards is rejected", () => {
  const scene = new Scene();
  scene.hold("ann", [10, 90], "h1", [A1], 2);
  scene.hold("bob", [20, 24], "h2", [A2], 3);
  rejects(scene, /time would run backwards/);
});

test("an outcome that happened when nobody asked for it is rejected", () => {
  const scene = new Scene();
  const hold = scene.hold("ann", [10, 14], "h1", [A1], 2);
  const booking = scene.book("ann", [20, 24], hold, 3);
  const cancelled = { ...booking, status: "cancelled", cancelledAt: hold.expiresAt, seq: 4 };
  const operation = { kind: "cancel", key: "c", bookingId: booking.id } as const;
  scene.say("ann", [30, 34], operation, { body: cancelled });
  rejects(scene, /when nobody asked for it/);
});

test("a cancellation that nobody heard of explains one that came later under another key", () => {
  const scene = new Scene();
  const hold = scene.hold("ann", [10, 14], "h1", [A1], 2);
  const booking = scene.book("ann", [20, 24], hold, 3);
  const cancelled = scene.cancel("ann", [30, 34], booking, 4);
  scene.operations.pop();
  const later = { kind: "cancel", key: "c2", bookingId: booking.id } as const;
  scene.say("ann", [90, 94], later, { body: cancelled });
  rejects(scene, /when nobody asked for it/);
  const unheard = { ...later, key: "c1" };
  scene.say("ann", [30, 80], unheard, { body: cancelled, replayed: true, attempts: 2 });
  accepts(scene);
});

test("two outcomes under one key are rejected, whichever the second is", () => {
  const twice = new Scene();
  twice.hold("ann", [10, 14], "h1", [A1], 2);
  twice.hold("ann", [20, 24], "h1", [A1], 3);
  rejects(twice, /key h1 has an outcome already/);
  const refused = new Scene();
  refused.hold("ann", [10, 14], "h1", [A1], 2);
  refused.refuse("ann", [20, 24], { kind: "hold", key: "h1", items: [A1] }, TAKEN);
  rejects(refused, /seat_unavailable/);
  const first = new Scene();
  first.hold("ann", [10, 14], "h1", [A1], 2);
  first.again([20, 24], 0, { replayed: false });
  rejects(first, /twice the first outcome/);
});

test("a repeated request is answered as before, and only with what was asked before", () => {
  const scene = new Scene();
  const hold = scene.hold("ann", [10, 14], "h1", [A1], 2);
  scene.again([20, 24], 0);
  const other = { kind: "hold", key: "h1", items: [A2] } as const;
  scene.refuse("ann", [30, 34], other, [422, { code: "idempotency_key_reused" }]);
  accepts(scene);
  scene.say("ann", [40, 44], other, { status: 201, replayed: true, body: hold });
  rejects(scene, /other places than were asked for/);
});

test("a key that was never used can't have been reused", () => {
  const scene = new Scene();
  const reused = [422, { code: "idempotency_key_reused" }] as [number, object];
  scene.refuse("ann", [10, 14], { kind: "hold", key: "h1", items: [A1] }, reused);
  rejects(scene, /idempotency_key_reused/);
});

test("a hold that ended on time explains a gap and frees its seat", () => {
  const scene = new Scene();
  const hold = scene.hold("ann", [10, 14], "h1", [A1], 2);
  scene.hold("bob", [2_100, 2_104], "h2", [A1], 4);
  scene.refuse("ann", [2_110, 2_114], bookingOf(hold.id), [410, { code: "hold_expired" }]);
  accepts(scene);
});

test("a hold that ended early is rejected", () => {
  const scene = new Scene();
  scene.hold("ann", [10, 14], "h1", [A1], 2);
  scene.hold("bob", [1_900, 1_904], "h2", [A1], 4);
  rejects(scene, /seq 3, of which nobody was told/);
});

test("a hold that outlives its end by more than a second is rejected, unless the server was away", () => {
  const scene = new Scene();
  scene.hold("ann", [10, 14], "h1", [A1], 2);
  scene.look([3_000, 3_004], 2, "hff");
  accepts(scene);
  scene.look([3_100, 3_104], 2, "hff");
  rejects(scene, /can't come before the end of hold h1/);
  scene.outage(2_900, 3_050);
  accepts(scene);
});

test("an expired hold that was booked is rejected", () => {
  const scene = new Scene();
  const hold = scene.hold("ann", [10, 14], "h1", [A1], 2);
  scene.book("ann", [2_100, 2_104], hold, 3);
  rejects(scene, /the hold's time was over/);
});

test("an extended hold lives on, and once only", () => {
  const scene = new Scene();
  const hold = scene.hold("ann", [10, 14], "h1", [A1], 2);
  const extended = scene.extend("ann", [100, 104], hold, 3);
  scene.refuse("ann", [200, 204], { kind: "extend", key: "x", holdId: hold.id }, [
    409,
    { code: "hold_not_extendable" },
  ]);
  scene.book("ann", [3_000, 3_004], extended, 4);
  accepts(scene);
  const twice = new Scene();
  twice.extend("ann", [100, 104], twice.hold("ann", [10, 14], "h1", [A1], 2), 3);
  twice.operations.push({
    ...(twice.operations[1] ?? assert.fail()),
    n: 9,
    invokedMs: (twice.operations[1]?.answeredMs ?? 0) + 10,
    answeredMs: (twice.operations[1]?.answeredMs ?? 0) + 20,
    operation: { kind: "extend", key: "x", holdId: "h1" },
    answer: { status: 200, replayed: false, body: { ...extended, seq: 4 } },
  });
  rejects(twice, /extended already/);
});

test("a gap that nothing explains is rejected", () => {
  const scene = new Scene();
  scene.hold("ann", [10, 14], "h1", [A1], 2);
  scene.hold("bob", [20, 24], "h2", [A2], 4);
  rejects(scene, /seq 3, of which nobody was told/);
});

test("an end of a hold without a seq of its own is rejected", () => {
  const scene = new Scene();
  const hold = scene.hold("ann", [10, 14], "h1", [A1], 2);
  scene.release("ann", [20, 24], hold);
  scene.hold("bob", [30, 34], "h2", [A2], 3);
  rejects(scene, /can't come before/);
});

test("of two ends for two gaps, the guess that explains everything is found", () => {
  const scene = new Scene();
  const first = scene.hold("ann", [10, 14], "h1", [FLOOR], 2);
  const second = scene.hold("bob", [20, 24], "h2", [FLOOR, FLOOR], 3);
  // Both are released at once; what is seen in between tells which came first.
  scene.release("ann", [30, 60], first);
  scene.release("bob", [30, 60], second);
  scene.look([30, 60], 4, "fff", [1, 0]);
  accepts(scene);
  scene.look([30, 60], 4, "fff", [2, 0]);
  rejects(scene, /what was shown of seq 4 is not so/);
});

test("a booking that its buyer's list lacks after its answer is rejected", () => {
  const scene = new Scene();
  const hold = scene.hold("ann", [10, 14], "h1", [A1], 2);
  scene.book("ann", [20, 24], hold, 3);
  scene.say("ann", [30, 34], { kind: "listBookings" }, { body: { data: [] } });
  scene.hold("bob", [40, 44], "h2", [A2], 4);
  rejects(scene, /listBookings/);
});

test("a release is repeated in vain and in peace", () => {
  const scene = new Scene();
  const hold = scene.hold("ann", [10, 14], "h1", [A1], 2);
  scene.release("ann", [20, 24], hold);
  scene.release("ann", [30, 34], hold);
  scene.refuse("ann", [40, 44], { kind: "getHold", holdId: "h1" }, [
    410,
    { code: "hold_released" },
  ]);
  scene.look([50, 54], 3, "fff");
  accepts(scene);
});

test("a buyer who hears of another's hold is rejected", () => {
  const scene = new Scene();
  const hold = scene.hold("ann", [10, 14], "h1", [A1], 2);
  const look = { kind: "getHold", holdId: hold.id } as const;
  scene.refuse("bob", [20, 24], look, [404, { code: "hold_not_found" }]);
  accepts(scene);
  scene.say("bob", [30, 34], look, { body: hold });
  rejects(scene, /getHold/);
});
