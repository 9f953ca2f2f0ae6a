import { parseEventId } from "../../engine/ids.ts";
import type { BookingDesk } from "../booking/booking-desk.ts";
import type { DeskRequest } from "../booking/desk-core.ts";
import type { Settle } from "../booking/desk-result.ts";
import type { HoldDesk } from "../booking/hold-desk.ts";
import type { InventoryDesk } from "../booking/inventory-desk.ts";
import type { OrderDesk } from "../booking/order-desk.ts";
import type { TicketDesk } from "../booking/ticket-desk.ts";
import type { WaitlistDesk } from "../booking/waitlist-desk.ts";
import type { LimitClass } from "../limits/limit-classes.ts";

/** The desk, as far as it is open to WebSockets. */
export interface LiveDesk extends Pick<BookingDesk, "refusesHolds" | "refusesAllHolds"> {
  readonly holds: Pick<HoldDesk, "hold" | "change" | "extend" | "release">;
  readonly orders: Pick<OrderDesk, "book" | "cancel" | "transfer">;
  readonly tickets: Pick<TicketDesk, "move" | "checkIn">;
  readonly waitlist: Pick<WaitlistDesk, "join" | "leave">;
  readonly inventory: Pick<InventoryDesk, "change">;
}

/** What a message names beside the body, which is the message itself. */
export interface Named {
  readonly eventId?: string;
  readonly holdId?: string;
  readonly bookingId?: string;
  readonly ticketId?: string;
}

type DeskOp = (desk: LiveDesk, named: Named, request: DeskRequest, settle: Settle) => void;

/** The ops that are answered with `reply`. */
export const DESK_OPS: ReadonlyMap<string, DeskOp> = new Map<string, DeskOp>([
  [
    "hold",
    (desk, { eventId }, request, settle) => desk.holds.hold(parseEventId(eventId), request, settle),
  ],
  [
    "change",
    (desk, { holdId = "" }, request, settle) => desk.holds.change(holdId, request, settle),
  ],
  [
    "extend",
    (desk, { holdId = "" }, request, settle) => desk.holds.extend(holdId, request, settle),
  ],
  [
    "release",
    (desk, { holdId = "" }, { identity }, settle) => desk.holds.release(holdId, identity, settle),
  ],
  [
    "book",
    (desk, { eventId }, request, settle) =>
      desk.orders.book(parseEventId(eventId), request, settle),
  ],
  [
    "cancel",
    (desk, { bookingId = "" }, request, settle) => desk.orders.cancel(bookingId, request, settle),
  ],
  [
    "transfer",
    (desk, { bookingId = "" }, request, settle) => desk.orders.transfer(bookingId, request, settle),
  ],
  [
    "move",
    (desk, { bookingId = "", ticketId = "" }, request, settle) =>
      desk.tickets.move({ bookingId, ticketId }, request, settle),
  ],
  [
    "waitlist.join",
    (desk, { eventId }, request, settle) =>
      desk.waitlist.join(parseEventId(eventId), request, settle),
  ],
  [
    "waitlist.leave",
    (desk, { eventId }, { identity }, settle) =>
      desk.waitlist.leave(parseEventId(eventId), identity, settle),
  ],
  [
    "check-in",
    (desk, { eventId }, request, settle) =>
      desk.tickets.checkIn(parseEventId(eventId), request, settle),
  ],
  [
    "inventory",
    (desk, { eventId }, request, settle) =>
      desk.inventory.change(parseEventId(eventId), request, settle),
  ],
]);

/** What an op has to name; "auth" and what is unknown name nothing. */
export const NAMES_OF_OP: Readonly<Record<string, readonly (keyof Named)[]>> = {
  subscribe: ["eventId"],
  unsubscribe: ["eventId"],
  hold: ["eventId"],
  change: ["holdId"],
  extend: ["holdId"],
  release: ["holdId"],
  book: ["eventId"],
  cancel: ["bookingId"],
  transfer: ["bookingId"],
  move: ["bookingId", "ticketId"],
  "waitlist.join": ["eventId"],
  "waitlist.leave": ["eventId"],
  "check-in": ["eventId"],
  inventory: ["eventId"],
};

/** What an op has to name, and this message does not. */
export function missingNames(op: string, message: Named): readonly (keyof Named)[] {
  const names = Object.hasOwn(NAMES_OF_OP, op) ? NAMES_OF_OP[op] : undefined;
  return (names ?? []).filter((name) => message[name] === undefined);
}

const OP_CLASSES: ReadonlyMap<string, LimitClass> = new Map<string, LimitClass>([
  ["hold", "hold"],
  ["change", "hold"],
  ["book", "booking"],
]);

/** What an op counts as: the same as its route over HTTP. */
export function limitClassOfOp(op: string): LimitClass {
  return OP_CLASSES.get(op) ?? "write";
}

/** Whether a message, good or not, asks for one of these. */
export function isForDesk(value: unknown): boolean {
  if (typeof value !== "object" || value === null || !("op" in value)) return false;
  return typeof value.op === "string" && DESK_OPS.has(value.op);
}
