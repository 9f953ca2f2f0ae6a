/**
 * A payment provider at its worst: what it says of a payment or of a refund it says late, twice, in
 * another order, or never; and it knows of intents that the engine has lost, or never made.
 */
import type { EventId, IntentId, RefundId } from "../../engine/ids.ts";
import { PAYMENT_WINDOW_MS_MIN } from "../../engine/limits.ts";
import type { Random } from "../../engine/testing/random.ts";
import type { Operation } from "../../workers/shard-messages.ts";
import type { Scheduler } from "./scheduler.ts";

export interface ProviderWorld {
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** Tells the node, again and again until it has understood: as the inbox of webhooks does. */
  readonly tell: (eventId: EventId, news: Operation) => void;
}

type Outcome = "succeeded" | "failed";

const SOON_MS = 3_000;
/** Past the time that a payment may take, most of it. */
const LATE_MS = 2.5 * PAYMENT_WINDOW_MS_MIN;
/** Of the payments that are asked for, of so many one is begun whatever the engine says. */
const BEGUN_UNHEARD = 8;

/** What is said of payments; each may be said twice. */
const NEWS: readonly (readonly (readonly [outcome: Outcome, withinMs: number])[])[] = [
  [["succeeded", SOON_MS]],
  [["succeeded", SOON_MS]],
  [["succeeded", SOON_MS]],
  [["succeeded", SOON_MS]],
  [["failed", SOON_MS]],
  [
    ["failed", SOON_MS],
    ["succeeded", SOON_MS],
  ],
  [
    ["failed", SOON_MS],
    ["succeeded", LATE_MS],
  ],
  [["succeeded", LATE_MS]],
  [["succeeded", LATE_MS]],
  [],
];

export class VirtualProvider {
  readonly #world: ProviderWorld;
  readonly #intents = new Set<IntentId>();
  readonly #refunds = new Set<RefundId>();
  #planned = 0;
  /** What is to be said once it speaks again; null: it speaks. */
  #unsaid: (() => void)[] | null = null;

  constructor(world: ProviderWorld) {
    this.#world = world;
  }

  /** It has nothing to say any more. */
  get isSilent(): boolean {
    return this.#planned === 0;
  }

  /** A gateway asks for a payment; whether the engine knows it, it will see. */
  asked(eventId: EventId, intentId: IntentId): void {
    if (this.#world.random.below(BEGUN_UNHEARD) === 0) this.begin(eventId, intentId);
  }

  /** The buyer is asked to pay. */
  begin(eventId: EventId, intentId: IntentId): void {
    if (this.#intents.has(intentId)) return;
    this.#intents.add(intentId);
    for (const [outcome, withinMs] of this.#world.random.pick(NEWS)) {
      this.#plan(eventId, { kind: "settlePayment", intentId, outcome }, withinMs);
    }
  }

  /** The database has a refund that is due. It may have it more than once. */
  refund(eventId: EventId, intentId: IntentId, refundId: RefundId): void {
    if (this.#refunds.has(refundId)) return;
    this.#refunds.add(refundId);
    const { random } = this.#world;
    const outcome = random.below(6) === 0 ? "failed" : "succeeded";
    this.#plan(eventId, { kind: "settleRefund", intentId, refundId, outcome }, SOON_MS);
    if (random.below(6) > 0) return;
    this.#plan(eventId, { kind: "settleRefund", intentId, refundId, outcome: "failed" }, LATE_MS);
  }

  /** It says nothing until it is to go on. */
  pause(): void {
    this.#unsaid ??= [];
  }

  goOn(): void {
    const unsaid = this.#unsaid ?? [];
    this.#unsaid = null;
    for (const say of unsaid) say();
  }

  #plan(eventId: EventId, news: Operation, withinMs: number): void {
    const { scheduler, random, tell } = this.#world;
    const times = random.below(3) === 0 ? 2 : 1;
    for (let time = 0; time < times; time += 1) {
      this.#planned += 1;
      const say = (): void => {
        if (this.#unsaid !== null) {
          this.#unsaid.push(say);
          return;
        }
        this.#planned -= 1;
        tell(eventId, news);
      };
      scheduler.after(withinMs * random.next(), say);
    }
  }
}
