/** Holds and bookings as views.ts and ticket-desk.ts show them. */
import Type from "typebox";
import { Id, Instant, listSchema, Minor, Money, nullable, Seq } from "../http/answer-schemas.ts";

const Price = Type.Integer({ minimum: 0, description: "Minor units, before fees and discounts." });

/** A place, and what it costs; without fees, taxes and discounts the price says it all. */
const place = {
  id: Id,
  seat: Type.Optional(Type.String({ description: "Public id of the seat." })),
  area: Type.Optional(Type.String({ description: "Key of the standing area." })),
  category: Type.String({ description: "Key of the price category." }),
  price: Price,
  discount: Type.Optional(Minor),
  fee: Type.Optional(Minor),
  tax: Type.Optional(Minor),
  due: Type.Optional(
    Type.Integer({ description: "What the place costs in the end, in minor units." }),
  ),
};

const HeldItem = Type.Object(place, { $id: "HeldItem" });

const ChosenSeats = Type.Object(
  {
    seats: Type.Array(Type.String()),
    row: nullable(Type.String()),
    zone: nullable(Type.String()),
    distance: Type.Number({ description: "Mean distance from the focus; compares choices." }),
    orphans: Type.Integer({ minimum: 0, description: "Single seats left free beside them." }),
  },
  { $id: "ChosenSeats" },
);

export const Hold = Type.Object(
  {
    id: Id,
    eventId: Id,
    items: Type.Array(HeldItem),
    total: Money,
    expiresAt: Instant,
    status: Type.Literal("active"),
    source: Type.Optional(
      Type.Literal("waitlist", { description: "It is an offer to somebody who waited." }),
    ),
    promoCode: Type.Optional(Type.String()),
    bestAvailable: Type.Optional(
      Type.Array(ChosenSeats, { description: "Why these seats: one entry a group." }),
    ),
    bookingId: Type.Optional({ ...Id, description: "The booking whose money it waits for." }),
    seq: Seq,
  },
  { $id: "Hold" },
);

export const Ticket = Type.Object(
  {
    ...place,
    code: Type.Optional(
      Type.String({ description: "Opens the door; only for whose the booking is now." }),
    ),
    status: Type.Enum(["pending", "valid", "cancelled"]),
    checkedInAt: Type.Optional(Instant),
  },
  { $id: "Ticket" },
);

const Refund = Type.Object(
  {
    id: Id,
    amount: Money,
    reason: Type.String(),
    status: Type.Enum(["due", "done", "failed"]),
  },
  { $id: "Refund" },
);

const payment = {
  provider: Type.String(),
  intentId: Id,
  amount: Money,
  status: Type.Enum(["pending", "paid", "failed", "expired"]),
  payUntil: Instant,
  refunds: Type.Array(Refund),
};
const Payment = Type.Object(payment, { $id: "Payment" });

/** Beside the payment, what the buyer's browser needs to pay: this differs by provider. */
const StartedPayment = Type.Object(
  {
    ...payment,
    succeedUrl: Type.Optional(Type.String({ description: "Sandbox: POST here, and it is paid." })),
    failUrl: Type.Optional(Type.String({ description: "Sandbox: POST here, and it has failed." })),
    clientSecret: Type.Optional(Type.String({ description: "Stripe: for Stripe.js." })),
  },
  { $id: "StartedPayment" },
);

const booking = {
  id: Id,
  code: Type.String({ description: "What a buyer names the booking by." }),
  eventId: Id,
  holdId: Id,
  status: Type.Enum(["pending_payment", "confirmed", "cancelled", "refunded"]),
  email: nullable(Type.String()),
  tickets: Type.Array(Ticket),
  total: Money,
  createdAt: Instant,
  promoCode: Type.Optional(Type.String()),
  payment: Type.Optional(Payment),
  cancelledAt: Type.Optional(Instant),
  cancelReason: Type.Optional(nullable(Type.String())),
  seq: Seq,
};

export const Booking = Type.Object(booking, { $id: "Booking" });
export const BookingPage = listSchema("BookingPage", Booking);

/** Answered with 202: what is to be paid, and how. */
export const PendingBooking = Type.Object(
  { ...booking, payment: StartedPayment },
  { $id: "PendingBooking" },
);

export const MovedBooking = Type.Object(
  { ...booking, priceDifference: Money },
  { $id: "MovedBooking" },
);

export const CheckIn = Type.Object(
  {
    ticket: Ticket,
    checkedInAt: nullable(Instant),
    booking: Type.Object({ id: Id, code: Type.String() }),
    seq: Seq,
  },
  { $id: "CheckIn" },
);

/** A booking as the export of somebody's data has it. */
export const ExportedBooking = Type.Object(
  { event: Type.String({ description: "Title of the event." }), ...booking },
  { $id: "ExportedBooking" },
);
