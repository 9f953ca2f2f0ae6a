const DAY_MS = 86_400_000;
const TWO_DIGITS = Array.from({ length: 100 }, (_, n) => String(n).padStart(2, "0"));
const THREE_DIGITS = Array.from({ length: 1_000 }, (_, n) => String(n).padStart(3, "0"));

/** The day that was written last, as days since 1970, and how it begins: `2030-05-04T`. */
let lastDay = Number.NaN;
let lastDate = "";

/**
 * As Date.toISOString writes Unix ms. Nearly all that is told lies in the same day or two, and the
 * time of day is four numbers: that takes a tenth of the time. Throws RangeError for no instant.
 */
export function iso(unixMs: number): string {
  const day = Math.floor(unixMs / DAY_MS);
  if (day !== lastDay) {
    lastDate = new Date(day * DAY_MS).toISOString().slice(0, -"00:00:00.000Z".length);
    lastDay = day;
  }
  const ms = Math.floor(unixMs - day * DAY_MS);
  const seconds = Math.floor(ms / 1_000);
  const minutes = Math.floor(seconds / 60);
  const clock = `${TWO_DIGITS[Math.floor(minutes / 60)]}:${TWO_DIGITS[minutes % 60]}`;
  return `${lastDate}${clock}:${TWO_DIGITS[seconds % 60]}.${THREE_DIGITS[ms % 1_000]}Z`;
}
