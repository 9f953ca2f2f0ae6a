export interface Point {
  readonly seconds: number;
  readonly value: number;
}

export interface Floors {
  /** The least value of the third quarter, by time, and of the last. */
  readonly before: number;
  readonly after: number;
  /** What the second is more than the first, by the minutes between the quarters. */
  readonly perMinute: number;
}

/**
 * A heap goes up until the collector has been through all of it, minutes apart: what it needs is
 * where it comes down to. null: a quarter has no points.
 */
export function floorsOf(points: readonly Point[]): Floors | null {
  const lastSeconds = points.at(-1)?.seconds ?? 0;
  const leastBetween = (from: number, to: number): number =>
    points
      .filter(({ seconds }) => seconds >= from * lastSeconds && seconds <= to * lastSeconds)
      .reduce((least, { value }) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const [before, after] = [leastBetween(0.5, 0.75), leastBetween(0.75, 1)];
  if (lastSeconds === 0 || !Number.isFinite(before + after)) return null;
  return { before, after, perMinute: (60 * (after - before)) / (lastSeconds / 4) };
}
