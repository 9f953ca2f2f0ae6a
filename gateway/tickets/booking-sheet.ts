/** Puts in words what a booking's tickets say; dates and prices as the event's place has them. */
import { DateTime } from "luxon";
import { type BookingRecord, ticketIdOf, ticketStatusOf } from "../../engine/booking.ts";
import { areaIndexOf, isSeat, type PlaceItem } from "../../engine/place.ts";
import { groupedCode } from "../booking/codes.ts";
import type { EventEntry } from "../catalogue/event-directory.ts";
import type { CalendarEntry } from "./calendar-entry.ts";
import type { LabelledText, SheetFormat, SheetTicket, TicketSheet } from "./ticket-sheet.ts";
import type { TicketClaims } from "./ticket-token.ts";

const LOCALE = "en-GB";

/** The sheet of the tickets that stand; those that were cancelled are not printed. */
export function sheetOf(
  event: EventEntry,
  booking: BookingRecord,
  { format, organizer }: { readonly format: SheetFormat; readonly organizer: string },
): TicketSheet {
  const standing = booking.items.flatMap((item, index) =>
    ticketStatusOf(booking, index) === "valid" ? [{ item, index }] : [],
  );
  return {
    format,
    organizer,
    title: event.title,
    ...timesOf(event),
    venue: venueOf(event),
    bookingCode: groupedCode(booking.code),
    bookedFor: booking.email,
    tickets: standing.map(({ item, index }, n) => ({
      position: `Ticket ${n + 1} of ${standing.length}`,
      ...ticketOf(event, item),
      code: groupedCode(booking.ticketCodes[index] ?? ""),
      claims: claimsOf(event, booking, index),
    })),
  };
}

/** What the QR code of the ticket at a position of its booking says. */
export function claimsOf(event: EventEntry, booking: BookingRecord, index: number): TicketClaims {
  const place = booking.items[index]?.place ?? 0;
  return {
    ticketId: ticketIdOf(booking, index),
    eventId: event.eventId,
    code: booking.ticketCodes[index] ?? "",
    place: (isSeat(place) ? event.seatIds[place] : event.areaKeys[areaIndexOf(place)]) ?? "",
    bookedAtMs: booking.bookedAtMs,
  };
}

export function calendarEntryOf(
  event: EventEntry,
  booking: BookingRecord,
  seq: number,
): CalendarEntry {
  const { venue, title, startsMs, endsMs, timezone, updatedMs } = event;
  const standing = booking.items.filter((_, n) => ticketStatusOf(booking, n) === "valid");
  const tickets = standing.length === 1 ? "1 ticket" : `${standing.length} tickets`;
  return {
    uid: `${booking.bookingId}@evently`,
    sequence: event.version + seq,
    title,
    description: `Booking ${groupedCode(booking.code)}: ${tickets}`,
    location:
      venue === null
        ? null
        : { title: [venue.name, ...whereOf(event)].join("\n"), ...venue.location },
    startsMs,
    endsMs,
    timezone,
    isCancelled: event.status === "cancelled" || standing.length === 0,
    updatedMs: Math.max(updatedMs, booking.later?.atMs ?? booking.bookedAtMs),
  };
}

/** In words, as the clocks show it where the event is. */
export function timesOf({
  startsMs,
  endsMs,
  timezone,
}: Pick<EventEntry, "startsMs" | "endsMs" | "timezone">): { date: string; time: string } {
  const at = (ms: number): DateTime => DateTime.fromMillis(ms, { zone: timezone, locale: LOCALE });
  const day = { weekday: "long", day: "numeric", month: "long", year: "numeric" } as const;
  const starts = at(startsMs);
  const date = starts.toLocaleString(day);
  const from = starts.toFormat("HH:mm");
  const zone = starts.toFormat("ZZZZ");
  if (endsMs === null) return { date, time: `${from} ${zone}` };
  const ends = at(endsMs);
  const until = ends.toFormat("HH:mm");
  if (ends.hasSame(starts, "day")) return { date, time: `${from} – ${until} ${zone}` };
  // Past midnight is the same evening still.
  const isNight = ends.diff(starts, "hours").hours < 12;
  const end = isNight ? until : `${ends.toLocaleString(day)}, ${until}`;
  return { date, time: `${from} – ${end} ${zone}` };
}

export function venueOf(event: EventEntry): string[] {
  return event.venue === null ? [] : [event.venue.name, ...whereOf(event)];
}

function whereOf({ venue }: EventEntry): string[] {
  const { address, city, country } = venue ?? {};
  const land = country === undefined ? undefined : regionName(country);
  const town = [city, land].filter((part) => part !== undefined).join(", ");
  return [address ?? "", town].filter((line) => line !== "");
}

/** "DE" in words, or as it is where nobody knows it. */
function regionName(code: string): string {
  try {
    return new Intl.DisplayNames([LOCALE], { type: "region" }).of(code) ?? code;
  } catch {
    return code;
  }
}

/** Of any item of an event: a ticket, or a place that is held. */
export function ticketOf(
  event: EventEntry,
  item: PlaceItem,
): Pick<SheetTicket, "place" | "category" | "price"> {
  const category = event.categories[item.category];
  return {
    place: isSeat(item.place) ? seatOf(event, item.place) : areaOf(event, item.place),
    category: category?.name ?? "",
    price: priceOf(event, item.charge?.dueMinor ?? item.priceMinor),
  };
}

function seatOf(event: EventEntry, seat: number): LabelledText[] {
  const row = event.rows[event.seatRows[seat] ?? -1];
  const number = event.seatNumbers[seat] ?? null;
  return [
    ...(row === undefined ? [] : [{ label: "Section", text: row.zone }]),
    ...(row?.name == null ? [] : [{ label: "Row", text: row.name }]),
    { label: "Seat", text: number ?? event.seatIds[seat] ?? "" },
  ];
}

function areaOf(event: EventEntry, place: number): LabelledText[] {
  return [{ label: "Area", text: event.areas[areaIndexOf(place)]?.name ?? "" }];
}

export function priceOf({ currency }: Pick<EventEntry, "currency">, minor: number): string {
  const digits = MINOR_DIGITS.get(currency) ?? 2;
  const fraction = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  const format = new Intl.NumberFormat(LOCALE, { style: "currency", currency, ...fraction });
  return format.format(minor / 10 ** digits);
}

/**
 * ISO 4217's minor units, where they are not hundredths. Intl says how prices are mostly written,
 * which for the forint or the rupiah is without the hundredths that it is counted in.
 */
const MINOR_DIGITS: ReadonlyMap<string, number> = new Map([
  ...digitsOf(0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
  ...digitsOf(3, "BHD IQD JOD KWD LYD OMR TND"),
  ...digitsOf(4, "CLF UYW"),
]);

function digitsOf(digits: number, currencies: string): [string, number][] {
  return currencies.split(" ").map((currency) => [currency, digits]);
}
