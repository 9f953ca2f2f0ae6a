import { type KnownBooking, ticketIdOf } from "../../engine/booking.ts";
import type { EventEntry } from "../catalogue/event-directory.ts";
import { iso } from "./instant.ts";
import { moneyJson, placeMembers, quoted } from "./place-json.ts";
import { bookingView, type Reader } from "./views.ts";

/**
 * The JSON of `bookingView`. A booking as most are when they are made (confirmed at once, of places
 * and prices alone, shown to whose it is) is written down without a view.
 */
export function bookingJson(event: EventEntry, known: KnownBooking, reader: Reader): string {
  const { record, seq } = known;
  const { bookingId, code, holdId, items, ticketCodes, email, terms, later } = record;
  const isPlain = later === null && terms === null && reader.userId === record.userId;
  if (!isPlain) return encoded(event, known, reader);
  let total = 0;
  let tickets = "";
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index];
    const ticketCode = ticketCodes[index];
    if (item === undefined || item.charge !== null || ticketCode === undefined) {
      return encoded(event, known, reader);
    }
    const members = placeMembers(event, ticketIdOf(record, index), item);
    tickets += `${index === 0 ? "" : ","}{${members},"code":"${ticketCode}","status":"valid"}`;
    total += item.priceMinor;
  }
  return (
    `{"id":"${bookingId}","code":"${code}","eventId":"${event.eventId}","holdId":"${holdId}",` +
    `"status":"confirmed","email":${email === null ? "null" : quoted(email)},` +
    `"tickets":[${tickets}],"total":${moneyJson(event, total)},` +
    `"createdAt":"${iso(record.bookedAtMs)}","seq":${seq}}`
  );
}

const encoded = (event: EventEntry, known: KnownBooking, reader: Reader): string =>
  JSON.stringify(bookingView(event, known, reader));
