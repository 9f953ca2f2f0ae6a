import { assert } from "./assert.ts";
import { FifoMap } from "./fifo-map.ts";
import type { UserId } from "./ids.ts";
import * as limits from "./limits.ts";

/**
 * Someone who keeps taking places and dropping them waits longer. `freeDrops` dropped holds within
 * `windowMs` cost nothing. The next one makes the buyer wait `firstWaitMs` for a new hold, and each
 * further one twice as long as the one before, up to `waitMsMax`.
 */
export interface ChurnRule {
  readonly freeDrops: number;
  readonly windowMs: number;
  readonly firstWaitMs: number;
  readonly waitMsMax: number;
}

export const CHURN_RULE_DEFAULT: ChurnRule = {
  freeDrops: limits.CHURN_FREE_DROPS_DEFAULT,
  windowMs: limits.CHURN_WINDOW_MS_DEFAULT,
  firstWaitMs: limits.CHURN_FIRST_WAIT_MS_DEFAULT,
  waitMsMax: limits.CHURN_WAIT_MS_MAX_DEFAULT,
};

/** Nothing that was dropped longer ago matters to a wait, or to the count of a drop to come. */
const MEMORY_MS = Math.max(limits.CHURN_WINDOW_MS_MAX, limits.CHURN_WAIT_MS_MAX);

/**
 * The holds of one event that were dropped lately, by buyer: released or expired, but not booked.
 *
 * A wait follows from the buyer's last drop at t and the drops in (t − windowMs, t] alone. So the
 * book can be built again from the ended holds of the last CHURN_WINDOW_MS_MAX + CHURN_WAIT_MS_MAX
 * in their order, and a new rule counts what was dropped before it.
 *
 * Invariants:
 * - Each buyer's times ascend; of more than CHURN_DROPS_PER_USER_MAX the oldest are forgotten, when
 *   the wait is the longest anyway.
 * - Buyers lie in the order of their last drop. One whose last drop is MEMORY_MS before the latest
 *   drop of all is forgotten, and the first one when they are more than CHURN_USERS_PER_EVENT_MAX.
 * - Time is the facts' own: nothing is forgotten by asking.
 */
export class ChurnBook {
  readonly #dropsByUser = new FifoMap<UserId, number[]>();
  #latestMs = Number.NEGATIVE_INFINITY;

  /** Buyers remembered. */
  get userCount(): number {
    return this.#dropsByUser.size;
  }

  /** A hold of the buyer was released, or expired. `atMs` never runs backwards. */
  dropped(userId: UserId, atMs: number): void {
    assert(atMs >= this.#latestMs, "holds are dropped in the order of their time");
    this.#latestMs = atMs;
    const drops = this.#dropsByUser.get(userId) ?? [];
    const [first = atMs] = drops;
    if (drops.length === limits.CHURN_DROPS_PER_USER_MAX || atMs - first >= MEMORY_MS) {
      drops.shift();
    }
    drops.push(atMs);
    // To the end of the queue.
    this.#dropsByUser.set(userId, drops);
    this.#forget(atMs);
  }

  /** When the buyer may hold again, Unix ms; null: now. `rule` null: whenever they like. */
  waitUntilMs(rule: ChurnRule | null, userId: UserId, nowMs: number): number | null {
    const drops = rule === null ? undefined : this.#dropsByUser.get(userId);
    const lastMs = drops?.at(-1);
    if (rule === null || drops === undefined || lastMs === undefined) return null;
    let count = 0;
    for (let i = drops.length - 1; i >= 0; i -= 1) {
      if ((drops[i] ?? 0) <= lastMs - rule.windowMs) break;
      count += 1;
    }
    const costly = count - rule.freeDrops;
    if (costly <= 0) return null;
    const untilMs = lastMs + Math.min(rule.firstWaitMs * 2 ** (costly - 1), rule.waitMsMax);
    return untilMs > nowMs ? untilMs : null;
  }

  /** Every buyer is forgotten once, so this costs O(1) for each drop, taken together. */
  #forget(atMs: number): void {
    for (;;) {
      const userId = this.#dropsByUser.oldestKey();
      if (userId === undefined) return;
      const lastMs = this.#dropsByUser.get(userId)?.at(-1) ?? 0;
      const isOver = atMs - lastMs >= MEMORY_MS;
      if (!isOver && this.#dropsByUser.size <= limits.CHURN_USERS_PER_EVENT_MAX) return;
      this.#dropsByUser.delete(userId);
    }
  }
}

/** Asserts what the gateway's validation has promised. */
export function assertChurnRule(rule: ChurnRule): void {
  const { freeDrops, windowMs, firstWaitMs, waitMsMax } = rule;
  assert(Object.values(rule).every(Number.isInteger), "a churn rule is made of integers");
  assert(freeDrops >= 0 && freeDrops <= limits.CHURN_FREE_DROPS_MAX, "free drops within bounds");
  assert(windowMs >= limits.CHURN_WINDOW_MS_MIN, "churn window within its bounds");
  assert(windowMs <= limits.CHURN_WINDOW_MS_MAX, "churn window within its bounds");
  assert(firstWaitMs >= limits.CHURN_WAIT_MS_MIN, "first wait within its bounds");
  assert(firstWaitMs <= waitMsMax, "the first wait is the shortest");
  assert(waitMsMax <= limits.CHURN_WAIT_MS_MAX, "longest wait within its bound");
}
