import assert from "node:assert/strict";
import { test } from "node:test";
import { SeatClaims } from "./seat-claims.ts";

test("a seat may be taken from when it was asked for, and no more once that was refused", () => {
  const claims = new SeatClaims(3);
  assert.equal(claims.mayBeTaken(0, 0), false);
  const claim = claims.asked([0, 1]);
  assert.deepEqual(
    [0, 1, 2].map((seat) => claims.mayBeTaken(seat, 1e9)),
    [true, true, false],
  );
  claims.refused(claim);
  assert.equal(claims.mayBeTaken(0, 0), false);
});

test("a claim that has ended counts for who asked before its end, and hides no other", () => {
  const claims = new SeatClaims(1);
  const first = claims.asked([0]);
  first.untilMs = 50;
  assert.deepEqual([claims.mayBeTaken(0, 50), claims.mayBeTaken(0, 51)], [true, false]);
  const second = claims.asked([0]);
  second.untilMs = 900;
  // Its answer comes late.
  first.untilMs = 70;
  assert.equal(claims.mayBeTaken(0, 800), true);
});
