/**
 * Who sees the clock jump by so much was kept from it. A look takes less than a microsecond; it
 * leaves a number to the collector, which may take 0.3 ms now and then.
 */
const GAP_MS = 0.5;
const LONG_GAP_MS = 1;

/** What kept a thread from looking at the clock, which was all that it had to do. */
export interface ClockGaps {
  readonly seconds: number;
  /** Of a millisecond or more. */
  readonly longGaps: number;
  readonly longestMs: number;
  /** Gaps of GAP_MS or more, all together. */
  readonly lostMs: number;
}

/** Looks at the clock without a pause until `seconds` are over. */
export function watchClock(seconds: number, nowMs = () => performance.now()): ClockGaps {
  const startMs = nowMs();
  const endMs = startMs + seconds * 1_000;
  let [longGaps, longestMs, lostMs] = [0, 0, 0];
  let lastMs = startMs;
  while (lastMs < endMs) {
    const now = nowMs();
    const gapMs = now - lastMs;
    lastMs = now;
    if (gapMs < GAP_MS) continue;
    lostMs += gapMs;
    longestMs = Math.max(longestMs, gapMs);
    if (gapMs >= LONG_GAP_MS) longGaps += 1;
  }
  return { seconds: (lastMs - startMs) / 1_000, longGaps, longestMs, lostMs };
}
