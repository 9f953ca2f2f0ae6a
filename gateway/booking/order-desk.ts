import type { BookingRecord } from "../../engine/booking.ts";
import type { Book, NewBooking } from "../../engine/commands/book.ts";
import type { Cancel } from "../../engine/commands/cancel.ts";
import type { Pay } from "../../engine/commands/pay.ts";
import type { Transfer } from "../../engine/commands/transfer.ts";
import type { CommandKey } from "../../engine/facts.ts";
import { type EventId, eventTagOf } from "../../engine/ids.ts";
import {
  HOLD_LIFETIME_TTLS_MAX,
  HOLD_TTL_MS_MAX,
  PAYMENT_WINDOW_MS_MAX,
  PLACES_PER_HOLD_MAX,
} from "../../engine/limits.ts";
import type { EventEntry } from "../catalogue/event-directory.ts";
import { type BookRequest, bookBody, cancelOf, transferBody } from "./book-request.ts";
import { bookingJson } from "./booking-json.ts";
import { bookingCode, ticketCodes } from "./codes.ts";
import {
  type Accepted,
  type DeskCore,
  type DeskRequest,
  Fault,
  type Show,
  unexpected,
} from "./desk-core.ts";
import { type DeskResult, invalid, ok, onceMade, problem, type Settle } from "./desk-result.ts";
import { bookingView, paymentView, type Reader } from "./views.ts";

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
      ticketCodes: ticketCodes(placesMax(event)),
      email,
    };
  }

  /** Member by member, as nearly every booking comes here. */
  #bookUnpaid(event: EventEntry, made: NewBooking, key: CommandKey | null, settle: Settle): void {
    const { holdId, userId, bookingId, code, ticketCodes, email } = made;
    const { allowInvoices: invoiceAllowed } = event;
    const command: Book = {
      kind: "book",
      holdId,
      userId,
      bookingId,
      code,
      ticketCodes,
      email,
      invoiceAllowed,
      key,
    };
    this.#core.ask(event, command, settle, newBooking(asBuyer(made)));
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
      const reader = asBuyer(made);
      if (fact.kind !== "paymentStarted") return shown(event, answer, { status: 201, reader });
      const told = { reader, replayed };
      const tell = onceMade(settle);
      this.#core.guard(tell, this.#beginPayment(event, fact.booking, told, tell));
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
    { reader, replayed }: { readonly reader: Reader; readonly replayed: boolean },
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
    const view = bookingView(event, { record: booking, seq: 0 }, reader);
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
        this.#core.ask(event, command, settle, changedBooking(requester));
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
        const to = { email, toUserId, ticketCodes: ticketCodes(PLACES_PER_HOLD_MAX) };
        const command: Transfer = { kind: "transfer", ...requester, ...to, key };
        this.#core.ask(event, command, settle, changedBooking(requester));
      };
      this.#core.guard(settle, go());
    });
  }
}

/** The version of an event that was published and not changed since. */
const VERSION_PUBLISHED = 1;
/** So long a hold may be older than what is known of its event: a payment may have kept it. */
const HOLD_AGE_MS_MAX = HOLD_LIFETIME_TTLS_MAX * HOLD_TTL_MS_MAX + PAYMENT_WINDOW_MS_MAX;

/**
 * How many places a hold of the event may have. Where an order may have fewer places since lately,
 * the hold may be one of before.
 */
function placesMax({ perOrderMax, version, updatedMs }: EventEntry): number {
  const mayBeOlder = version > VERSION_PUBLISHED && Date.now() < updatedMs + HOLD_AGE_MS_MAX;
  return mayBeOlder ? PLACES_PER_HOLD_MAX : Math.min(perOrderMax, PLACES_PER_HOLD_MAX);
}

const asBuyer = ({ userId }: Pick<NewBooking, "userId">): Reader => ({
  userId,
  asOrganizer: false,
});

const newBooking =
  (reader: Reader): Show =>
  (event, answer) =>
    shown(event, answer, { status: 201, reader });

/** A booking as a change left it. */
const changedBooking =
  (reader: Reader): Show =>
  (event, answer) =>
    shown(event, answer, { status: 200, reader });

function shown(
  event: EventEntry,
  answer: Accepted,
  { status, reader }: { readonly status: number; readonly reader: Reader },
): DeskResult {
  if (answer.kind === "booking") return ok(status, bookingJson(event, answer.booking, reader));
  if (answer.kind !== "done") return unexpected();
  const { fact, replayed } = answer;
  if (fact.kind !== "booked" && fact.kind !== "bookingChanged") return unexpected();
  const { booking: record, seq } = fact;
  return ok(status, bookingJson(event, { record, seq }, reader), replayed);
}
