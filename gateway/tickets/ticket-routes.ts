import Type from "typebox";
import {
  type BookingRecord,
  seqOf,
  statusOf,
  ticketIdOf,
  ticketStatusOf,
} from "../../engine/booking.ts";
import type { BookingAccess, ReadableBooking } from "../booking/booking-access.ts";
import type { Organizations } from "../catalogue/organizations.ts";
import type { HttpRequest, HttpResponse, Route } from "../http/exchange.ts";
import { ProblemError } from "../http/problem.ts";
import { compileQuery } from "../http/query.ts";
import { asyncRoute } from "../http/routes.ts";
import { calendarEntryOf, claimsOf, sheetOf } from "./booking-sheet.ts";
import type { TicketKeys } from "./ticket-keys.ts";
import type { TicketPress } from "./ticket-press.ts";

export interface TicketRoutesPorts {
  readonly access: BookingAccess;
  readonly organizations: Pick<Organizations, "find">;
  readonly keys: TicketKeys;
  readonly press: TicketPress;
}

/** The query of GET /bookings/{id}/tickets.pdf. */
export const SheetQuery = Type.Object({
  format: Type.Optional(
    Type.Enum(["a4", "mobile"], {
      default: "a4",
      description: "For paper, or as wide as a telephone.",
    }),
  ),
});
const readSheetQuery = compileQuery(SheetQuery);

type Handle = (ports: TicketRoutesPorts, request: HttpRequest) => Promise<HttpResponse>;

/** What a buyer takes along: for whose the booking is, and for who organises the event. */
export function ticketRoutes(ports: TicketRoutesPorts): Route[] {
  const get = (path: string, handle: Handle): Route => ({
    method: "GET",
    path,
    handler: asyncRoute((request) => handle(ports, request)),
  });
  return [
    get("/api/v1/bookings/:id/tickets.pdf", pdf),
    get("/api/v1/bookings/:id/calendar.ics", calendar),
    get("/api/v1/tickets/:id/qr.svg", qr),
  ];
}

const pdf: Handle = async ({ access, organizations, keys, press }, request) => {
  const { format = "a4" } = readSheetQuery(request.query);
  const readable = await access.ofBooking(request);
  const { identity, event, booking } = readable;
  requireStanding(readable);
  const organization = await organizations.find(event.organizationId, identity);
  const sheet = sheetOf(event, booking.record, { format, organizer: organization?.name ?? "" });
  const body = await press.pdf(sheet, await keys.signing());
  return file(body, "application/pdf", `tickets-${booking.record.code}.pdf`);
};

/** Also of a booking that is cancelled: the file takes the entry out of a calendar. */
const calendar: Handle = async ({ access, press }, request) => {
  const { event, booking } = await access.ofBooking(request);
  if (statusOf(booking.record) === "pending_payment") throw new ProblemError("booking_pending");
  const entry = calendarEntryOf(event, booking.record, seqOf(booking.record, booking.seq));
  const body = await press.calendarFile(entry);
  return file(body, "text/calendar; charset=utf-8", `booking-${booking.record.code}.ics`);
};

const qr: Handle = async ({ access, keys, press }, request) => {
  const readable = await access.ofTicket(request);
  const { event, booking } = readable;
  requireStanding(readable);
  const index = indexOf(booking.record, request.params[0]);
  if (index < 0) throw new ProblemError("ticket_not_found");
  if (ticketStatusOf(booking.record, index) !== "valid") throw new ProblemError("ticket_cancelled");
  const body = await press.qrSvg(claimsOf(event, booking.record, index), await keys.signing());
  return { ...file(body, "image/svg+xml", "ticket.svg"), body };
};

function indexOf(booking: BookingRecord, ticketId: string | undefined): number {
  return booking.items.findIndex((_, index) => ticketIdOf(booking, index) === ticketId);
}

/** There is something to print. */
function requireStanding({ booking: { record } }: ReadableBooking): void {
  const status = statusOf(record);
  if (status === "pending_payment") throw new ProblemError("booking_pending");
  if (status !== "confirmed") throw new ProblemError("booking_cancelled");
}

function file(body: string | Buffer, contentType: string, name: string): HttpResponse {
  const headers = {
    // It opens a door: it is nobody's to keep on the way.
    "Cache-Control": "private, no-store",
    "Content-Disposition": `inline; filename="${name}"`,
  };
  return { status: 200, headers, body, contentType };
}
