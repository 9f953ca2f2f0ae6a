export interface Point {
  readonly seconds: number;
  readonly value: number;
}

export interface Trend {
  /** What the value gains in a minute, by least squares. */
  readonly perMinute: number;
  readonly mean: number;
  readonly points: number;
}

/** Of the second half, by time: in the first a server finds its size. null: too few points. */
export function trendOf(points: readonly Point[]): Trend | null {
  const lastSeconds = points.at(-1)?.seconds ?? 0;
  const half = points.filter(({ seconds }) => seconds >= lastSeconds / 2);
  const mean = meanOf(half, ({ value }) => value);
  const middle = meanOf(half, ({ seconds }) => seconds);
  let [covariance, variance] = [0, 0];
  for (const { seconds, value } of half) {
    covariance += (seconds - middle) * (value - mean);
    variance += (seconds - middle) ** 2;
  }
  if (variance === 0) return null;
  return { perMinute: (60 * covariance) / variance, mean, points: half.length };
}

const meanOf = (points: readonly Point[], of: (point: Point) => number): number =>
  points.reduce((sum, point) => sum + of(point), 0) / points.length;
