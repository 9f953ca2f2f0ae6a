import type { BookingRecord } from "../../engine/booking.ts";
import type { Book, NewBooking } from "../../engine/commands/book.ts";
import type { Cancel } from "../../engine/commands/cancel.ts";
import type { Pay } from "../../engine/commands/pay.ts";
import type { CommandKey } from "../../engine/facts.ts";
import { type EventId, eventTagOf } from "../../engine/ids.ts";
import {
  HOLD_LIFETIME_TTLS_MAX,
  HOLD_TTL_MS_MAX,
  PLACES_PER_HOLD_MAX,
} from "../../engine/limits.ts";
import type { EventEntry } from "../catalogue/event-directory.ts";
import { type BookRequest, bookBody, cancelOf, transferBody } from "./book-request.ts";
import { bookingCode, ticketCode } from "./codes.ts";
import { type Accepted, type DeskCore, type DeskRequest, Fault, unexpected } from "./desk-core.ts";
import { type DeskResult, invalid, ok, problem, type Settle } from "./desk-result.ts";
import { bookingView, paymentView } from "./views.ts";

/** Bookings as a whole: making, paying for, cancelling and handing them over. */
export class OrderDesk {
  readonly #core: DeskCore;

  constructor(core: DeskCore) {
    this.#core = core;
  }

  book(eventId: EventId | null, request: DeskRequest, settle: Settle): void {
    this.#core.atEvent(eventId, settle, (event) => {
      const { providers } = this.#core.ports.payments;
      const body = bookBody(request.body, request.identity.role, providers);
      if (!body.ok) return settle(invalid(body.errors));
      const { holdId, email, provider } = body.value;
      if (eventTagOf(holdId) !== event.tag) return settle(problem("hold_not_found"));
      const asked = ["book", holdId, email];
      const key = this.#core.keyOf(request, provider === "none" ? asked : [...asked, provider]);
      if (key instanceof Fault) return settle(key.problem);
      const made = this.#newBooking(event, request, body.value);
      if (provider === "none") this.#bookUnpaid(event, made, key, settle);
      else this.#pay(event, made, { provider, key }, settle);
    });
  }

  #newBooking(event: EventEntry, request: DeskRequest, { holdId, email }: BookRequest): NewBooking {
    return {
      holdId,
      userId: request.identity.userId,
      bookingId: this.#core.minter.mintBooking(Date.now(), event.tag),
      code: bookingCode(),
      ticketCodes: ticketCodes(event),
      email,
    };
  }

  #bookUnpaid(event: EventEntry, made: NewBooking, key: CommandKey | null, settle: Settle): void {
    const { allowInvoices: invoiceAllowed } = event;
    const command: Book = { kind: "book", ...made, invoiceAllowed, key };
    this.#core.ask(event, command, settle, newBooking);
  }

  #pay(
    event: EventEntry,
    made: NewBooking,
    { provider, key }: Pick<Pay, "provider" | "key">,
    settle: Settle,
  ): void {
    const intentId = this.#core.minter.mintIntent(Date.now(), event.tag);
    const command: Pay = { kind: "pay", ...made, provider, intentId, key };
    this.#core.ask(event, command, settle, (_, answer) => {
      if (answer.kind !== "done") return unexpected();
      const { fact, replayed } = answer;
      // Nothing is owed.
      if (fact.kind !== "paymentStarted") return newBooking(event, answer);
      this.#core.guard(settle, this.#beginPayment(event, fact.booking, { replayed }, settle));
      return null;
    });
  }

  /**
   * The pending booking is durable; asking the provider may fail. Whoever repeats the request with
   * its key comes by here again, and the provider is asked for the same payment.
   */
  async #beginPayment(
    event: EventEntry,
    booking: BookingRecord,
    { replayed }: { readonly replayed: boolean },
    settle: Settle,
  ): Promise<void> {
    const payment = booking.later?.payment ?? null;
    if (payment === null) return settle(unexpected());
    const { provider, intentId, amountMinor, payUntilMs } = payment;
    const client = await this.#core.ports.payments.begin({
      provider,
      intentId,
      eventId: event.eventId,
      bookingId: booking.bookingId,
      amountMinor,
      currency: event.currency,
      description: `${event.title} (${booking.code})`,
      payUntilMs,
    });
    const view = bookingView(event, booking, booking.later?.seq ?? 0);
    // What our own record says comes last: it is the truth about the booking.
    const shown = { ...view, payment: { ...client, ...paymentView(event, payment) } };
    settle(ok(202, shown, replayed));
  }

  cancel(bookingIdText: string, request: DeskRequest, settle: Settle): void {
    this.#core.atBooking(bookingIdText, settle, (event, bookingId) => {
      const asked = cancelOf(request.body);
      if ("kind" in asked) return settle(asked);
      const { tickets, reason } = asked;
      const told = ["cancel", bookingId, reason];
      const key = this.#core.keyOf(request, tickets === null ? told : [...told, tickets]);
      if (key instanceof Fault) return settle(key.problem);
      const go = async (): Promise<void> => {
        const { identity } = request;
        const asOrganizer = await this.#core.ports.isOrganizer(identity, event.organizationId);
        const { userId } = identity;
        const requester = { bookingId, userId, asOrganizer };
        const command: Cancel = { kind: "cancel", ...requester, tickets, reason, key };
        this.#core.ask(event, command, settle, changedBooking);
      };
      this.#core.guard(settle, go());
    });
  }

  transfer(bookingIdText: string, request: DeskRequest, settle: Settle): void {
    this.#core.atBooking(bookingIdText, settle, (event, bookingId) => {
      const body = transferBody(request.body);
      if (!body.ok) return settle(invalid(body.errors));
      const { email } = body.value;
      const key = this.#core.keyOf(request, ["transfer", bookingId, email]);
      if (key instanceof Fault) return settle(key.problem);
      const go = async (): Promise<void> => {
        const { identity } = request;
        const { isOrganizer, userIdOf } = this.#core.ports;
        const asOrganizer = await isOrganizer(identity, event.organizationId);
        const toUserId = await userIdOf(email);
        const requester = { bookingId, userId: identity.userId, asOrganizer };
        const command = { kind: "transfer", ...requester, email, toUserId, key } as const;
        this.#core.ask(event, command, settle, changedBooking);
      };
      this.#core.guard(settle, go());
    });
  }
}

/** The version of an event that was published and not changed since. */
const VERSION_PUBLISHED = 1;
/** So long a hold may be older than what is known of its event. */
const HOLD_AGE_MS_MAX = HOLD_LIFETIME_TTLS_MAX * HOLD_TTL_MS_MAX;

/**
 * As many as the hold may have places. Where an order may have fewer places since lately, the hold
 * may be one of before.
 */
function ticketCodes({ perOrderMax, version, updatedMs }: EventEntry): string[] {
  const mayBeOlder = version > VERSION_PUBLISHED && Date.now() < updatedMs + HOLD_AGE_MS_MAX;
  const count = mayBeOlder ? PLACES_PER_HOLD_MAX : Math.min(perOrderMax, PLACES_PER_HOLD_MAX);
  return Array.from({ length: count }, ticketCode);
}

const newBooking = (event: EventEntry, answer: Accepted): DeskResult => shown(event, answer, 201);

/** A booking as a change left it. */
export const changedBooking = (event: EventEntry, answer: Accepted): DeskResult =>
  shown(event, answer, 200);

function shown(event: EventEntry, answer: Accepted, status: number): DeskResult {
  if (answer.kind === "booking") {
    const { record, seq } = answer.booking;
    return ok(status, bookingView(event, record, seq));
  }
  if (answer.kind !== "done") return unexpected();
  const { fact, replayed } = answer;
  if (fact.kind !== "booked" && fact.kind !== "bookingChanged") return unexpected();
  return ok(status, bookingView(event, fact.booking, fact.seq), replayed);
}
