/** What mails are filled in with; ../../mail/templates/sample-variables.ts shows the whole form. */
import { DateTime } from "luxon";
import { type BookingRecord, ticketIdOf, ticketStatusOf } from "../../../engine/booking.ts";
import type { ActiveHold } from "../../../engine/hold-book.ts";
import { EVENT_HOURS_ASSUMED } from "../../../engine/notifier-limits.ts";
import { dueMinor, type PlaceItem, totalMinor } from "../../../engine/place.ts";
import { groupedCode } from "../../booking/codes.ts";
import type { EventEntry } from "../../catalogue/event-directory.ts";
import type { MailVariables } from "../../mail/templates/template-engine.ts";
import { priceOf, ticketOf, timesOf, venueOf } from "../../tickets/booking-sheet.ts";
import type { ToldEvent } from "./message-reader.ts";

const LOCALE = "en-GB";

/** For whom words are put, and where their links lead. */
export interface Reader {
  readonly firstName: string | null;
  /** The shop that people see, without a slash at its end; null: mails have no links. */
  readonly publicUrl: string | null;
}

export function eventWords({ event, organizer }: ToldEvent, reader: Reader): MailVariables {
  const { publicUrl, firstName } = reader;
  return {
    event: {
      title: event.title,
      ...timesOf(event),
      venue: venueOf(event).join(", "),
      startsAt: new Date(event.startsMs).toISOString(),
      timezone: event.timezone,
      url: publicUrl === null ? null : `${publicUrl}/events/${event.eventId}`,
    },
    organizer: { name: organizer },
    buyer: { firstName },
  };
}

export interface TicketWords {
  /** Names of the images of the QR codes, by the tickets' positions; absent: not shown. */
  readonly qrs?: ReadonlyMap<number, string>;
  /** False: the reader's codes admit no more, and those of others are not theirs. */
  readonly withCodes: boolean;
}

/** With the tickets that stand. */
export function bookingWords(
  told: ToldEvent,
  booking: BookingRecord,
  reader: Reader & TicketWords,
): MailVariables {
  const { event } = told;
  const { qrs, withCodes, publicUrl } = reader;
  const standing = booking.items.flatMap((item, index) =>
    ticketStatusOf(booking, index) === "valid" ? [{ item, index }] : [],
  );
  const total = standing.length === 0 ? totalMinor(booking.items) : sumOf(standing);
  return {
    ...eventWords(told, reader),
    booking: {
      code: groupedCode(booking.code),
      total: priceOf(event, total),
      url: publicUrl === null ? null : `${publicUrl}/bookings/${booking.bookingId}`,
    },
    tickets: standing.map(({ item, index }) => {
      const qr = qrs?.get(index);
      return {
        ...placeWords(event, item),
        code: withCodes ? groupedCode(booking.ticketCodes[index] ?? "") : null,
        qr: qr === undefined ? null : `cid:${qr}`,
      };
    }),
  };
}

const sumOf = (items: readonly { readonly item: PlaceItem }[]): number =>
  items.reduce((sum, { item }) => sum + dueMinor(item), 0);

export function placeWords(event: EventEntry, item: PlaceItem) {
  const { place, category, price } = ticketOf(event, item);
  return { place: place.map(({ label, text }) => `${label} ${text}`).join(", "), category, price };
}

/** The tickets with these ids, whatever became of them. */
export function ticketsNamed(
  event: EventEntry,
  booking: BookingRecord,
  ids: readonly string[],
): { readonly place: string; readonly category: string; readonly price: string }[] {
  return booking.items.flatMap((item, index) =>
    ids.includes(ticketIdOf(booking, index)) ? [placeWords(event, item)] : [],
  );
}

export function offerWords(told: ToldEvent, hold: ActiveHold, reader: Reader): MailVariables {
  const { event } = told;
  const until = inZone(event, hold.expiresAtMs);
  const words = eventWords(told, reader);
  return {
    ...words,
    offer: {
      until: until.toFormat("cccc, d LLLL yyyy, HH:mm ZZZZ"),
      untilTime: until.toFormat("HH:mm ZZZZ"),
      places: hold.items.map((item) => placeWords(event, item)),
      total: priceOf(event, totalMinor(hold.items)),
      url: reader.publicUrl === null ? null : `${reader.publicUrl}/events/${event.eventId}`,
    },
  };
}

/** How far off an event is, by the calendar where it is. */
export function reminderWords(
  event: Pick<EventEntry, "startsMs" | "timezone">,
  ahead: string,
  nowMs: number,
): { readonly when: string; readonly begins: string; readonly ahead: string } {
  const starts = inZone(event, event.startsMs);
  const today = inZone(event, nowMs).startOf("day");
  const days = Math.round(starts.startOf("day").diff(today, "days").days);
  const time = starts.toFormat("HH:mm");
  if (days === 0) return { when: "Today", begins: `today at ${time}`, ahead };
  if (days === 1) return { when: "Tomorrow", begins: `tomorrow at ${time}`, ahead };
  const when = days === 7 ? "In a week" : `In ${days} days`;
  return { when, begins: `on ${starts.toFormat("cccc, d LLLL")}, at ${time}`, ahead };
}

/** When it was to take place before it was moved. */
export function previousTimes(event: EventEntry, startsMs: number) {
  const { date, time } = timesOf({ ...event, startsMs, endsMs: null });
  return { previousDate: date, previousTime: time };
}

/** From then on nobody is told of it. */
export function isOver({ startsMs, endsMs }: EventEntry, nowMs: number): boolean {
  return nowMs >= (endsMs ?? startsMs + EVENT_HOURS_ASSUMED * 3_600_000);
}

function inZone({ timezone }: Pick<EventEntry, "timezone">, ms: number): DateTime {
  return DateTime.fromMillis(ms, { zone: timezone, locale: LOCALE });
}
