/** One buyer of changeable mood, who asks for everything that a buyer can. */
import type { Random } from "../../engine/testing/random.ts";
import type { LiveClient } from "../support/client.ts";
import type { BookingShape, HoldShape, WaitingShape } from "../support/shapes.ts";
import type { Crowd, Visitor } from "./crowd.ts";
import { CustomerBookings } from "./customer-bookings.ts";
import { answersAgain } from "./ledger.ts";
import { meddle } from "./meddling.ts";
import * as ask from "./questions.ts";
import type { Person, Stage } from "./scenery.ts";
import type { Answer } from "./teller.ts";
import { somePlaces, someSeats, type Wish, wishOf } from "./wishes.ts";

/** The server's clock is ours; a token of it may be a tick older. */
const TICK_MS = 50;
/** A hold never ends later than this after its time. */
const END_MS_MAX = 1_000;

export class Customer implements Visitor {
  readonly name: string;
  readonly person: Person;
  readonly prefersLive: boolean;
  readonly crowd: Crowd;
  readonly random: Random;
  readonly holds: HoldShape[] = [];
  readonly bookings: CustomerBookings;
  readonly waits = new Set<Stage>();
  live: LiveClient | null = null;
  /** Holds that are left to expire. */
  readonly #left: HoldShape[] = [];
  /** Events whose line was left, which gives back what it offered. */
  readonly #linesLeft = new Set<string>();
  #keys = 0;

  constructor(crowd: Crowd, person: Person, { n, random }: { n: number; random: Random }) {
    this.crowd = crowd;
    this.person = person;
    this.random = random;
    this.name = `client ${n}`;
    this.prefersLive = n % 2 === 1;
    this.bookings = new CustomerBookings(this);
  }

  get token(): string {
    return this.person.token;
  }

  /** Does one thing. */
  async act(): Promise<void> {
    this.#readNotices();
    const due = this.#left[0];
    if (due !== undefined && Date.now() > endOf(due) + END_MS_MAX) {
      this.#left.shift();
      return this.#checkHold(due);
    }
    const { random } = this;
    const mood = random.next();
    if (mood < 0.05) return this.#look();
    if (mood < 0.1) return meddle(this);
    if (mood < 0.13) return this.#repeat();
    if (mood < 0.15) return this.#reuseKey();
    if (mood < 0.21) return this.#wait();
    if (mood < 0.23) return this.crowd.payer.payLate();
    const [hold] = this.holds;
    if (hold !== undefined && mood < 0.66) return this.#goOnWith(hold);
    if (this.bookings.count > 0 && mood < 0.75) return this.bookings.act();
    return this.#hold();
  }

  /** Waits for nothing any more. What a failed payment left lives long, for the patient to see. */
  async leave(): Promise<void> {
    const { teller, stages, ledger, payer } = this.crowd;
    for (const { eventId } of stages) await teller.ask(this, ask.leave(eventId));
    this.#readNotices();
    if (payer.isPatient) return;
    for (const { caller, hold } of ledger.holds.values()) {
      if (caller === this) await teller.ask(this, ask.release(hold.id));
    }
  }

  receive(booking: BookingShape): void {
    this.bookings.receive(booking);
  }

  freshKey(): string {
    this.#keys += 1;
    return `${this.name.replace(" ", "-")}-${this.#keys}`;
  }

  /** Asks for something that changes something; now and then twice at once. */
  async change(question: ask.Question): Promise<Answer | null> {
    const { teller, ledger } = this.crowd;
    if (question.key === undefined || this.random.next() > 0.05) {
      const answer = await teller.ask(this, question);
      if (answer !== null) this.#keep(question, answer);
      return answer;
    }
    const [one, other] = await Promise.all([
      teller.ask(this, question),
      teller.ask(this, question),
    ]);
    const first = [one, other].find((answer) => isOutcome(question, answer)) ?? one;
    const second = first === one ? other : one;
    if (first === null || !isOutcome(question, first)) return first;
    this.#keep(question, first);
    // Whoever was refused before the other was accepted asked first.
    if (second !== null && second.status < 300) {
      ledger.checkRepeated({ caller: this, question, answer: first }, second);
    }
    return first;
  }

  #keep(question: ask.Question, answer: Answer): void {
    if (question.key === undefined || !isOutcome(question, answer)) return;
    this.crowd.ledger.keep({ caller: this, question, answer });
  }

  #readNotices(): void {
    const { live } = this;
    if (live === null) return;
    const { ledger, teller } = this.crowd;
    for (const { hold } of live.take("waitlist.offer")) {
      if (hold !== undefined) this.#take(hold, null);
    }
    for (const { booking } of live.take("booking.updated")) {
      if (booking !== undefined) ledger.noteBooking(booking);
    }
    for (const { holdId = "", reason } of live.take("hold.expired")) {
      this.forget(holdId);
      if (reason === "event_cancelled") continue;
      const known = ledger.holds.get(holdId)?.hold;
      const early = known === undefined ? 0 : Date.parse(known.expiresAt) - Date.now();
      teller.faults.check(early <= TICK_MS, () => `hold ${holdId} expired ${early} ms early`);
    }
  }

  #take(hold: HoldShape, channel: string | null): void {
    this.crowd.ledger.noteHold(this, hold, channel);
    this.forget(hold.id);
    this.holds.push(hold);
  }

  forget(holdId: string): void {
    const at = this.holds.findIndex(({ id }) => id === holdId);
    if (at >= 0) this.holds.splice(at, 1);
  }

  async #hold(): Promise<void> {
    const stage = this.random.pick(this.crowd.stages);
    const wish = wishOf(stage, this.random);
    const answer = await this.#tryHold(stage, wish);
    if (answer?.code !== "no_adjacent_seats") return;
    // What is offered instead can be asked for.
    const { alternatives } = answer.body as { alternatives: { seat: string }[][] };
    const [first] = alternatives;
    if (first === undefined) return;
    const { items: _, ...rest } = wish;
    await this.#tryHold(stage, { ...rest, items: first.map(({ seat }) => ({ seat })) });
  }

  async #tryHold(stage: Stage, wish: Wish): Promise<Answer | null> {
    const question = ask.hold(stage.eventId, wish, this.freshKey());
    const answer = await this.change(question);
    if (answer?.status !== 201) return answer;
    const hold = answer.body as HoldShape;
    this.crowd.ledger.noteWinner(stage.eventId, hold.seq, this.name);
    this.#take(hold, wish.channel ?? null);
    return answer;
  }

  async #goOnWith(hold: HoldShape): Promise<void> {
    const mood = this.random.next();
    const { teller } = this.crowd;
    if (mood < 0.12) {
      const answer = await this.change(ask.extend(hold.id, this.freshKey()));
      return this.#changed(hold, answer);
    }
    if (mood < 0.27) return this.#changeHold(hold);
    if (mood < 0.37) return this.#checkHold(hold);
    this.forget(hold.id);
    if (mood < 0.5) {
      await teller.ask(this, ask.release(hold.id));
      if (mood < 0.4) await teller.ask(this, ask.release(hold.id));
      return;
    }
    if (mood > 0.58) return this.bookings.book(hold);
    // Some come back too late, to find that it has expired.
    this.#left.push(hold);
  }

  /** Adds something, drops something, or both. */
  async #changeHold(hold: HoldShape): Promise<void> {
    const { random } = this;
    const stage = this.stageOf(hold.eventId);
    const mood = random.next();
    const add =
      stage.areas.length > 0 && random.next() < 0.5
        ? [somePlaces(stage, random, 2)]
        : someSeats(stage, random, 2);
    const remove = [random.pick(hold.items).id];
    const body =
      mood < 0.35 ? { remove } : mood < 0.7 && add.length > 0 ? { add } : { add, remove };
    const question = { ...ask.changeHold(hold.id, body), key: this.freshKey() };
    await this.#changed(hold, await this.change(question));
  }

  #changed(hold: HoldShape, answer: Answer | null): void {
    if (answer?.status === 200) {
      const changed = answer.body as HoldShape;
      this.crowd.ledger.noteWinner(hold.eventId, changed.seq, this.name);
      this.#take(changed, null);
    } else if (answer !== null && /^hold_(?:ex|re|bo)|^event_c/.test(answer.code)) {
      this.forget(hold.id);
    }
  }

  /** A hold lives to its time, and not much longer. */
  async #checkHold(hold: HoldShape): Promise<void> {
    const stage = this.stageOf(hold.eventId);
    const askedMs = Date.now();
    const wasCancelled = stage.isCancelled;
    const answer = await this.crowd.teller.ask(this, ask.getHold(hold.id));
    if (answer === null || answer.status === 503) return;
    const endMs = endOf(hold);
    const isThere = answer.status === 200;
    if (!isThere) this.forget(hold.id);
    // Of a hold whose payment was tried the end is another now.
    const isLate = isThere && askedMs > endOf(answer.body as HoldShape) + END_MS_MAX;
    const isEarly = !isThere && Date.now() < endMs - TICK_MS && !stage.isCancelled;
    // Whoever cancels a booking that waits for its money gives back its hold.
    const isGivenBack = hold.source === "waitlist" && this.#linesLeft.has(hold.eventId);
    const isBookings = (): boolean =>
      [...this.crowd.ledger.bookings.values()].some(({ told }) => told.holdId === hold.id);
    this.crowd.teller.faults.check(
      !isLate && !(isEarly && !wasCancelled && !isGivenBack && !isBookings()),
      () => `hold ${hold.id} until ${hold.expiresAt} was ${answer.code || "there"} at ${askedMs}`,
    );
  }

  async #wait(): Promise<void> {
    const { random } = this;
    const { teller, ledger } = this.crowd;
    const stage = random.pick(this.crowd.stages);
    const { eventId } = stage;
    const mood = random.next();
    if (mood < 0.2) return void (await teller.ask(this, ask.waiting(eventId)));
    if (mood < 0.35) {
      this.waits.delete(stage);
      this.#linesLeft.add(eventId);
      return void (await teller.ask(this, ask.leave(eventId)));
    }
    const body = {
      quantity: 1 + random.below(3),
      ...(random.next() < 0.5 ? { categories: [random.pick(stage.categories)] } : {}),
      ...(random.next() < 0.2 ? { priority: random.below(5) } : {}),
    };
    const answer = await this.change(ask.join(eventId, body, this.freshKey()));
    if (answer?.status !== 201) return;
    const waiting = answer.body as WaitingShape;
    ledger.noteWinner(eventId, waiting.seq, this.name);
    this.waits.add(stage);
    const { offer } = waiting;
    if (offer !== undefined) this.#take(offer, null);
  }

  async #repeat(): Promise<void> {
    const { ledger, teller } = this.crowd;
    const mine = this.#someOfMine();
    if (mine === undefined) return;
    ledger.checkRepeated(mine, await teller.ask(this, mine.question, answersAgain(mine)));
  }

  /** The key of one question with another. */
  async #reuseKey(): Promise<void> {
    const mine = this.#someOfMine();
    if (mine === undefined || mine.question.kind !== "hold") return;
    const body = { items: [{ bestAvailable: { quantity: 1, adjacent: false } }], channel: "other" };
    const question = { ...mine.question, body };
    await this.crowd.teller.ask(this, question, ["422 idempotency_key_reused"]);
  }

  #someOfMine() {
    const { kept } = this.crowd.ledger;
    // The latest of everyone's are many; some of them are this customer's.
    for (let n = 0; n < 50; n += 1) {
      const found = kept[this.random.below(kept.length)];
      if (found?.caller === this) return found;
    }
    return undefined;
  }

  async #look(): Promise<void> {
    const { random } = this;
    const { eventId } = random.pick(this.crowd.stages);
    const known = this.bookings.any();
    const questions = [
      ask.availability(eventId),
      ask.showEvent(eventId),
      ask.seatList(eventId),
      ask.bookings(null),
      ...(known === null ? [] : [ask.booking(known.id), ask.history(known.id)]),
    ];
    const question = random.pick(questions);
    const answer = await this.crowd.teller.ask(this, question);
    if (answer?.status === 200 && question.kind === "booking.get") {
      this.crowd.ledger.noteBooking(answer.body as BookingShape);
    }
  }

  stageOf(eventId: string): Stage {
    const stage = this.crowd.stages.find((each) => each.eventId === eventId);
    if (stage === undefined) throw new Error(`nobody sells ${eventId}`);
    return stage;
  }
}

const endOf = ({ expiresAt }: HoldShape): number => Date.parse(expiresAt);

/** Something was accepted for the first time; who waits already with this wish is just told. */
function isOutcome({ kind }: ask.Question, answer: Answer | null): boolean {
  if (answer === null || answer.status >= 300 || answer.replayed) return false;
  return kind !== "waitlist.join" || answer.status === 201;
}
