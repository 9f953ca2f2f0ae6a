/** Lets people in as staff, and acts for the organiser at the counter, on bookings of anybody. */
import type { Random } from "../../engine/testing/random.ts";
import type { BookingShape } from "../support/shapes.ts";
import type { Crowd } from "./crowd.ts";
import * as ask from "./questions.ts";
import type { Caller } from "./teller.ts";
import { anySeat } from "./wishes.ts";

export interface ClerkTokens {
  /** Staff of every organisation: may let people in, and nothing else. */
  readonly door: Caller;
  /** The organiser's. */
  readonly counter: Caller;
}

export class Clerk {
  readonly #crowd: Crowd;
  readonly #door: Caller;
  readonly #counter: Caller;
  readonly #random: Random;
  readonly #name: string;
  #keys = 0;

  constructor(crowd: Crowd, { door, counter }: ClerkTokens, random: Random) {
    this.#crowd = crowd;
    this.#door = door;
    this.#counter = counter;
    this.#random = random;
    this.#name = door.name;
  }

  async act(): Promise<void> {
    const random = this.#random;
    const mood = random.next();
    const { eventId } = random.pick(this.#crowd.stages);
    if (mood < 0.05) return this.#look(ask.waitlist(eventId));
    if (mood < 0.08) return this.#look(ask.log(eventId, null));
    const booking = this.#someBooking();
    if (booking === undefined) return;
    if (mood < 0.12) return this.#look(ask.history(booking.id));
    if (mood < 0.16) return this.#overreach(booking);
    if (mood < 0.65) return this.#checkIn(booking, mood < 0.25);
    const ticket = random.pick(booking.tickets);
    const key = this.#freshKey();
    if (mood < 0.75) {
      const body = { ticketIds: [ticket.id], reason: "by the organiser" };
      return this.#change(ask.cancel(booking.id, body, key));
    }
    if (mood < 0.82) return this.#change(ask.cancel(booking.id, {}, key));
    const stage = this.#crowd.stages.find((each) => each.eventId === booking.eventId);
    const seat = stage === undefined ? null : anySeat(stage, random);
    if (seat === null) return;
    const ticketOf = { bookingId: booking.id, ticketId: ticket.id };
    await this.#change(ask.move(ticketOf, { seat, key }));
  }

  /** One of the latest thousand. */
  #someBooking(): BookingShape | undefined {
    const ids = [...this.#crowd.ledger.bookings.keys()].slice(-1_000);
    const id = ids[this.#random.below(ids.length)] ?? "";
    return this.#crowd.ledger.bookings.get(id)?.told;
  }

  async #look(question: ask.Question): Promise<void> {
    await this.#crowd.teller.ask(this.#counter, question);
  }

  /** At the door there is nothing to be changed, and nobody's booking to be seen. */
  async #overreach({ id, eventId }: BookingShape): Promise<void> {
    const [question, expected] = this.#random.pick([
      [ask.inventory(eventId, { block: [] }), "403 forbidden"],
      [ask.patchEvent(eventId, { title: "Mine" }), "403 forbidden"],
      [ask.waitlist(eventId), "403 forbidden"],
      [ask.log(eventId, null), "403 forbidden"],
      [ask.booking(id), "404 booking_not_found"],
      [ask.cancel(id, {}, this.#freshKey()), "404 booking_not_found"],
    ] as const);
    await this.#crowd.teller.ask(this.#door, question, [expected]);
  }

  async #change(question: ask.Question): Promise<void> {
    const { teller, ledger } = this.#crowd;
    const answer = await teller.ask(this.#counter, question);
    if (answer?.status !== 200) return;
    ledger.noteBooking(answer.body as BookingShape);
    ledger.keep({ caller: this.#counter, question, answer });
  }

  async #checkIn({ id, eventId, tickets }: BookingShape, undo: boolean): Promise<void> {
    const { teller, ledger } = this.#crowd;
    const ticket = this.#random.pick(tickets);
    const codes = ledger.bookings.get(id)?.codes;
    const code = codes?.anyOf(ticket.id, this.#random) ?? null;
    if (codes === undefined || code === null) return;
    // As it may be typed at the door.
    const ticketCode = this.#random.next() < 0.2 ? code.toLowerCase() : code;
    const body = undo ? { ticketCode, undo } : { ticketCode };
    const question = ask.checkIn(eventId, body, this.#freshKey());
    const answers = await Promise.all([
      teller.ask(this.#door, question),
      // Two doors at once, each with a key of its own: one of them lets in.
      ...(this.#random.next() < 0.2
        ? [teller.ask(this.#door, { ...question, key: this.#freshKey() })]
        : []),
    ]);
    const entered = answers.flatMap((answer) => (answer?.status === 200 ? [answer.body] : []));
    teller.faults.check(entered.length < 2, () => `ticket ${code} let in two at once`);
    for (const body of entered) {
      const { seq } = body as { seq: number };
      ledger.noteWinner(eventId, seq, this.#name);
      codes.note(ticket.id, code, seq);
    }
    const [answer] = answers;
    if (answer?.status === 404) codes.noteRefused(ticket.id, code);
    if (answer?.status === 200) ledger.keep({ caller: this.#door, question, answer });
  }

  #freshKey(): string {
    this.#keys += 1;
    return `${this.#name}-${this.#keys}`;
  }
}
