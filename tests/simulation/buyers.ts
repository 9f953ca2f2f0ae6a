/**
 * The people outside: buyers, organisers and staff who ask, ask again, give up and contradict
 * themselves. What they ask for is what tests/model asks the engine for, of events that they know
 * as far as anybody was told.
 */
import type { InventoryDefinition } from "../../engine/definition.ts";
import {
  type EventId,
  eventTagOf,
  IdMinter,
  type IntentId,
  type UserId,
} from "../../engine/ids.ts";
import { CommandDrafts } from "../../engine/testing/command-drafts.ts";
import type { Random } from "../../engine/testing/random.ts";
import type { Answered } from "../../gateway/shard-router.ts";
import type { Operation } from "../../workers/shard-messages.ts";
import { type Asked, anew, anyOperation, Known, type Scene } from "../model/any-operation.ts";
import type { EventModel } from "../model/event-model.ts";
import { rulesOf } from "./event-rules.ts";
import { Violation } from "./oracle.ts";
import type { Plan } from "./plan.ts";
import type { Scheduler } from "./scheduler.ts";

/** How often each kind of operation is asked for. */
const OFTEN: Readonly<Record<Asked, number>> = {
  hold: 28,
  changeHold: 5,
  extend: 5,
  release: 4,
  book: 14,
  pay: 8,
  settlePayment: 1,
  settleRefund: 1,
  cancel: 6,
  moveTicket: 4,
  transfer: 2,
  forgetBuyer: 1,
  checkIn: 3,
  changePlaces: 3,
  joinWaitlist: 5,
  leaveWaitlist: 1,
  configure: 1,
  again: 6,
  getHold: 2,
  getWaiting: 1,
  getWaitlist: 1,
  watch: 2,
  unwatch: 1,
  inspect: 1,
  audit: 1,
};
/** An organiser who has cancelled an event thinks better of it, one time in so many. */
const REVIVALS = 12;
/** One request in so many cancels an event. */
const CANCELLATIONS = 150;
const OF_HOLDS = new Set<Asked>(["changeHold", "extend", "release", "book", "pay", "getHold"]);
const OF_BOOKINGS = new Set<Asked>(["cancel", "moveTicket", "transfer", "forgetBuyer", "checkIn"]);

/** What a buyer hears: an answer, or that none came. */
export type Heard = Answered | { readonly kind: "lost" };

export interface BuyersWorld {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly plan: Plan;
  readonly eventIds: readonly EventId[];
  /** An event as far as anybody was told. */
  readonly modelOf: (eventId: EventId) => EventModel;
  /** Unix ms, as the gateway's clock shows it. */
  readonly wallMs: () => number;
  /** Sends one request; the gateway makes an operation of it whenever it arrives. */
  readonly ask: (request: BuyerRequest) => void;
  /** A gateway asks a provider for a payment. */
  readonly paymentAsked: (eventId: EventId, intentId: IntentId) => void;
  /** A buyer was told to pay. */
  readonly paymentBegun: (eventId: EventId, intentId: IntentId) => void;
  /** A buyer was told what cannot be. */
  readonly failed: (violation: Violation) => void;
}

export interface BuyerRequest {
  readonly eventId: EventId;
  readonly make: () => Operation;
  /** Called for every answer that arrives. */
  readonly heard: (answer: Heard, operation: Operation | null) => void;
}

/** A request, made anew for every try: ids are fresh each time, the key stays. */
interface Intent {
  readonly event: AskedEvent;
  readonly operation: Operation;
}

/** What the people outside know of an event. */
interface AskedEvent {
  readonly eventId: EventId;
  readonly drafts: CommandDrafts;
  readonly known: Known;
  readonly rules: InventoryDefinition;
}

const PATIENCE_MS = 20_000;
const RETRY_MS_MAX = 1_500;
const WITHDRAWAL = 0.02;
/** Without faults, an answer is there within this. */
const CALM_ANSWER_MS_MAX = 1_000;

export class Buyers {
  readonly #world: BuyersWorld;
  readonly #users: readonly UserId[];
  readonly #events: readonly AskedEvent[];
  readonly #kinds: readonly Asked[];
  #begun = 0;
  #open = 0;
  #operationsMax: number;
  /** There are no faults any more: whoever asks is served, and at once. */
  #isCalm = false;

  constructor(world: BuyersWorld) {
    const { plan, eventIds, random, wallMs: nowMs } = world;
    this.#world = world;
    this.#operationsMax = plan.operations;
    this.#users = Array.from({ length: plan.buyers }, (_, index) => userIdOf(index));
    this.#kinds = kindsFor(plan);
    const minter = new IdMinter(1);
    this.#events = eventIds.map((eventId) => ({
      eventId,
      drafts: new CommandDrafts({ tag: eventTagOf(eventId), minter, nowMs }),
      known: new Known(),
      rules: rulesOf(eventId, plan, random),
    }));
    for (const event of this.#events) {
      this.#pursue({ event, operation: { kind: "configure", definition: event.rules } });
    }
    for (let buyer = 0; buyer < plan.buyers; buyer += 1) this.#think();
  }

  /** Operations that were begun. */
  get begun(): number {
    return this.#begun;
  }

  /** Nobody waits for anything, and nobody will begin anything. */
  get isDone(): boolean {
    return this.#begun >= this.#operationsMax && this.#open === 0;
  }

  /** So many operations more, now that nothing is in their way. To be called once all are done. */
  goOn(operations: number): void {
    this.#isCalm = true;
    this.#operationsMax = this.#begun + operations;
    for (let buyer = 0; buyer < this.#users.length; buyer += 1) this.#think();
  }

  /** Every event is cancelled. */
  cancelEvents(): void {
    for (const event of this.#events) this.#pursue({ event, operation: cancellationOf(event) });
  }

  /** Somebody who is no buyer tells the node something, until it has understood. */
  insist(eventId: EventId, operation: Operation): void {
    const event = this.#events.find((each) => each.eventId === eventId);
    if (event !== undefined) this.#pursue({ event, operation });
  }

  /** One of the buyers, for as long as there is something to ask. */
  #think(): void {
    const { random, plan, scheduler } = this.#world;
    const ms = -plan.thinkMs * Math.log(1 - random.next());
    scheduler.after(ms, () => {
      if (this.#begun >= this.#operationsMax) return;
      this.#begun += 1;
      this.#pursue(this.#intent(), () => this.#think());
    });
  }

  /** Asks until there is an answer that settles it; or a buyer, who goes on then, has enough. */
  #pursue({ event, operation: first }: Intent, then: (() => void) | null = null): void {
    const { scheduler, random, ask } = this.#world;
    let isOver = false;
    this.#open += 1;
    const finish = (): void => {
      if (isOver) return;
      isOver = true;
      this.#open -= 1;
      then?.();
    };
    const attempt = (): void => {
      if (isOver) return;
      let isHeard = false;
      const askedMs = scheduler.nowMs;
      const heard: BuyerRequest["heard"] = (answer, operation) => {
        // The connection is gone by then: nobody listens any more.
        if (isHeard || isOver) return;
        isHeard = true;
        if (then !== null) this.#expectService(answer, operation, scheduler.nowMs - askedMs);
        if (operation === null || isUnsettled(answer)) return again();
        this.#learn(event, operation, answer);
        finish();
      };
      ask({ eventId: event.eventId, make: () => this.#made(event, first), heard });
      scheduler.after(PATIENCE_MS, () => heard({ kind: "lost" }, null));
    };
    const again = (): void => {
      if (then !== null && random.next() < WITHDRAWAL) return finish();
      scheduler.after(RETRY_MS_MAX * random.next(), attempt);
    };
    attempt();
  }

  #expectService(answer: Heard, operation: Operation | null, ms: number): void {
    const { failed, plan } = this.#world;
    // An audit waits for another one, and for the rows.
    if (!this.#isCalm || plan.isNarrow || operation?.kind === "audit") return;
    const what = `${operation?.kind ?? "a request"} without faults`;
    if (isUnsettled(answer)) failed(new Violation(`${what}: ${JSON.stringify(answer)}`));
    if (ms > CALM_ANSWER_MS_MAX) failed(new Violation(`${what}: answered after ${ms} ms`));
  }

  #made({ eventId, drafts }: AskedEvent, first: Operation): Operation {
    const operation = anew(first, drafts);
    if (operation.kind === "pay") this.#world.paymentAsked(eventId, operation.intentId);
    return operation;
  }

  #learn({ eventId, known }: AskedEvent, operation: Operation, answer: Heard): void {
    const { failed, paymentBegun } = this.#world;
    if (answer.kind === "failed") failed(new Violation(`${operation.kind} failed`));
    if (answer.kind !== "done") return;
    known.remember(operation, answer);
    const { fact, replayed } = answer;
    if (fact.kind === "paymentStarted") {
      const { payment } = fact.booking.later ?? {};
      if (payment != null) paymentBegun(eventId, payment.intentId);
    }
    if (replayed) return;
    if (operation.kind === "hold" && fact.kind === "held" && fact.holdId !== operation.holdId) {
      failed(new Violation("another's hold"));
    }
    const isBooking = operation.kind === "book" || operation.kind === "pay";
    if (!isBooking || !("booking" in fact)) return;
    if (fact.booking.bookingId !== operation.bookingId) failed(new Violation("another's booking"));
  }

  #intent(): Intent {
    const { random, plan, modelOf } = this.#world;
    // In the end one event alone: what the others still have to do, nobody reminds them of.
    const isAlone = this.#isCalm && plan.endsInStorm;
    const event = random.pick(isAlone ? this.#events.slice(0, 1) : this.#events);
    const isCancelled = modelOf(event.eventId).definition?.status === "cancelled";
    if (isCancelled && random.below(REVIVALS) === 0) {
      return { event, operation: { kind: "configure", definition: event.rules } };
    }
    if (random.below(CANCELLATIONS) === 0) return { event, operation: cancellationOf(event) };
    const isPlain = this.#isCalm && random.below(2) === 0;
    const kind = isPlain ? "hold" : this.#sensible(random.pick(this.#kinds), event);
    const operation = anyOperation(random, this.#scene(event), event.known, [kind]);
    return { event, operation: this.#tamed(operation) };
  }

  /** Mostly not of a hold, or of a booking, while there is none. */
  #sensible(kind: Asked, { eventId, known }: AskedEvent): Asked {
    const { random, modelOf } = this.#world;
    const isVain =
      (OF_HOLDS.has(kind) && modelOf(eventId).counts().held === 0) ||
      (OF_BOOKINGS.has(kind) && known.bookings.length === 0);
    return isVain && random.below(4) > 0 ? "hold" : kind;
  }

  #scene({ eventId, drafts, rules }: AskedEvent): Scene {
    const { modelOf, wallMs } = this.#world;
    return { model: modelOf(eventId), nowMs: wallMs(), drafts, users: this.#users, rules };
  }

  /** Most sales are open. */
  #tamed(operation: Operation): Operation {
    if (operation.kind !== "configure" || this.#world.random.below(2) === 0) return operation;
    const definition = { ...operation.definition, salesOpenMs: null, salesCloseMs: null };
    return { kind: "configure", definition };
  }
}

function cancellationOf({ rules }: AskedEvent): Operation {
  return { kind: "configure", definition: { ...rules, status: "cancelled" } };
}

function userIdOf(index: number): UserId {
  const tail = (index + 1).toString(16).padStart(12, "0");
  return `018f3c9a-7b10-7000-8000-${tail}` as UserId;
}

/** Where there is no room for all, who stays long keeps others out: they would never come in. */
function kindsFor(plan: Plan): Asked[] {
  const isCrowded = plan.limits.actorsMax < plan.events;
  return (Object.keys(OFTEN) as Asked[])
    .filter((kind) => !isCrowded || (kind !== "watch" && kind !== "pay"))
    .flatMap((kind) => new Array<Asked>(OFTEN[kind]).fill(kind));
}

/** Only these are tried again: everything else is an answer. */
function isUnsettled(answer: Heard): boolean {
  if (answer.kind === "lost" || answer.kind === "timeout") return true;
  return answer.kind === "refused" && answer.refusal.code === "busy";
}
