/**
 * What an answer says, and whether it is an answer to its question at all. Whether what it says was
 * ever true is the business of answers.ts.
 */
import { isDeepStrictEqual } from "node:util";
import type {
  AvailabilityShape,
  BookingShape,
  HoldShape,
  ItemShape,
  Page,
  Problem,
} from "../support/shapes.ts";
import type { AskedItem, OperationRecord } from "./history.ts";

/** Names a fact by its seq: the proof of an order. */
export type Receipt =
  | { readonly kind: "held" | "extended"; readonly seq: number; readonly hold: HoldShape }
  | { readonly kind: "booked" | "cancelled"; readonly seq: number; readonly booking: BookingShape };

export type Told =
  | Receipt
  | { readonly kind: "released" }
  | { readonly kind: "hold"; readonly hold: HoldShape }
  | { readonly kind: "booking"; readonly booking: BookingShape }
  | { readonly kind: "bookings"; readonly bookings: readonly BookingShape[] }
  | { readonly kind: "availability"; readonly availability: AvailabilityShape }
  | { readonly kind: "refused"; readonly problem: Problem };

export function isReceipt(told: Told): told is Receipt {
  return "seq" in told;
}

/** A sentence: the answer can't be one to this question. */
export function toldBy(record: OperationRecord): Told | string {
  const { operation, answer, eventId } = record;
  const { status, body } = answer;
  if (status >= 400) return refusedBy(status, body);
  switch (operation.kind) {
    case "hold":
    case "extend":
    case "getHold": {
      if (status !== (operation.kind === "hold" ? 201 : 200)) return `${status} is no answer`;
      const hold = body as HoldShape;
      if (hold.eventId !== eventId || hold.status !== "active") return "it shows another hold";
      if (!isTotalOf(hold.items, hold.total.amount)) return "the total is not that of the items";
      if (operation.kind !== "hold" && hold.id !== operation.holdId) return "it is another hold";
      if (operation.kind === "getHold") return { kind: "hold", hold };
      if (operation.kind === "extend") return { kind: "extended", seq: hold.seq, hold };
      if (!isDeepStrictEqual(placesOf(hold.items), placesAsked(operation.items))) {
        return "it holds other places than were asked for";
      }
      return { kind: "held", seq: hold.seq, hold };
    }
    case "release":
      return status === 204 && body === null ? { kind: "released" } : `${status} is no answer`;
    case "book":
    case "cancel":
    case "getBooking": {
      if (status !== (operation.kind === "book" ? 201 : 200)) return `${status} is no answer`;
      const booking = body as BookingShape;
      if (booking.eventId !== eventId) return "it shows another event's booking";
      if (operation.kind !== "book" && booking.id !== operation.bookingId) {
        return "it is another booking";
      }
      if (operation.kind === "getBooking") return { kind: "booking", booking };
      const isAsAsked =
        operation.kind === "cancel"
          ? booking.status === "cancelled"
          : booking.holdId === operation.holdId && booking.email === operation.email;
      if (!isAsAsked) return "it shows something else than was asked for";
      const kind = operation.kind === "book" ? "booked" : "cancelled";
      return { kind, seq: booking.seq, booking };
    }
    case "listBookings": {
      const { data } = body as Page<BookingShape>;
      return { kind: "bookings", bookings: data };
    }
    case "availability":
      return { kind: "availability", availability: body as AvailabilityShape };
  }
}

function refusedBy(status: number, body: unknown): Told | string {
  const problem = body as Problem | null;
  if (status >= 500) return `${status} is no outcome`;
  if (typeof problem?.code !== "string") return "a refusal has a code";
  return { kind: "refused", problem };
}

function isTotalOf(items: readonly ItemShape[], amount: number): boolean {
  return items.reduce((sum, { price }) => sum + price, 0) === amount;
}

/** Names of the places, one for each unit of an area, sorted. */
export function placesOf(items: readonly { seat?: string; area?: string }[]): string[] {
  return items.map(({ seat, area }) => (seat === undefined ? `area ${area}` : seat)).sort();
}

export function placesAsked(items: readonly AskedItem[]): string[] {
  const units = items.flatMap((item): { seat?: string; area?: string }[] =>
    "seat" in item ? [item] : Array.from({ length: item.quantity }, () => ({ area: item.area })),
  );
  return placesOf(units);
}
