/** Acts for the organiser at the door and at the counter, on bookings of anybody. */
import type { Random } from "../../engine/testing/random.ts";
import type { BookingShape } from "../support/shapes.ts";
import type { Crowd } from "./crowd.ts";
import * as ask from "./questions.ts";
import type { Answer, Caller } from "./teller.ts";
import { anySeat } from "./wishes.ts";

export class Clerk {
  readonly #crowd: Crowd;
  readonly #caller: Caller;
  readonly #random: Random;
  readonly #name: string;
  #keys = 0;

  constructor(crowd: Crowd, caller: Caller, { n, random }: { n: number; random: Random }) {
    this.#crowd = crowd;
    this.#caller = caller;
    this.#random = random;
    this.#name = `clerk-${n}`;
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
    await this.#crowd.teller.ask(this.#caller, question);
  }

  async #change(question: ask.Question): Promise<void> {
    const { teller, ledger } = this.#crowd;
    const answer = await teller.ask(this.#caller, question);
    if (answer?.status !== 200) return;
    ledger.noteBooking(answer.body as BookingShape);
    this.#keep(question, answer);
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
      teller.ask(this.#caller, question),
      // Two doors at once, each with a key of its own: one of them lets in.
      ...(this.#random.next() < 0.2
        ? [teller.ask(this.#caller, { ...question, key: this.#freshKey() })]
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
    if (answer?.status === 200) this.#keep(question, answer);
  }

  #keep(question: ask.Question, answer: Answer): void {
    this.#crowd.ledger.keep({ caller: this.#caller, question, answer });
  }

  #freshKey(): string {
    this.#keys += 1;
    return `${this.#name}-${this.#keys}`;
  }
}
