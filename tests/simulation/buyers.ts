/** The people outside: buyers who ask, ask again, give up and contradict themselves. */
import { NO_CHARGES } from "../../engine/charges.ts";
import type { InventoryDefinition } from "../../engine/definition.ts";
import type { CommandKey } from "../../engine/facts.ts";
import {
  type BookingId,
  type EventId,
  eventTagOf,
  type HoldId,
  IdMinter,
  type UserId,
} from "../../engine/ids.ts";
import { placeOfArea } from "../../engine/place.ts";
import type { Random } from "../../engine/testing/random.ts";
import type { Answered } from "../../gateway/shard-router.ts";
import type { Operation } from "../../workers/shard-messages.ts";
import { Violation } from "./oracle.ts";
import type { Plan } from "./plan.ts";
import type { Scheduler } from "./scheduler.ts";

/** What a buyer hears: an answer, or that none came. */
export type Heard = Answered | { readonly kind: "lost" };

export interface BuyersWorld {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly plan: Plan;
  readonly eventIds: readonly EventId[];
  /** Unix ms, as the gateway's clock shows it. */
  readonly wallMs: () => number;
  /** Sends one request; the gateway makes an operation of it whenever it arrives. */
  readonly ask: (request: BuyerRequest) => void;
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
  readonly eventId: EventId;
  readonly key: CommandKey | null;
  make(): Operation;
}

const PATIENCE_MS = 20_000;
const RETRY_MS_MAX = 1_500;
const WITHDRAWAL = 0.02;
/** Without faults, an answer is there within this. */
const CALM_ANSWER_MS_MAX = 1_000;

export class Buyers {
  readonly #world: BuyersWorld;
  readonly #minter = new IdMinter(1);
  readonly #buyers: Buyer[];
  #begun = 0;
  #keys = 0;
  #open = 0;
  #operationsMax: number;
  /** There are no faults any more: whoever asks is served, and at once. */
  #isCalm = false;

  constructor(world: BuyersWorld) {
    this.#world = world;
    this.#operationsMax = world.plan.operations;
    this.#buyers = Array.from({ length: world.plan.buyers }, (_, index) => new Buyer(index));
    for (const eventId of world.eventIds) this.#configure(eventId, {});
    for (const buyer of this.#buyers) this.#think(buyer);
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
    for (const buyer of this.#buyers) this.#think(buyer);
  }

  #think(buyer: Buyer): void {
    const { random, plan, scheduler } = this.#world;
    const ms = -plan.thinkMs * Math.log(1 - random.next());
    scheduler.after(ms, () => {
      if (this.#begun >= this.#operationsMax) return;
      this.#begun += 1;
      this.#pursue(buyer, this.#intentOf(buyer), () => this.#think(buyer));
    });
  }

  /** Asks until there is an answer that settles it, or the buyer has enough. */
  #pursue(buyer: Buyer | null, intent: Intent, then: () => void): void {
    const { scheduler, random, ask } = this.#world;
    let isOver = false;
    this.#open += 1;
    const finish = (): void => {
      if (isOver) return;
      isOver = true;
      this.#open -= 1;
      then();
    };
    const attempt = (): void => {
      if (isOver) return;
      let isHeard = false;
      const askedMs = scheduler.nowMs;
      const heard: BuyerRequest["heard"] = (answer, operation) => {
        // The connection is gone by then: nobody listens any more.
        if (isHeard || isOver) return;
        isHeard = true;
        this.#expectService(answer, operation, scheduler.nowMs - askedMs);
        if (operation === null || isUnsettled(answer)) return again();
        this.#learn(buyer, operation, answer);
        finish();
      };
      ask({ eventId: intent.eventId, make: () => intent.make(), heard });
      scheduler.after(PATIENCE_MS, () => heard({ kind: "lost" }, null));
    };
    const again = (): void => {
      if (buyer !== null && random.next() < WITHDRAWAL) return finish();
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

  #learn(buyer: Buyer | null, operation: Operation, answer: Heard): void {
    const { failed } = this.#world;
    if (answer.kind === "failed") failed(new Violation(`${operation.kind} failed`));
    if (answer.kind !== "done" || buyer === null) return;
    const { fact, replayed } = answer;
    if (operation.kind === "hold" && fact.kind === "held") {
      if (!replayed && fact.holdId !== operation.holdId) failed(new Violation("another's hold"));
      if (!buyer.holds.some(({ holdId }) => holdId === fact.holdId)) {
        buyer.holds.push({ holdId: fact.holdId, places: fact.items.length });
      }
    }
    if (operation.kind === "book" && fact.kind === "booked") {
      const { bookingId } = fact.booking;
      if (!replayed && bookingId !== operation.bookingId)
        failed(new Violation("another's booking"));
      if (!buyer.bookings.includes(bookingId)) buyer.bookings.push(bookingId);
    }
  }

  #intentOf(buyer: Buyer): Intent {
    const { random } = this.#world;
    // In the end one event alone: what the others still have to do, nobody reminds them of.
    const isAlone = this.#isCalm && this.#world.plan.endsInStorm;
    const eventIds = isAlone ? this.#world.eventIds.slice(0, 1) : this.#world.eventIds;
    if (this.#isCalm && random.below(2) === 0) return this.#hold(buyer, random.pick(eventIds));
    const dice = random.below(100);
    // Mostly one of the last: those before have ended.
    const holds = random.below(4) > 0 || this.#isCalm ? buyer.holds.slice(-2) : buyer.holds;
    const hold = holds.length === 0 ? null : random.pick(holds);
    const booking = buyer.bookings.length === 0 ? null : random.pick(buyer.bookings);
    if (dice < 4) return this.#question(random.pick(eventIds));
    if (dice < 5) return this.#newRules(random.pick(eventIds));
    if (dice < 12 && !this.#isCalm && buyer.intents.length > 0) return this.#oldIntent(buyer);
    const isAsked = hold !== null && eventIds.includes(this.#eventOf(hold.holdId));
    if (isAsked && dice < 60) return this.#onHold(buyer, hold);
    if (booking !== null && dice < 70 && !this.#isCalm) return this.#cancel(buyer, booking);
    return this.#hold(buyer, random.pick(eventIds));
  }

  #hold(buyer: Buyer, eventId: EventId): Intent {
    const { random, plan, wallMs } = this.#world;
    // Now and then a seat that there is not, or one that is named twice.
    const count = 1 + random.below(4);
    const places = Array.from({ length: count }, () => {
      const isArea = plan.areas > 0 && random.below(3) === 0;
      return isArea ? placeOfArea(random.below(plan.areas)) : random.below(plan.seats + 1);
    });
    const { userId } = buyer;
    return this.#keyed(buyer, eventId, (key) => ({
      kind: "hold",
      holdId: this.#minter.mintHold(wallMs(), eventTagOf(eventId), count),
      userId,
      places,
      best: [],
      promoCode: null,
      channel: null,
      key,
    }));
  }

  #onHold(buyer: Buyer, { holdId, places }: OwnHold): Intent {
    const { random, wallMs } = this.#world;
    const eventId = this.#eventOf(holdId);
    // Now and then somebody else's.
    const userId = random.below(30) === 0 ? random.pick(this.#buyers).userId : buyer.userId;
    const dice = random.below(10);
    if (dice < 1) return this.#plain(eventId, () => ({ kind: "getHold", holdId, userId }));
    if (dice < 3) return this.#plain(eventId, () => ({ kind: "release", holdId, userId }));
    if (dice < 5) {
      return this.#keyed(buyer, eventId, (key) => ({ kind: "extend", holdId, userId, key }));
    }
    return this.#keyed(buyer, eventId, (key) => {
      const bookingId = this.#minter.mintBooking(wallMs(), eventTagOf(eventId));
      return {
        kind: "book",
        holdId,
        userId,
        bookingId,
        code: bookingId.slice(0, 8),
        ticketCodes: Array.from({ length: places }, (_, n) => `${bookingId}/${n}`),
        email: random.below(3) === 0 ? null : `${bookingId.slice(-6)}@example.org`,
        invoiceAllowed: random.below(10) > 0,
        key,
      };
    });
  }

  #cancel(buyer: Buyer, bookingId: BookingId): Intent {
    const { userId } = buyer;
    const asOrganizer = this.#world.random.below(5) === 0;
    return this.#keyed(buyer, this.#eventOf(bookingId), (key) => {
      const reason = asOrganizer ? "the hall has burnt down" : null;
      return { kind: "cancel", bookingId, userId, asOrganizer, tickets: null, reason, key };
    });
  }

  /** The same again, as after a reload of the page; or another request under its key. */
  #oldIntent(buyer: Buyer): Intent {
    const { random } = this.#world;
    const intent = random.pick(buyer.intents);
    const { key } = intent;
    if (key === null || random.below(4) > 0) return intent;
    const other = { digest: key.digest, fingerprint: "another one" };
    return { ...intent, make: () => ({ ...intent.make(), key: other }) as Operation };
  }

  #question(eventId: EventId): Intent {
    const { random, plan } = this.#world;
    const kind = random.pick(["watch", "watch", "unwatch", "audit", "inspect"] as const);
    // Who is watched stays: where there is no room for all, nobody else would ever come in.
    const isCrowded = plan.limits.actorsMax < plan.events;
    return this.#plain(eventId, () => ({ kind: isCrowded && kind === "watch" ? "inspect" : kind }));
  }

  #newRules(eventId: EventId): Intent {
    const { random, plan, wallMs } = this.#world;
    const definition = this.#definition(eventId, {
      status: random.below(12) === 0 ? "cancelled" : "published",
      holdTtlMs: plan.holdTtlMs * (1 + random.below(2)),
      perOrderMax: 1 + random.below(6),
      perUserMax: 2 + random.below(10),
      salesOpenMs: random.below(6) === 0 ? wallMs() + random.below(20_000) : null,
      salesCloseMs: random.below(20) === 0 ? wallMs() + random.below(60_000) : null,
    });
    const asked = random.below(6) === 0 ? rebuilt(definition) : definition;
    return this.#plain(eventId, () => ({ kind: "configure", definition: asked }));
  }

  #configure(eventId: EventId, changes: Partial<InventoryDefinition>): void {
    const definition = this.#definition(eventId, changes);
    const intent = this.#plain(eventId, () => ({ kind: "configure", definition }));
    this.#pursue(null, intent, () => undefined);
  }

  #definition(eventId: EventId, changes: Partial<InventoryDefinition>): InventoryDefinition {
    const { plan, random } = this.#world;
    const priceMinor = random.below(3) * 500;
    return {
      eventId,
      status: "published",
      currency: "EUR",
      salesOpenMs: null,
      salesCloseMs: null,
      holdTtlMs: plan.holdTtlMs,
      perOrderMax: 4,
      perUserMax: 12,
      categories: [
        { key: "stalls", priceMinor },
        { key: "floor", priceMinor: 700 },
      ],
      seatCategories: Uint8Array.from({ length: plan.seats }, (_, seat) => (seat % 3) % 2),
      areas: Array.from({ length: plan.areas }, (_, index) => {
        return { key: `floor-${index}`, category: 1, capacity: 4 + 5 * index };
      }),
      charges: NO_CHARGES,
      promoCodes: [],
      churn: null,
      cancelUntilMs: null,
      paymentWindowMs: 900_000,
      seatMap: new Uint8Array(),
      ...changes,
    };
  }

  #plain(eventId: EventId, make: () => Operation): Intent {
    return { eventId, key: null, make };
  }

  #keyed(buyer: Buyer, eventId: EventId, make: (key: CommandKey | null) => Operation): Intent {
    const { random } = this.#world;
    this.#keys += 1;
    const digest = `key-${this.#keys}-of-${buyer.userId.slice(-4)}`;
    const key = random.below(4) === 0 ? null : { digest, fingerprint: `print-${this.#keys}` };
    const intent = { eventId, key, make: () => make(key) };
    if (key !== null) buyer.intents.push(intent);
    return intent;
  }

  #eventOf(id: HoldId | BookingId): EventId {
    const tag = eventTagOf(id);
    const eventId = this.#world.eventIds.find((each) => eventTagOf(each) === tag);
    if (eventId === undefined) throw new Error(`${id} is of no event`);
    return eventId;
  }
}

interface OwnHold {
  readonly holdId: HoldId;
  readonly places: number;
}

class Buyer {
  readonly userId: UserId;
  readonly holds: OwnHold[] = [];
  readonly bookings: BookingId[] = [];
  /** Asked with a key. */
  readonly intents: Intent[] = [];

  constructor(index: number) {
    const tail = (index + 1).toString(16).padStart(12, "0");
    this.userId = `018f3c9a-7b10-7000-8000-${tail}` as UserId;
  }
}

/** The same event in a hall that is not the same. */
function rebuilt(definition: InventoryDefinition): InventoryDefinition {
  const { areas, seatCategories } = definition;
  const [first, ...others] = areas;
  if (first === undefined) return { ...definition, seatCategories: seatCategories.slice(1) };
  return { ...definition, areas: [{ ...first, capacity: first.capacity + 1 }, ...others] };
}

/** Only these are tried again: everything else is an answer. */
function isUnsettled(answer: Heard): boolean {
  if (answer.kind === "lost" || answer.kind === "timeout") return true;
  return answer.kind === "refused" && answer.refusal.code === "busy";
}
