import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { assertChurnRule, CHURN_RULE_DEFAULT, ChurnBook, type ChurnRule } from "./churn.ts";
import type { UserId } from "./ids.ts";
import * as limits from "./limits.ts";
import { ALICE, BOB, NOON } from "./testing/fixtures.ts";

const RULE: ChurnRule = { freeDrops: 2, windowMs: 60_000, firstWaitMs: 5_000, waitMsMax: 30_000 };

interface Drop {
  readonly userId: UserId;
  readonly atMs: number;
}

const userOf = (n: number) => `018f3c9a-7b10-7000-8000-${String(n).padStart(12, "0")}` as UserId;

function bookOf(drops: readonly Drop[]): ChurnBook {
  const book = new ChurnBook();
  for (const { userId, atMs } of drops) book.dropped(userId, atMs);
  return book;
}

/** The rule's own words, over all that ever was. */
function reference(drops: readonly Drop[], rule: ChurnRule, userId: UserId, nowMs: number) {
  const own = drops.filter((drop) => drop.userId === userId).map(({ atMs }) => atMs);
  const lastMs = own.at(-1);
  if (lastMs === undefined) return null;
  const costly = own.filter((atMs) => atMs > lastMs - rule.windowMs).length - rule.freeDrops;
  if (costly <= 0) return null;
  let waitMs = rule.firstWaitMs;
  for (let n = 1; n < costly && waitMs < rule.waitMsMax; n += 1) waitMs *= 2;
  const untilMs = lastMs + Math.min(waitMs, rule.waitMsMax);
  return untilMs > nowMs ? untilMs : null;
}

const rules: fc.Arbitrary<ChurnRule> = fc
  .record({
    freeDrops: fc.integer({ min: 0, max: limits.CHURN_FREE_DROPS_MAX }),
    windowMs: fc.integer({ min: limits.CHURN_WINDOW_MS_MIN, max: limits.CHURN_WINDOW_MS_MAX }),
    firstWaitMs: fc.integer({ min: limits.CHURN_WAIT_MS_MIN, max: 60_000 }),
    longer: fc.integer({ min: 0, max: limits.CHURN_WAIT_MS_MAX - 60_000 }),
  })
  .map(({ longer, ...rule }) => ({ ...rule, waitMsMax: rule.firstWaitMs + longer }));

/** Pauses from nothing to hours, so that windows end and waits do not. */
const pause = fc.oneof(
  fc.integer({ min: 0, max: 3_000 }),
  fc.integer({ min: 0, max: 2 * limits.CHURN_WINDOW_MS_MAX }),
);
const dropLists: fc.Arbitrary<Drop[]> = fc
  .array(fc.tuple(fc.oneof({ weight: 5, arbitrary: fc.constant(1) }, fc.nat(4)), pause), {
    maxLength: 200,
    size: "max",
  })
  .map((steps) => {
    let atMs = NOON;
    return steps.map(([user, pauseMs]) => {
      atMs += pauseMs;
      return { userId: userOf(user), atMs };
    });
  });

test("the first drops are free, then the wait doubles up to its longest", () => {
  const book = new ChurnBook();
  const waits = Array.from({ length: 7 }, () => {
    book.dropped(ALICE, NOON);
    const untilMs = book.waitUntilMs(RULE, ALICE, NOON);
    return untilMs === null ? null : untilMs - NOON;
  });
  assert.deepEqual(waits, [null, null, 5_000, 10_000, 20_000, 30_000, 30_000]);
  assert.equal(book.waitUntilMs(RULE, BOB, NOON), null);
  assert.equal(book.waitUntilMs(null, ALICE, NOON), null);
  assert.equal(book.waitUntilMs(RULE, ALICE, NOON + 29_999), NOON + 30_000);
  assert.equal(book.waitUntilMs(RULE, ALICE, NOON + 30_000), null);
});

test("a drop that left the window counts no more", () => {
  const book = bookOf([0, 1, 60_000].map((atMs) => ({ userId: ALICE, atMs: NOON + atMs })));
  assert.equal(book.waitUntilMs(RULE, ALICE, NOON + 60_000), null);
  book.dropped(ALICE, NOON + 60_000);
  assert.equal(book.waitUntilMs(RULE, ALICE, NOON + 60_000), NOON + 65_000);
});

test("the default lets ten go, and makes nobody wait longer than five minutes", () => {
  assertChurnRule(CHURN_RULE_DEFAULT);
  const drops = Array.from({ length: 10 }, () => ({ userId: ALICE, atMs: NOON }));
  const book = bookOf(drops);
  assert.equal(book.waitUntilMs(CHURN_RULE_DEFAULT, ALICE, NOON), null);
  book.dropped(ALICE, NOON);
  assert.equal(book.waitUntilMs(CHURN_RULE_DEFAULT, ALICE, NOON), NOON + 5_000);
  for (let n = 0; n < 100; n += 1) book.dropped(ALICE, NOON);
  assert.equal(book.waitUntilMs(CHURN_RULE_DEFAULT, ALICE, NOON), NOON + 300_000);
});

test("what is forgotten never changes an answer", () => {
  fc.assert(
    fc.property(dropLists, rules, pause, (drops, rule, laterMs) => {
      const book = new ChurnBook();
      for (const [index, { userId, atMs }] of drops.entries()) {
        book.dropped(userId, atMs);
        const sofar = drops.slice(0, index + 1);
        for (const nowMs of [atMs, atMs + laterMs]) {
          const expected = reference(sofar, rule, userId, nowMs);
          assert.equal(book.waitUntilMs(rule, userId, nowMs), expected);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test("a book that is built again from the last hours answers as the one that lived through them", () => {
  fc.assert(
    fc.property(dropLists, dropLists, rules, pause, (before, after, rule, laterMs) => {
      const shiftMs = (before.at(-1)?.atMs ?? NOON) - NOON;
      const more = after.map(({ userId, atMs }) => ({ userId, atMs: atMs + shiftMs }));
      const live = bookOf(before);
      const atMs = before.at(-1)?.atMs ?? NOON;
      const horizonMs = limits.CHURN_WINDOW_MS_MAX + limits.CHURN_WAIT_MS_MAX;
      const rebuilt = bookOf(before.filter((drop) => drop.atMs > atMs - horizonMs));
      const users = [0, 1, 2, 3, 4].map(userOf);
      const waits = (book: ChurnBook, nowMs: number) =>
        users.map((userId) => book.waitUntilMs(rule, userId, nowMs));
      assert.deepEqual(waits(rebuilt, atMs), waits(live, atMs));
      assert.deepEqual(waits(rebuilt, atMs + laterMs), waits(live, atMs + laterMs));
      for (const drop of more) {
        live.dropped(drop.userId, drop.atMs);
        rebuilt.dropped(drop.userId, drop.atMs);
        assert.deepEqual(waits(rebuilt, drop.atMs), waits(live, drop.atMs));
      }
    }),
    { numRuns: 200 },
  );
});

test("buyers are forgotten by the time of later drops, and when they are too many", () => {
  const book = new ChurnBook();
  for (let n = 0; n < 1_000; n += 1) book.dropped(userOf(n), NOON + n);
  assert.equal(book.userCount, 1_000);
  book.dropped(userOf(0), NOON + limits.CHURN_WINDOW_MS_MAX + 499);
  assert.equal(book.userCount, 501);
  const lateMs = NOON + 3 * limits.CHURN_WINDOW_MS_MAX;
  for (let n = 0; n < limits.CHURN_USERS_PER_EVENT_MAX + 10; n += 1)
    book.dropped(userOf(n), lateMs);
  assert.equal(book.userCount, limits.CHURN_USERS_PER_EVENT_MAX);
});

test("time that runs backwards, and rules out of bounds, are bugs", () => {
  const book = bookOf([{ userId: ALICE, atMs: NOON }]);
  assert.throws(() => book.dropped(BOB, NOON - 1), { code: "assertion_failed" });
  const wrong: Partial<ChurnRule>[] = [
    { freeDrops: -1 },
    { freeDrops: 51 },
    { windowMs: 999 },
    { windowMs: 3_600_001 },
    { firstWaitMs: 999 },
    { firstWaitMs: 30_001 },
    { waitMsMax: 3_600_001 },
    { windowMs: 1_000.5 },
  ];
  for (const changes of wrong) {
    assert.throws(() => assertChurnRule({ ...RULE, ...changes }), { code: "assertion_failed" });
  }
});
