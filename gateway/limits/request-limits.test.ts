import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DEFAULT_LIMITS } from "./limit-classes.ts";
import { type Admission, type Asker, RequestLimits } from "./request-limits.ts";

const bound = (count: number) => ({ count, windowMs: 60_000 });
const ALICE: Asker = { network: 1, userId: "alice" };
const BOB: Asker = { network: 1, userId: "bob" };
const NOBODY: Asker = { network: 1, userId: null };

function limitsOf(user: number, address: number, now = () => 0): RequestLimits {
  const booking = { user: bound(user), address: bound(address) };
  return new RequestLimits({ classes: { ...DEFAULT_LIMITS.classes, booking } }, null, now);
}

/** Without Redis the answer is there at once. */
function admit(limits: RequestLimits, asker: Asker): Admission {
  const admission = limits.admit("booking", asker);
  assert.ok(!(admission instanceof Promise));
  return admission;
}

const told = ({ quota }: Admission) => [quota?.isAllowed, quota?.scope, quota?.remaining];

describe("RequestLimits", () => {
  it("lets a user in as often as the bound says, and then says when again", () => {
    let nowMs = 0;
    const limits = limitsOf(2, 100, () => nowMs);
    assert.deepEqual(told(admit(limits, ALICE)), [true, "user", 1]);
    assert.deepEqual(told(admit(limits, ALICE)), [true, "user", 0]);
    nowMs = 20_500;
    const { quota, ...refusal } = admit(limits, ALICE);
    assert.deepEqual(told({ quota, ...refusal }), [false, "user", 0]);
    assert.deepEqual([quota?.retrySeconds, quota?.resetSeconds], [10, 40]);
    assert.deepEqual(told(admit(limits, BOB)), [true, "user", 1]);
    nowMs = 30_000;
    assert.deepEqual(told(admit(limits, ALICE)), [true, "user", 0]);
    assert.equal(admit(limits, ALICE).quota?.isAllowed, false, "one came back, and no more");
    nowMs = 90_000;
    assert.deepEqual(told(admit(limits, ALICE)), [true, "user", 1]);
  });

  it("has nobody pay for those who are refused", () => {
    const limits = limitsOf(2, 5);
    for (let n = 0; n < 50; n += 1) admit(limits, ALICE);
    assert.deepEqual(told(admit(limits, BOB)), [true, "user", 1]);
    assert.deepEqual(told(admit(limits, BOB)), [true, "user", 0]);
    assert.deepEqual(told(admit(limits, NOBODY)), [true, "address", 0]);
    for (let n = 0; n < 50; n += 1) {
      assert.deepEqual(told(admit(limits, { ...ALICE, userId: "carol" })), [false, "address", 0]);
    }
    assert.deepEqual(told(admit(limits, { network: 2, userId: "carol" })), [true, "user", 1]);
  });

  it("tells of the bound that leaves less", () => {
    const limits = limitsOf(10, 3);
    assert.deepEqual(told(admit(limits, ALICE)), [true, "address", 2]);
    assert.deepEqual(told(admit(limits, { network: 2, userId: "bob" })), [true, "address", 2]);
  });

  it("takes back what could not be tried, from both counts", () => {
    const limits = limitsOf(1, 2);
    const admission = admit(limits, ALICE);
    assert.deepEqual(admission.giveBack()?.remaining, 1);
    assert.deepEqual(told(admit(limits, ALICE)), [true, "user", 0]);
    assert.deepEqual(told(admit(limits, BOB)), [true, "user", 0]);
    assert.equal(admit(limits, NOBODY).quota?.isAllowed, false);
  });

  it("looks without counting", () => {
    const limits = limitsOf(3, 100);
    for (let n = 0; n < 9; n += 1) assert.equal(limits.peek("booking", ALICE)?.remaining, 3);
    admit(limits, ALICE);
    assert.equal(limits.peek("booking", ALICE)?.remaining, 2);
    assert.equal(limits.peek("booking", NOBODY)?.remaining, 99);
  });

  it("counts each class by itself, and not at all what has no bound", () => {
    const free = { user: null, address: null };
    const limits = new RequestLimits({ classes: { ...DEFAULT_LIMITS.classes, read: free } }, null);
    for (let n = 0; n < 10; n += 1) admit(limits, ALICE);
    assert.equal(admit(limits, ALICE).quota?.isAllowed, false);
    const hold = limits.admit("hold", ALICE);
    assert.ok(!(hold instanceof Promise) && hold.quota?.isAllowed === true);
    const read = limits.admit("read", ALICE);
    assert.ok(!(read instanceof Promise) && read.quota === null);
  });
});
