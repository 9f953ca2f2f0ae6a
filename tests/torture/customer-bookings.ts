/** A buyer's bookings, and what the buyer does with them. */
import type { BookingShape, HoldShape, TicketShape } from "../support/shapes.ts";
import type { Visitor } from "./crowd.ts";
import * as ask from "./questions.ts";
import type { Answer } from "./teller.ts";
import { anySeat } from "./wishes.ts";

const KNOWN_MAX = 30;

export class CustomerBookings {
  readonly #customer: Visitor;
  readonly #bookings: BookingShape[] = [];

  constructor(customer: Visitor) {
    this.#customer = customer;
  }

  get count(): number {
    return this.#bookings.length;
  }

  any(): BookingShape | null {
    return this.count === 0 ? null : this.#customer.random.pick(this.#bookings);
  }

  /** A booking of this customer's from now on: made, or handed over. */
  receive(booking: BookingShape): void {
    this.#bookings.push(booking);
    if (this.count > KNOWN_MAX) this.#bookings.shift();
  }

  async book(hold: HoldShape): Promise<void> {
    const { random, crowd, person } = this.#customer;
    const stage = this.#customer.stageOf(hold.eventId);
    const provider = random.next() < 0.05 ? "none" : random.pick(stage.providers);
    const { eventId, id: holdId } = hold;
    const question = { eventId, holdId, provider, email: person.email };
    const answer = await this.#customer.change(ask.book(question, this.#customer.freshKey()));
    if (answer === null || answer.status >= 300) return;
    const booking = answer.body as BookingShape;
    crowd.ledger.noteWinner(eventId, booking.seq, this.#customer.name);
    crowd.ledger.noteBooking(booking);
    this.receive(booking);
    await this.#readAtOnce(booking);
    if (answer.status !== 202 || booking.payment === undefined) return;
    await crowd.payer.pay(booking.payment, random);
    // Where the payment has failed the hold may still be there, to be paid for again.
    if (random.next() < 0.3) this.#customer.holds.push(hold);
  }

  /** Visible as soon as its answer was received. */
  async #readAtOnce({ id, status }: BookingShape): Promise<void> {
    const { random, crowd } = this.#customer;
    if (random.next() > 0.2) return;
    const answer = await crowd.teller.ask(this.#customer, ask.booking(id));
    if (answer?.status === 200) crowd.ledger.noteBooking(answer.body as BookingShape);
    if (status !== "confirmed" || random.next() > 0.3) return;
    const list = await crowd.teller.ask(this.#customer, ask.bookings(null));
    if (list?.status !== 200) return;
    const { data, nextCursor } = list.body as { data: { id: string }[]; nextCursor: string | null };
    crowd.teller.faults.check(
      nextCursor !== null || data.some((each) => each.id === id),
      () => `${this.#customer.name}'s list lacks booking ${id}, which was just made`,
    );
  }

  async act(): Promise<void> {
    const { random } = this.#customer;
    const known = random.pick(this.#bookings);
    const booking = this.#customer.crowd.ledger.bookings.get(known.id)?.told ?? known;
    const mood = random.next();
    const ticket = random.pick(booking.tickets);
    if (mood < 0.25) return this.#cancel(booking, {});
    if (mood < 0.5) return this.#cancel(booking, { ticketIds: [ticket.id], reason: "can't come" });
    if (mood < 0.85) return this.#move(booking, ticket);
    return this.#transfer(booking);
  }

  async #cancel({ id }: BookingShape, body: object): Promise<void> {
    const answer = await this.#change(ask.cancel(id, body, this.#customer.freshKey()));
    if (answer?.status === 200 && !("ticketIds" in body)) this.#forget(id);
  }

  async #move(booking: BookingShape, ticket: TicketShape): Promise<void> {
    const stage = this.#customer.stageOf(booking.eventId);
    const seat = anySeat(stage, this.#customer.random);
    if (seat === null) return;
    const ticketOf = { bookingId: booking.id, ticketId: ticket.id };
    const answer = await this.#change(ask.move(ticketOf, { seat, key: this.#customer.freshKey() }));
    if (answer?.status !== 200) return;
    const moved = answer.body as BookingShape;
    this.#customer.crowd.ledger.noteWinner(booking.eventId, moved.seq, this.#customer.name);
  }

  async #transfer(booking: BookingShape): Promise<void> {
    const { random, crowd } = this.#customer;
    const [...emails] = crowd.registered.keys();
    const isKnown = random.next() < 0.8 && emails.length > 0;
    const email = isKnown ? random.pick(emails) : `nobody-${booking.id}@example.org`;
    const heir = crowd.registered.get(email);
    const question = ask.transfer(booking.id, email, this.#customer.freshKey());
    const answer = await this.#change(question, heir === this.#customer);
    if (answer?.status !== 200) return;
    this.#forget(booking.id);
    heir?.receive(answer.body as BookingShape);
  }

  /** `isTheirs`: the booking is still this customer's afterwards. */
  async #change(question: ask.Question, isTheirs = true): Promise<Answer | null> {
    const { crowd } = this.#customer;
    const answer = await this.#customer.change(question);
    if (answer?.status === 200) crowd.ledger.noteBooking(answer.body as BookingShape, isTheirs);
    return answer;
  }

  #forget(id: string): void {
    const at = this.#bookings.findIndex((booking) => booking.id === id);
    if (at >= 0) this.#bookings.splice(at, 1);
  }
}
