/**
 * Times as organisers write them: RFC 3339 with an offset, or the time on the clocks where the
 * event is.
 *
 *     2027-03-28T10:00:00Z         that instant
 *     2027-03-28T10:00+02:00       that instant
 *     2027-03-28T10:00             ten o'clock in the event's time zone
 *
 * Clocks skip local times when they are put forward, and show some twice when they are put back. A
 * skipped one is refused: nobody knows what was meant. Of two instants that show the same time, a
 * beginning (doors, sales, a promo code) is the earlier and an end (sales, cancelling) the later:
 * what was announced for half past two is so on every clock that shows it.
 */
import { DateTime } from "luxon";
import { type FieldError, isWritable } from "../http/validation.ts";

/** Which of two instants a local time means when the clocks show it twice. */
export type Reading = "earlier" | "later";

export type LocalInstant =
  | { readonly ok: true; readonly ms: number }
  | { readonly ok: false; readonly message: string };

const NOT_WRITABLE = "must be a time within the years 0000 to 9999, in UTC too";
const HAS_OFFSET = /(?:Z|[+-]\d\d:\d\d)$/i;

/**
 * The instant, in Unix ms, that a text of the format "moment" means in an IANA time zone. Not ok:
 * the zone is unknown, or has no such time; the message continues the field's path.
 */
export function instantOf(text: string, zone: string, reading: Reading): LocalInstant {
  if (HAS_OFFSET.test(text)) return { ok: true, ms: Date.parse(text) };
  const wallMs = Date.parse(`${text}Z`);
  const nearby = DateTime.fromMillis(wallMs, { zone: "utc" }).setZone(zone, {
    keepLocalTime: true,
  });
  if (!nearby.isValid) return { ok: false, message: `is a local time of ${zone}, an unknown zone` };
  const instants = nearby
    .getPossibleOffsets()
    .filter((instant) => Math.abs(instant.toMillis() + instant.offset * 60_000 - wallMs) < 1)
    .map((instant) => instant.toMillis());
  if (instants.length > 0) {
    const ms = reading === "earlier" ? Math.min(...instants) : Math.max(...instants);
    return isWritable(ms) ? { ok: true, ms } : { ok: false, message: NOT_WRITABLE };
  }
  const message = `is ${text}, which no clock in ${zone} shows: they are put forward past it`;
  return { ok: false, message };
}

/** Reads the times of one body in the event's zone, and notes what is wrong with them. */
export class MomentReader {
  readonly #zone: string;
  readonly #errors: FieldError[];

  constructor(zone: string, errors: FieldError[]) {
    this.#zone = zone;
    this.#errors = errors;
  }

  /** Unix ms; null: there is none, or it was refused. */
  read(path: string, text: string | null | undefined, reading: Reading): number | null {
    if (text === null || text === undefined) return null;
    const instant = instantOf(text, this.#zone, reading);
    if (instant.ok) return instant.ms;
    this.#errors.push({ path, message: instant.message });
    return null;
  }
}
