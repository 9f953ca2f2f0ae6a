import { PageQuery } from "../http/page.ts";
import { EXAMPLE, eur } from "../openapi/example-values.ts";
import type { AnswerBody, Operations } from "../openapi/operation.ts";
import { BookBody, CancelBody, TransferBody } from "./book-request.ts";
import { LookUpQuery } from "./booking-routes.ts";
import { Booking, BookingPage, MovedBooking, PendingBooking } from "./booking-schemas.ts";
import { HistoryPage } from "./history-schemas.ts";
import { MoveBody } from "./ticket-desk.ts";

const tag = "Bookings";
export const TICKET_EXAMPLE = {
  id: EXAMPLE.item,
  seat: "ST-A-12",
  category: "stalls",
  price: 4500,
  code: EXAMPLE.ticketCode,
  status: "valid",
};
export const BOOKING_EXAMPLE = {
  id: EXAMPLE.booking,
  code: EXAMPLE.bookingCode,
  eventId: EXAMPLE.event,
  holdId: EXAMPLE.hold,
  status: "confirmed",
  email: "ada@example.org",
  tickets: [
    TICKET_EXAMPLE,
    {
      id: EXAMPLE.secondItem,
      area: "floor",
      category: "standing",
      price: 3000,
      code: EXAMPLE.secondTicketCode,
      status: "valid",
    },
  ],
  total: eur(7500),
  createdAt: EXAMPLE.now,
  seq: 4715,
};
const pendingExample = {
  ...BOOKING_EXAMPLE,
  status: "pending_payment",
  tickets: BOOKING_EXAMPLE.tickets.map((ticket) => ({ ...ticket, status: "pending" })),
  payment: {
    provider: "sandbox",
    intentId: EXAMPLE.intent,
    amount: eur(7500),
    status: "pending",
    payUntil: EXAMPLE.soon,
    refunds: [],
    succeedUrl: `/api/v1/payments/sandbox/${EXAMPLE.intent}/succeed`,
    failUrl: `/api/v1/payments/sandbox/${EXAMPLE.intent}/fail`,
  },
};
const one = (description: string): AnswerBody => ({
  description,
  schema: Booking,
  example: BOOKING_EXAMPLE,
});
const page: AnswerBody = {
  description: "A page of them, newest first.",
  schema: BookingPage,
  example: { data: [BOOKING_EXAMPLE], nextCursor: null },
};

const booking: Operations = {
  "POST /api/v1/events/:id/bookings": {
    id: "book",
    tag,
    summary: "Turn a hold into a booking",
    description:
      "With the provider `none` it is confirmed at once, where nothing is to pay or the " +
      "organisation sends invoices. With another one the answer is 202 and what the buyer needs " +
      "to pay; the hold waits for the money until `payUntil`.",
    access: "user",
    key: "kept",
    body: {
      name: "NewBooking",
      schema: BookBody,
      examples: {
        unpaid: {
          holdId: EXAMPLE.hold,
          payment: { provider: "none" },
          email: "ada@example.org",
        },
        sandbox: { holdId: EXAMPLE.hold, payment: { provider: "sandbox" } },
      },
    },
    answers: {
      201: one("Booked."),
      202: {
        description: "It waits for the money.",
        schema: PendingBooking,
        example: pendingExample,
      },
    },
    codes: [
      "event_not_found",
      "hold_not_found",
      "hold_expired",
      "hold_released",
      "hold_booked",
      "hold_paying",
      "event_cancelled",
      "payment_required",
      "payment_provider_unknown",
      "payment_provider_unavailable",
      "timeout",
    ],
  },
  "GET /api/v1/bookings": {
    id: "listBookings",
    tag,
    summary: "Your bookings",
    description: "A booking is here as soon as its 201 was received.",
    access: "user",
    query: PageQuery,
    answers: { 200: page },
  },
  "GET /api/v1/bookings/:id": {
    id: "getBooking",
    tag,
    summary: "One booking",
    description: "For its owner, and for who organises the event.",
    access: "user",
    answers: { 200: one("The booking.") },
    codes: ["booking_not_found"],
  },
  "GET /api/v1/bookings/:id/history": {
    id: "getBookingHistory",
    tag,
    summary: "What happened to a booking",
    description: "Every change, with who and why, oldest first.",
    access: "user",
    query: PageQuery,
    answers: {
      200: {
        description: "A page of entries.",
        schema: HistoryPage,
        example: {
          data: [
            {
              seq: 4715,
              at: EXAMPLE.now,
              change: "booked",
              by: { who: "you", userId: EXAMPLE.user },
              reason: null,
            },
          ],
          nextCursor: null,
        },
      },
    },
    codes: ["booking_not_found"],
  },
  "GET /api/v1/events/:id/bookings": {
    id: "listEventBookings",
    tag,
    summary: "The bookings of an event",
    description: "For organisers. With `code` the one whose code was read out.",
    access: "user",
    query: LookUpQuery,
    answers: { 200: page },
    codes: ["event_not_found", "forbidden"],
  },
};

const STANDING = ["booking_not_found", "booking_pending", "booking_cancelled"] as const;

const changing: Operations = {
  "POST /api/v1/bookings/:id/cancel": {
    id: "cancelBooking",
    tag,
    summary: "Cancel tickets or all of it",
    description:
      "For the buyer until `cancellableUntil`, for organisers always. Places are for sale at " +
      "once, and money goes back once. Repeated: the same answer.",
    access: "user",
    key: "kept",
    body: {
      name: "Cancellation",
      schema: CancelBody,
      isOptional: true,
      examples: {
        whole: { reason: "ill" },
        part: { ticketIds: [EXAMPLE.secondItem] },
      },
    },
    answers: { 200: one("As it is now.") },
    codes: [
      "booking_not_found",
      "ticket_not_found",
      "booking_pending",
      "cancellation_closed",
      "already_checked_in",
      "timeout",
    ],
  },
  "POST /api/v1/bookings/:id/transfer": {
    id: "transferBooking",
    tag,
    summary: "Hand a booking to somebody else",
    description:
      "To the account that owns the address, now or later. Every ticket gets a " +
      "new code, which only the new owner and organisers see.",
    access: "user",
    key: "kept",
    body: {
      name: "Transfer",
      schema: TransferBody,
      examples: { plain: { email: "grace@example.org" } },
    },
    answers: {
      200: {
        description: "As it is now, without ticket codes.",
        schema: Booking,
        example: { ...BOOKING_EXAMPLE, email: "grace@example.org", tickets: [] },
      },
    },
    codes: [...STANDING, "ticket_cancelled", "already_checked_in", "timeout"],
  },
  "POST /api/v1/bookings/:id/tickets/:ticketId/move": {
    id: "moveTicket",
    tag,
    summary: "Move a ticket to another seat",
    description: "In one step: there is no instant without a seat.",
    access: "user",
    key: "kept",
    body: { name: "Move", schema: MoveBody, examples: { plain: { seat: "ST-A-13" } } },
    answers: {
      200: {
        description: "As it is now, and what the other seat costs more.",
        schema: MovedBooking,
        example: { ...BOOKING_EXAMPLE, priceDifference: eur(0) },
      },
    },
    codes: [
      ...STANDING,
      "ticket_not_found",
      "unknown_seat",
      "ticket_cancelled",
      "ticket_not_movable",
      "seat_unavailable",
      "event_cancelled",
      "already_checked_in",
      "price_differs",
      "timeout",
    ],
  },
};

export const bookingOperations: Operations = { ...booking, ...changing };
