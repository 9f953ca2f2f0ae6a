/** What the engine's tests share: an event, ids, and a way to run commands. */
import { apply } from "../apply.ts";
import { aftermath, isCancelled, nextExpiry, nextOffer } from "../by-itself.ts";
import { NO_CHARGES } from "../charges.ts";
import type { Book } from "../commands/book.ts";
import type { Hold } from "../commands/hold.ts";
import type { Pay } from "../commands/pay.ts";
import type { JoinWaitlist } from "../commands/waitlist.ts";
import type { Command } from "../commands.ts";
import { decide } from "../decide.ts";
import type { InventoryDefinition } from "../definition.ts";
import { EventState } from "../event-state.ts";
import type { CommandKey, Fact } from "../facts.ts";
import {
  type BookingId,
  type EventId,
  type EventTag,
  type HoldId,
  IdMinter,
  type UserId,
} from "../ids.ts";
import type { Place } from "../place.ts";
import type { Decision } from "../replies.ts";
import { CommandDrafts } from "./command-drafts.ts";

export const EVENT_ID = "018f3c9a-7b10-7000-8000-0007a4b1c2d3" as EventId;
export const TAG = "07a4b1c2d3" as EventTag;
export const ALICE = "018f3c9a-7b10-7000-8000-00000000a11c" as UserId;
export const BOB = "018f3c9a-7b10-7000-8000-000000000b0b" as UserId;
export const CAROL = "018f3c9a-7b10-7000-8000-0000000ca401" as UserId;
export const NOON = 1_800_000_000_000;

/** Ten seats of two categories and one area of five. */
export function definition(changes: Partial<InventoryDefinition> = {}): InventoryDefinition {
  return {
    eventId: EVENT_ID,
    status: "published",
    currency: "EUR",
    salesOpenMs: null,
    salesCloseMs: null,
    holdTtlMs: 600_000,
    perOrderMax: 4,
    perUserMax: 6,
    categories: [
      { key: "stalls", priceMinor: 4500 },
      { key: "standing", priceMinor: 3000 },
    ],
    seatCategories: Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 1, 1]),
    areas: [{ key: "floor", category: 1, capacity: 5 }],
    charges: NO_CHARGES,
    promoCodes: [],
    churn: null,
    cancelUntilMs: null,
    paymentWindowMs: 900_000,
    seatMap: new Uint8Array(),
    ...changes,
  };
}

/** One event's state with a clock and fresh ids. */
export class EventBench {
  state = new EventState();
  nowMs = NOON;
  readonly facts: Fact[] = [];
  readonly drafts = new CommandDrafts({
    tag: TAG,
    minter: new IdMinter(7),
    nowMs: () => this.nowMs,
  });
  /** What is left to be done of the event's cancellation. */
  #aftermath: { readonly of: EventState; readonly facts: Generator<Fact> } | null = null;

  constructor(changes: Partial<InventoryDefinition> | null = {}) {
    if (changes !== null) this.run({ kind: "configure", definition: definition(changes) });
  }

  run(command: Command): Decision {
    this.expire();
    const decision = decide(this.state, command, this.nowMs);
    for (const fact of decision.facts) this.#apply(fact);
    this.offer();
    return decision;
  }

  /** Offers what is free to those who wait. */
  offer(): void {
    for (;;) {
      const fact = nextOffer(this.state, this.nowMs);
      if (fact === null) return;
      this.#apply(fact);
    }
  }

  /**
   * What follows from the event's cancellation, as much of it as is wanted; as in a shard, it goes
   * on where it was left, whatever has happened since.
   */
  windUp(factsMax = Number.POSITIVE_INFINITY): void {
    this.expire();
    if (!isCancelled(this.state)) return;
    if (this.#aftermath?.of !== this.state) this.#aftermath = this.#aftermathOf(this.state);
    const { facts } = this.#aftermath;
    for (let count = 0; count < factsMax; count += 1) {
      const { done, value } = facts.next();
      if (done === true) {
        this.#aftermath = null;
        return;
      }
      this.#apply(value);
    }
  }

  expire(): void {
    for (;;) {
      const fact = nextExpiry(this.state, this.nowMs);
      if (fact === null) break;
      this.#apply(fact);
    }
    this.offer();
  }

  hold(places: readonly Place[], userId = ALICE, key: CommandKey | null = null): Decision {
    return this.run(this.holdCommand(places, userId, key));
  }

  holdCommand(places: readonly Place[], userId = ALICE, key: CommandKey | null = null): Hold {
    return this.drafts.hold(places, userId, key);
  }

  bookCommand(holdId: HoldId, userId = ALICE, key: CommandKey | null = null): Book {
    return this.drafts.book(holdId, userId, key);
  }

  payCommand(holdId: HoldId, userId = ALICE, key: CommandKey | null = null): Pay {
    return this.drafts.pay(holdId, userId, key);
  }

  joinCommand(quantity: number, userId = ALICE, key: CommandKey | null = null): JoinWaitlist {
    return this.drafts.join(quantity, userId, key);
  }

  /** Holds the places and returns the hold's id; throws when it is refused. */
  held(places: readonly Place[], userId = ALICE): HoldId {
    const { reply } = this.hold(places, userId);
    if (reply.kind === "done" && reply.fact.kind === "held") return reply.fact.holdId;
    throw new Error(`not held: ${JSON.stringify(reply)}`);
  }

  /** Books a hold and returns the booking's id; throws when it is refused. */
  booked(holdId: HoldId, userId = ALICE): BookingId {
    const { reply } = this.run(this.bookCommand(holdId, userId));
    if (reply.kind === "done" && reply.fact.kind === "booked") return reply.fact.booking.bookingId;
    throw new Error(`not booked: ${JSON.stringify(reply)}`);
  }

  /** Throws when nobody has configured it. */
  get definition(): InventoryDefinition {
    const { definition } = this.state;
    if (definition === null) throw new Error("not configured");
    return definition;
  }

  statuses(): string {
    return String.fromCharCode(...(this.state.inventory?.statuses ?? []));
  }

  #aftermathOf(state: EventState) {
    return { of: state, facts: aftermath(state, () => this.nowMs) };
  }

  #apply(fact: Fact): void {
    apply(this.state, fact);
    if (fact.kind === "configured") this.#aftermath = null;
    this.facts.push(fact);
  }
}
