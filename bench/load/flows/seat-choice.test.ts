import assert from "node:assert/strict";
import { test } from "node:test";
import { RandomSource } from "../../catalogue/random-source.ts";
import { Popularity } from "../popularity.ts";
import { SeatChoice } from "./seat-choice.ts";

const choice = (seats: number, lagMs = 100): SeatChoice =>
  new SeatChoice({ seats, lagMs, isThorough: true, random: new RandomSource(7) });

test("seats that are picked are beside each other and seen as free", () => {
  const seats = choice(50);
  for (let n = 0; n < 200; n += 1) {
    const picked = seats.pick(3, 0) ?? [];
    const [first = -1] = picked;
    assert.deepEqual(picked, [first, first + 1, first + 2]);
    assert.ok(first >= 0 && first + 2 < 50);
  }
});

test("what others took is seen late, and that is how buyers collide", () => {
  const seats = choice(2);
  seats.taken([0, 1], 1_000, 9_000);
  assert.notEqual(seats.pick(1, 1_050), null);
  assert.equal(seats.pick(1, 1_100), null);
  assert.notEqual(seats.pick(1, 9_000), null, "a hold ends");
});

test("what was given back is seen as free again, what was sold never", () => {
  const seats = choice(1, 0);
  seats.taken([0], 0, 5_000);
  seats.taken([0], 10, 0);
  assert.deepEqual(seats.pick(1, 20), [0]);
  seats.sold([0], 30);
  seats.taken([0], 40, 0);
  assert.equal(seats.pick(1, 1e9), null);
  assert.ok(seats.isSoldOut);
});

test("who finds a seat taken does not forget until when it is", () => {
  const seats = choice(1, 0);
  seats.taken([0], 0, 5_000);
  seats.taken([0], 1_000, 2_000);
  assert.equal(seats.pick(1, 3_000), null);
  assert.deepEqual(seats.pick(1, 5_000), [0]);
});

test("where the front is taken, buyers look elsewhere, and not all at one place", () => {
  const seats = choice(10_000, 0);
  seats.sold([...Array(5_000).keys()], 0);
  const picked = Array.from({ length: 200 }, () => seats.pick(2, 1)?.[0] ?? 0);
  assert.ok(picked.every((seat) => seat >= 5_000));
  assert.ok(new Set(picked).size > 150, `${new Set(picked).size} places`);
});

test("who is not thorough looks at a part of the plan, and takes no seat alone for two", () => {
  const options = { lagMs: 0, isThorough: false, random: new RandomSource(7) };
  const singles = new SeatChoice({ seats: 1_000, ...options });
  singles.sold(
    [...Array(1_000).keys()].filter((seat) => seat % 2 === 0),
    0,
  );
  assert.equal(singles.pick(2, 1), null);
  assert.equal(singles.pick(1, 1)?.length, 1);
});

test("where there are not enough beside each other, one seat is picked", () => {
  const seats = choice(3, 0);
  seats.sold([1], 0);
  assert.equal(seats.pick(2, 1)?.length, 1);
});

test("by Zipf's law the first is drawn twice as often as the second", () => {
  const popularity = new Popularity(100, 1);
  const random = new RandomSource(1);
  const draws = new Array<number>(100).fill(0);
  for (let n = 0; n < 100_000; n += 1) {
    const drawn = popularity.draw(random.next());
    draws[drawn] = (draws[drawn] ?? 0) + 1;
  }
  const [first = 0, second = 1] = draws;
  assert.ok(Math.abs(first / second - 2) < 0.1, `${first} and ${second}`);
  assert.ok(draws.every((count) => count > 0));
  assert.equal(new Popularity(4, 0).draw(0.99), 3);
});
