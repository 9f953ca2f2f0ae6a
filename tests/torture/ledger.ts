/** What everyone was told: holds, bookings as of the last thing heard of them, kept keys, money. */
import { isDeepStrictEqual } from "node:util";
import type { BookingShape, HoldShape } from "../support/shapes.ts";
import { documentedAnswers } from "./documented-answers.ts";
import { KnownCodes } from "./known-codes.ts";
import type { Question } from "./questions.ts";
import { type Answer, type Caller, type Faults, said } from "./teller.ts";

export interface KnownHold {
  readonly hold: HoldShape;
  readonly caller: Caller;
  /** Of an allotment; null: none. */
  readonly channel: string | null;
}

export interface KnownBooking {
  /** As it was told with the highest seq. */
  told: BookingShape;
  /** Every seq that somebody was told together with what the booking was then. */
  readonly seqs: Set<number>;
  readonly codes: KnownCodes;
}

export interface Kept {
  readonly caller: Caller;
  readonly question: Question;
  readonly answer: Answer;
}

const KEPT_MAX = 30_000;

export class Ledger {
  readonly holds = new Map<string, KnownHold>();
  readonly bookings = new Map<string, KnownBooking>();
  /** Questions with a key whose outcome has to be the same again. */
  readonly kept: Kept[] = [];
  /** Answers that were replayed, and were the first outcome. */
  replayed = 0;
  /** Intents that were paid for with another amount than was asked for. */
  readonly mispaid = new Set<string>();
  readonly #faults: Faults;
  /** By event: who was given a seq that no one else may be given. */
  readonly #winners = new Map<string, Map<number, string>>();

  constructor(faults: Faults) {
    this.#faults = faults;
  }

  noteHold(caller: Caller, hold: HoldShape, channel: string | null): void {
    const before = this.holds.get(hold.id);
    this.holds.set(hold.id, before === undefined ? { hold, caller, channel } : { ...before, hold });
    const sum = hold.items.reduce((total, { price, due = price }) => total + due, 0);
    this.#faults.check(
      sum === hold.total.amount,
      () => `hold ${hold.id} costs ${hold.total.amount}, its items ${sum}`,
    );
  }

  /**
   * Told by an answer or a notice; older news than what is known change nothing. `isTheirs`: it
   * was told to whose it is then, or to who organises the event.
   */
  noteBooking(booking: BookingShape, isTheirs = true): void {
    const { id, seq, tickets } = booking;
    const known = this.bookings.get(id) ?? {
      told: booking,
      seqs: new Set<number>(),
      codes: new KnownCodes(),
    };
    this.bookings.set(id, known);
    known.seqs.add(seq);
    for (const ticket of tickets) {
      if (ticket.code !== undefined) known.codes.note(ticket.id, ticket.code, seq);
    }
    this.#faults.check(
      tickets.every(({ code }) => (code !== undefined) === isTheirs),
      () => `booking ${id} was told ${isTheirs ? "without" : "with"} codes at seq ${seq}`,
    );
    const { told } = known;
    this.#faults.check(
      isDeepStrictEqual(ticketIdsOf(booking), ticketIdsOf(told)),
      () => `booking ${id} has other tickets than it was made with`,
    );
    if (seq > told.seq) known.told = booking;
    if (seq !== told.seq) return;
    this.#faults.check(
      isSameBooking(booking, told),
      () => `booking ${id} was told in two ways at seq ${told.seq}: ${diff(booking, told)}`,
    );
  }

  /** An answer with a fact of its own: its seq is nobody else's. */
  noteWinner(eventId: string, seq: number, who: string): void {
    const winners = this.#winners.get(eventId) ?? new Map<number, string>();
    this.#winners.set(eventId, winners);
    const other = winners.get(seq);
    this.#faults.check(
      other === undefined,
      () => `seq ${seq} of ${eventId} was told to ${other} and to ${who}`,
    );
    winners.set(seq, who);
  }

  keep(kept: Kept): void {
    if (this.kept.length < KEPT_MAX) this.kept.push(kept);
  }

  /** An answer to a question that had an outcome before. */
  checkRepeated({ caller, question, answer }: Kept, again: Answer | null): void {
    if (again === null || again.status === 503) return;
    if (again.replayed) this.replayed += 1;
    if (mayHaveChangedNothing(question) && !again.replayed) return;
    const isSame = again.replayed && again.status === answer.status;
    const [first, second] = [outcomeOf(question, answer), outcomeOf(question, again)];
    this.#faults.check(
      isSame && isDeepStrictEqual(first, second),
      () =>
        `a repeated ${question.kind} had another outcome: ${said(caller, question)} first heard ` +
        `${answer.status}, then ${again.status} ${again.replayed}: ${diff(first, second)}`,
    );
  }
}

/**
 * Whoever cancels or hands over what is so already is shown how it is: no outcome is kept then, and
 * the same question may be about somebody else's booking later.
 */
const mayHaveChangedNothing = ({ kind }: Question): boolean =>
  kind.startsWith("cancel") || kind === "transfer";

/** `changes`: bookings with the seqs at which they were cancelled or handed over. */
export function isOutcome({ question, answer }: Kept, changes: ReadonlySet<string>): boolean {
  if (!mayHaveChangedNothing(question)) return true;
  const { id, seq } = answer.body as BookingShape;
  return changes.has(`${id} ${seq}`);
}

/** What a question with an outcome may be answered with when it is repeated. */
export function answersAgain({ question, answer }: Kept): string[] {
  if (!mayHaveChangedNothing(question)) return [String(answer.status)];
  return [...documentedAnswers(question.kind), "404 booking_not_found"];
}

/** The place in the line is told as it is; ways to pay are told while there is something to pay. */
function outcomeOf({ kind }: Question, { body }: Answer): object {
  if (typeof body !== "object" || body === null) return {};
  if (kind === "book.pay") return plain(body as BookingShape);
  if (kind !== "waitlist.join") return body;
  return { ...body, position: null, status: null, offer: null };
}

/** Without what only the answer to a change says. */
export function plain({ priceDifference, payment, ...booking }: BookingShape): object {
  if (payment === undefined) return booking;
  const { provider, intentId, amount, status, payUntil, refunds } = payment;
  return { ...booking, payment: { provider, intentId, amount, status, payUntil, refunds } };
}

const ticketIdsOf = ({ tickets }: BookingShape): string[] => tickets.map(({ id }) => id);

/** But for the codes, which not everybody is told: see `KnownCodes`. */
export const isSameBooking = (a: BookingShape, b: BookingShape): boolean =>
  isDeepStrictEqual(plain(withoutCodes(a)), plain(withoutCodes(b)));

const withoutCodes = (booking: BookingShape): BookingShape => ({
  ...booking,
  tickets: booking.tickets.map(({ code: _, ...ticket }) => ticket),
});

/** The members in which two of a kind differ. */
export function diff(a: object, b: object): string {
  const [left, right] = [new Map(Object.entries(a)), new Map(Object.entries(b))];
  return [...new Set([...left.keys(), ...right.keys()])]
    .filter((name) => !isDeepStrictEqual(left.get(name), right.get(name)))
    .map(
      (name) => `${name}: ${JSON.stringify(left.get(name))} / ${JSON.stringify(right.get(name))}`,
    )
    .join("; ");
}
