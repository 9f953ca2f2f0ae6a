import Type from "typebox";
import { fateOf } from "../../engine/booking.ts";
import type { CheckIn } from "../../engine/commands/check-in.ts";
import type { MoveTicket } from "../../engine/commands/move-ticket.ts";
import { type EventId, parseItemId } from "../../engine/ids.ts";
import type { EventEntry } from "../catalogue/event-directory.ts";
import { compileSchema } from "../http/validation.ts";
import { parseTicketCode } from "./codes.ts";
import {
  type Accepted,
  type DeskCore,
  type DeskRequest,
  Fault,
  type Show,
  unexpected,
} from "./desk-core.ts";
import { type DeskResult, invalid, ok, problem, type Settle } from "./desk-result.ts";
import { unknown } from "./hold-request.ts";
import { iso } from "./instant.ts";
import { bookingView, money, type Reader, ticketView } from "./views.ts";

/** Body of POST /bookings/{id}/tickets/{ticketId}/move. */
export const MoveBody = Type.Object({ seat: Type.String({ minLength: 1, maxLength: 200 }) });
const checkMove = compileSchema(MoveBody);

/** Body of POST /events/{id}/check-ins. */
export const CheckInBody = Type.Object({
  ticketCode: Type.String({
    minLength: 1,
    maxLength: 1_000,
    description: "The code that is printed on the ticket, or what its QR code says.",
  }),
  undo: Type.Optional(Type.Boolean()),
});
const checkCheckIn = compileSchema(CheckInBody);

/** Single tickets: another seat, and the way in. */
export class TicketDesk {
  readonly #core: DeskCore;

  constructor(core: DeskCore) {
    this.#core = core;
  }

  move(
    { bookingId: text, ticketId: ticketText }: { bookingId: string; ticketId: string },
    request: DeskRequest,
    settle: Settle,
  ): void {
    this.#core.atBooking(text, settle, (event, bookingId) => {
      const body = checkMove(request.body);
      if (!body.ok) return settle(invalid(body.errors));
      const { seat: name } = body.value;
      const seat = event.seatIndexById.get(name);
      if (seat === undefined) return settle(unknown("unknown_seat", "seats", [name]));
      const ticketId = parseItemId(ticketText);
      if (ticketId === null) return settle(problem("ticket_not_found"));
      const key = this.#core.keyOf(request, ["move", bookingId, ticketId, seat]);
      if (key instanceof Fault) return settle(key.problem);
      const go = async (): Promise<void> => {
        const { identity } = request;
        const asOrganizer = await this.#core.ports.isOrganizer(identity, event.organizationId);
        const requester = { bookingId, userId: identity.userId, asOrganizer };
        const command: MoveTicket = { kind: "moveTicket", ...requester, ticketId, seat, key };
        this.#core.ask(event, command, settle, movedTicket(requester));
      };
      this.#core.guard(settle, go());
    });
  }

  checkIn(eventId: EventId | null, request: DeskRequest, settle: Settle): void {
    this.#core.atEvent(eventId, settle, (event) => {
      const go = async (): Promise<void> => {
        const { identity } = request;
        if (!(await this.#core.ports.isStaff(identity, event.organizationId))) {
          return settle(problem("forbidden"));
        }
        const body = checkCheckIn(request.body);
        if (!body.ok) return settle(invalid(body.errors));
        const { ticketCode: typed, undo = false } = body.value;
        const ticketCode = await this.#codeOf(event, typed.trim());
        if (ticketCode === null) return settle(problem("ticket_not_found"));
        const key = this.#core.keyOf(request, ["checkIn", event.eventId, ticketCode, undo]);
        if (key instanceof Fault) return settle(key.problem);
        const command: CheckIn = { kind: "checkIn", ticketCode, by: identity.userId, undo, key };
        this.#core.ask(event, command, settle, enteredTicket);
      };
      this.#core.guard(settle, go());
    });
  }

  /** The code that was typed, or signed in the QR code; null: the QR code is not this event's. */
  async #codeOf({ eventId }: EventEntry, text: string): Promise<string | null> {
    // What is neither may be a code of an older form.
    if (!text.includes(".")) return parseTicketCode(text) ?? text;
    const signed = await this.#core.ports.ticketOf(text);
    return signed?.eventId === eventId ? signed.code : null;
  }
}

const movedTicket = (reader: Reader): Show =>
  function show(event, answer) {
    if (answer.kind !== "done" || answer.fact.kind !== "bookingChanged") return unexpected();
    const { fact, replayed } = answer;
    const priceDifference = money(event, fact.differenceMinor ?? 0);
    const booking = bookingView(event, { record: fact.booking, seq: fact.seq }, reader);
    return ok(200, { ...booking, priceDifference }, replayed);
  };

function enteredTicket(event: EventEntry, answer: Accepted): DeskResult {
  if (answer.kind !== "done" || answer.fact.kind !== "bookingChanged") return unexpected();
  const { fact, replayed } = answer;
  const { booking, seq } = fact;
  const [index = 0] = fact.tickets;
  const { checkedInAtMs } = fateOf(booking, index);
  const body = {
    ticket: ticketView(event, booking, { index, withCode: true }),
    checkedInAt: checkedInAtMs === null ? null : iso(checkedInAtMs),
    booking: { id: booking.bookingId, code: booking.code },
    seq,
  };
  return ok(200, body, replayed);
}
