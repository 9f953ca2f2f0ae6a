import { seqOf, ticketStatusOf } from "../../../engine/booking.ts";
import { MAIL_QR_CODES_MAX } from "../../../engine/notifier-limits.ts";
import type { StoredBooking } from "../../booking/bookings-reader.ts";
import type { MailAttachment } from "../../mail/mail-order.ts";
import { calendarEntryOf, claimsOf, sheetOf } from "../../tickets/booking-sheet.ts";
import type { TicketKeys } from "../../tickets/ticket-keys.ts";
import type { TicketPress } from "../../tickets/ticket-press.ts";
import type { ToldEvent } from "./message-reader.ts";

/** What is attached to a mail with tickets. */
export interface TicketParcel {
  readonly attachments: readonly MailAttachment[];
  /** Names of the images of QR codes, by the tickets' positions. */
  readonly qrs: ReadonlyMap<number, string>;
}

export interface ParcelPorts {
  readonly keys: Pick<TicketKeys, "signing">;
  readonly press: Pick<TicketPress, "pdf" | "qrPng" | "calendarFile">;
  /** Told after each piece of work: the press works on the notifier's account. */
  readonly worked: () => void;
}

/** The tickets that stand: all in a PDF, the first ones as images, and a calendar's entry. */
export async function ticketParcel(
  { keys, press, worked }: ParcelPorts,
  told: ToldEvent,
  booking: StoredBooking,
): Promise<TicketParcel> {
  const { event, organizer } = told;
  const { record } = booking;
  const key = await keys.signing();
  const shown = record.items
    .map((_, index) => index)
    .filter((index) => ticketStatusOf(record, index) === "valid")
    .slice(0, MAIL_QR_CODES_MAX);
  const [pdf, calendar, ...images] = await Promise.all([
    press.pdf(sheetOf(event, record, { format: "a4", organizer }), key),
    calendarAttachment({ press, worked }, told, booking),
    ...shown.map((index) => press.qrPng(claimsOf(event, record, index), key)),
  ]);
  worked();
  const qrs = new Map(shown.map((index, n) => [index, `ticket-${n + 1}@evently`]));
  const codes = images.map((content, n) => ({
    filename: `ticket-${n + 1}.png`,
    contentType: "image/png",
    content,
    cid: `ticket-${n + 1}@evently`,
  }));
  const tickets = {
    filename: `tickets-${record.code}.pdf`,
    contentType: "application/pdf",
    content: pdf,
  };
  return { attachments: [tickets, calendar, ...codes], qrs };
}

/** Of a booking without tickets it takes the entry out of a calendar. */
export async function calendarAttachment(
  { press, worked }: Omit<ParcelPorts, "keys">,
  { event }: ToldEvent,
  { record, seq }: StoredBooking,
): Promise<MailAttachment> {
  const entry = calendarEntryOf(event, record, seqOf(record, seq));
  const content = Buffer.from(await press.calendarFile(entry), "utf8");
  worked();
  return {
    filename: `booking-${record.code}.ics`,
    contentType: `text/calendar; charset=utf-8; method=${entry.isCancelled ? "CANCEL" : "PUBLISH"}`,
    content,
  };
}
