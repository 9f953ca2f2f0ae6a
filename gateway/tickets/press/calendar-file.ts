import ical, { ICalCalendarMethod, ICalEventStatus } from "ical-generator";
import { DateTime } from "luxon";
import { tzlib_get_ical_block } from "timezones-ical-library";
import type { CalendarEntry } from "../calendar-entry.ts";

/** An event without an end is shown as long as this. */
const HOURS_SHOWN = 2;

/**
 * The text of an iCalendar file (RFC 5545), with times on the clocks where the event is and the
 * rules of their zone: a change of the law moves the entry along.
 */
export function calendarFile(entry: CalendarEntry): string {
  const { uid, sequence, title, description, location, timezone, isCancelled } = entry;
  const at = (ms: number): DateTime => DateTime.fromMillis(ms, { zone: timezone });
  const calendar = ical({
    prodId: { company: "Evently", product: "Tickets", language: "EN" },
    method: isCancelled ? ICalCalendarMethod.CANCEL : ICalCalendarMethod.PUBLISH,
    // Without a name: the stamp has to be in UTC, whatever the zone of the event.
    timezone: { name: null, generator: (zone) => tzlib_get_ical_block(zone)[0] ?? null },
  });
  const starts = at(entry.startsMs);
  calendar.createEvent({
    id: uid,
    sequence,
    stamp: at(entry.updatedMs),
    start: starts,
    end: entry.endsMs === null ? starts.plus({ hours: HOURS_SHOWN }) : at(entry.endsMs),
    timezone,
    summary: title,
    description,
    status: isCancelled ? ICalEventStatus.CANCELLED : ICalEventStatus.CONFIRMED,
    ...(location === null ? {} : { location: locationOf(location) }),
  });
  return calendar.toString();
}

function locationOf({ title, lat, lng }: NonNullable<CalendarEntry["location"]>) {
  if (lat === undefined || lng === undefined) return { title };
  return { title, geo: { lat, lon: lng } };
}
