import assert from "node:assert/strict";
import { test } from "node:test";
import {
  WEBHOOK_RETRY_AFTER_MS_MAX,
  WEBHOOK_RETRY_JITTER,
  WEBHOOK_RETRY_PAUSES_MS,
} from "../../engine/notifier-limits.ts";
import { parseRetryAfter, retryPauseMs } from "./retry-schedule.ts";

const HOUR_MS = 3_600_000;

test("pauses grow to three days in all, and then there is none", () => {
  const pauses = WEBHOOK_RETRY_PAUSES_MS.map((_, n) =>
    retryPauseMs(n + 1, { askedMs: null, random: 0 }),
  );
  assert.deepEqual(pauses, WEBHOOK_RETRY_PAUSES_MS);
  const allMs = WEBHOOK_RETRY_PAUSES_MS.reduce((sum, ms) => sum + ms, 0);
  assert.ok(allMs > 71 * HOUR_MS && allMs * (1 + WEBHOOK_RETRY_JITTER) < 87 * HOUR_MS);
  assert.equal(retryPauseMs(pauses.length + 1, { askedMs: null, random: 0 }), null);
});

test("a pause has jitter, and is as long as the receiver asks for, within bounds", () => {
  assert.equal(retryPauseMs(1, { askedMs: null, random: 0.5 }), 5_500);
  assert.equal(retryPauseMs(1, { askedMs: 1_000, random: 0 }), 5_000);
  assert.equal(retryPauseMs(1, { askedMs: 60_000, random: 0 }), 60_000);
  const asked = { askedMs: 99 * HOUR_MS, random: 0 };
  assert.equal(retryPauseMs(1, asked), WEBHOOK_RETRY_AFTER_MS_MAX);
});

test("Retry-After is read as seconds or a date, and else not", () => {
  const nowMs = Date.parse("2030-01-01T00:00:00Z");
  assert.equal(parseRetryAfter("120", nowMs), 120_000);
  assert.equal(parseRetryAfter("Tue, 01 Jan 2030 00:01:00 GMT", nowMs), 60_000);
  assert.equal(parseRetryAfter("Mon, 31 Dec 2029 00:01:00 GMT", nowMs), 0);
  for (const odd of [undefined, "", "soon", "-1", "1.5e400", "9".repeat(50)]) {
    assert.equal(parseRetryAfter(odd, nowMs) ?? 0, 0, String(odd));
  }
});
