import assert from "node:assert/strict";
import { test } from "node:test";
import { IdempotencyKeys } from "./idempotency-keys.ts";
import { KEY_TTL_MS } from "./limits.ts";
import { NOON } from "./testing/fixtures.ts";

const key = (n: number) => ({
  digest: `digest-${n}`.padEnd(22, "-"),
  fingerprint: `print-${n}`,
});

test("a key is kept as it came, and forgotten when its time is over", () => {
  const keys = new IdempotencyKeys();
  const count = 10_000;
  for (let n = 0; n < count; n += 1) keys.keep(key(n), n + 1, NOON + n);
  assert.equal(keys.count, count);
  for (const n of [0, 7, 8, 1_000, count - 1]) {
    const kept = { ...key(n), seq: n + 1, atMs: NOON + n };
    assert.deepEqual(keys.find(key(n).digest, NOON + count), kept);
  }
  assert.equal(keys.find(key(count).digest, NOON), undefined);
  assert.equal(keys.find(`${key(1).digest}-`, NOON), undefined);
  // Too old to be found, though nobody has come yet whose key it makes room for.
  assert.equal(keys.find(key(9).digest, NOON + 10 + KEY_TTL_MS), undefined);
  assert.equal(keys.find(key(10).digest, NOON + 10 + KEY_TTL_MS)?.seq, 11);
  keys.keep(key(count), count + 1, NOON + 10 + KEY_TTL_MS);
  assert.equal(keys.count, count - 9);
  const all = keys.all();
  assert.deepEqual(all[0], { ...key(10), seq: 11, atMs: NOON + 10 });
  assert.equal(all.at(-1)?.seq, count + 1);
  assert.equal(all.length, keys.count);
});

test("a key that comes again is the newest", () => {
  const keys = new IdempotencyKeys();
  for (let n = 0; n < 3; n += 1) keys.keep(key(n), n + 1, NOON);
  keys.keep(key(0), 4, NOON + 1);
  assert.deepEqual(
    keys.all().map(({ seq }) => seq),
    [2, 3, 4],
  );
  assert.equal(keys.find(key(0).digest, NOON)?.seq, 4);
});

test("day after day keys are forgotten, and their room is used again", () => {
  const keys = new IdempotencyKeys();
  const daily = 5_000;
  for (let day = 0; day < 4; day += 1) {
    const dayMs = NOON + day * (KEY_TTL_MS + daily + 1);
    const shorter = day % 2 === 1 ? "p" : "print-";
    const keyOf = (n: number) => ({ digest: `day ${day}, ${n}`, fingerprint: `${shorter}${n}` });
    for (let n = 0; n < daily; n += 1) {
      keys.keep(keyOf(n), n + 1, dayMs + n);
      // One of them comes again.
      if (n % 7 === 6) keys.keep(keyOf(n - 3), n + 1, dayMs + n);
    }
    assert.equal(keys.count, daily);
    const all = keys.all();
    assert.deepEqual(
      all.map(({ atMs }) => atMs),
      all.map(({ atMs }) => atMs).toSorted((a, b) => a - b),
    );
    assert.deepEqual(keys.find(keyOf(0).digest, dayMs), { ...keyOf(0), seq: 1, atMs: dayMs });
    const again = { ...keyOf(3), seq: 7, atMs: dayMs + 6 };
    assert.deepEqual(keys.find(keyOf(3).digest, dayMs + daily), again);
    assert.equal(keys.find(`day ${day - 1}, 0`, dayMs), undefined);
  }
});
