import { IdempotencyKeys } from "../../engine/idempotency-keys.ts";
import { check } from "../report/checking.ts";
import type { Finding } from "./finding.ts";
import { START_MS } from "./sale-plan.ts";

const KEYS_IN_MS = 100;
const FOUND_MAX = 1_000;

/**
 * One event's keys, one after another, as they grow to be very many: is there one that everybody
 * has to wait for? Holds and buyers lie in the same kind of table.
 */
export function benchKeptKeys({ count }: { count: number }): Finding {
  const keys = new IdempotencyKeys();
  let slowestMs = 0;
  for (let n = 0; n < count; n += 1) {
    const key = keyOf(n);
    const startMs = performance.now();
    keys.keep(key, n + 1, atMs(n));
    slowestMs = Math.max(slowestMs, performance.now() - startMs);
  }
  let lost = 0;
  for (let n = 0; n < count; n += Math.ceil(count / FOUND_MAX)) {
    if (keys.find(keyOf(n).digest, atMs(n))?.seq !== n + 1) lost += 1;
  }
  const name = `${count} keys of one event`;
  return {
    figures: [{ name: `${name}, the slowest to keep`, value: slowestMs, unit: "ms" }],
    checks: [
      check(`${name}: all are kept`, keys.count === count, `${keys.count} are`),
      check(`${name}: each leads to its fact`, lost === 0, `${lost} do not`),
    ],
  };
}

const atMs = (n: number): number => START_MS + Math.floor(n / KEYS_IN_MS);

function keyOf(n: number) {
  const digits = String(n);
  return { digest: digits.padStart(22, "A"), fingerprint: digits.padStart(11, "B") };
}
