/**
 * An independent oracle of one event's sale: the rules once more, slow and plain, from the
 * documents, sharing no code with the engine that it judges. Feed it an event's facts in order, and
 * it says which of them break a rule; show it an operation and its answer, and it says whether that
 * was the truth at that point.
 *
 *   const model = new EventModel(eventId);
 *   …for each operation, in the order in which they were decided:
 *     const beforeSeq = model.seq;
 *     for (const fact of factsItCaused) complaints.push(...model.take(fact));
 *     complaints.push(...model.check(operation, answer, { fromMs, toMs, beforeSeq }));
 *   …whenever the actor is let go or its process dies, before the next operation: model.reloaded();
 *   …at the end: complaints.push(...model.compare(snapshot, { forgetful: true }));
 *
 * A fact that nobody asked for (the end of a hold that was due, an offer to who waits, what follows
 * from an event's cancellation) is taken in where it stands in the sequence; it needs no operation.
 */

import type { BookingRecord } from "../../engine/booking.ts";
import type { InventoryDefinition } from "../../engine/definition.ts";
import type { Fact } from "../../engine/facts.ts";
import type { ActiveHold } from "../../engine/hold-book.ts";
import type { BookingId, EventId, HoldId, UserId } from "../../engine/ids.ts";
import type { AreaCounts } from "../../engine/inventory.ts";
import type { Snapshot } from "../../engine/snapshot.ts";
import type { Waiting } from "../../engine/waitlist.ts";
import type { Answer, Operation } from "../../workers/shard-messages.ts";
import { untruthsOf } from "./answer-check.ts";
import { overdueIn } from "./availability.ts";
import { expectedOf } from "./expectations.ts";
import type { Circumstances, Expected } from "./expected.ts";
import { brokenRules, brokenTotals } from "./fact-rules.ts";
import { areasOf, type ModelBooking, ModelState, statusIn } from "./model-state.ts";
import { driftOf, type SnapshotSource } from "./snapshot-check.ts";

export interface ModelCounts {
  readonly capacity: number;
  readonly free: number;
  readonly held: number;
  readonly sold: number;
  readonly blocked: number;
}

export class EventModel {
  readonly eventId: EventId;
  readonly #state: ModelState;

  /** An event of which nothing is known, or one in the given state. */
  constructor(eventId: EventId, state = new ModelState()) {
    this.eventId = eventId;
    this.#state = state;
  }

  /** seq of the last fact taken in; 0: none yet. */
  get seq(): number {
    return this.#state.seq;
  }

  /** Time of the last fact taken in, Unix ms; 0: none yet. */
  get lastMs(): number {
    return this.#state.lastMs;
  }

  /** null: nobody has configured the event. */
  get definition(): InventoryDefinition | null {
    return this.#state.definition;
  }

  /** When the hold that is due first ends, Unix ms; null: nothing is held. */
  get nextDueMs(): number | null {
    return this.#state.due.firstMs;
  }

  /**
   * Takes the next fact in. Returns a sentence for each rule that it breaks in this state; []: it
   * is legal. It is taken in as far as it makes sense even if it breaks rules; what follows then
   * may be complained of for its sake alone.
   */
  take(fact: Fact): string[] {
    const broken = brokenRules(this.#state, this.eventId, fact);
    this.#state.take(fact);
    broken.push(...brokenTotals(this.#state));
    return broken;
  }

  /**
   * Says what is wrong with an answer; []: it is true in this state, which is the one after the
   * facts that the operation itself caused, and before any later one. `busy` is always true,
   * `failed` never.
   */
  check(operation: Operation, answer: Answer, when: Circumstances): string[] {
    return untruthsOf(this.#state, operation, answer, when);
  }

  /**
   * The answers (besides `busy`) that would be true of an operation that is decided in this state.
   * For those who see answers in another shape: a replay, a repeat, a refusal, a hold.
   */
  expected(operation: Operation, when: Circumstances): Expected[] {
    return expectedOf(this.#state, operation, when);
  }

  /** Differences from a snapshot of the same seq, as sentences; []: it tells what is. */
  compare(snapshot: Snapshot, source: SnapshotSource): string[] {
    return driftOf(this.#state, snapshot, source);
  }

  /**
   * The actor is built again from the rows that the facts so far amount to. What rows do not tell
   * may be forgotten from here on: how a hold ended before `purgedBeforeMs`, unless in a booking.
   */
  reloaded(purgedBeforeMs = Number.NEGATIVE_INFINITY): void {
    this.#state.reloadedSeq = this.#state.seq;
    this.#state.purgedBeforeMs = purgedBeforeMs;
  }

  counts(): ModelCounts {
    const { free, held, sold, blocked } = this.#state.placed;
    return { capacity: free + held + sold + blocked, free, held, sold, blocked };
  }

  /** One character a seat in index order: `f` free, `h` held, `s` sold, `b` blocked. */
  statuses(): string {
    return this.#state.seats.join("");
  }

  areas(): AreaCounts[] {
    return areasOf(this.#state);
  }

  /** The fact with this seq; undefined: not taken in yet. */
  factAt(seq: number): Fact | undefined {
    return this.#state.facts[seq - 1];
  }

  /** The last fact that was the outcome of this key, however old. */
  outcomeOf(digest: string): Fact | undefined {
    return this.#state.outcomes.get(digest);
  }

  /** The active hold with this id. */
  hold(holdId: HoldId): ActiveHold | undefined {
    return this.#state.holds.get(holdId);
  }

  /** Active holds, in no order that means anything. */
  holds(): ActiveHold[] {
    return [...this.#state.holds.values()];
  }

  /** The booking with this id, and the seq of the fact that made it. */
  booking(bookingId: BookingId): ModelBooking | undefined {
    return this.#state.bookings.get(bookingId);
  }

  /** Every code that a ticket of the booking has or had. */
  codesOf(bookingId: BookingId): string[] {
    return [...this.#state.ticketCodes].flatMap(([code, of]) => (of === bookingId ? [code] : []));
  }

  /** Every booking that is confirmed, in the order of booking. */
  bookings(): BookingRecord[] {
    return this.everyBooking().filter((record) => statusIn(record) === "confirmed");
  }

  /** Every booking that ever was, in the order of booking, as it is now. */
  everyBooking(): BookingRecord[] {
    return [...this.#state.bookings.values()].map(({ record }) => record);
  }

  /** Who waits, in the order in which they are served. */
  line(): readonly Waiting[] {
    return this.#state.line;
  }

  /** Those in the line who should have been offered what is free at this time; []: nobody. */
  overdue(nowMs: number): readonly Waiting[] {
    return overdueIn(this.#state, nowMs);
  }

  /** How often a promo code is in use, by one buyer or by all. */
  usesOf(code: string, userId: UserId | null = null): number {
    return this.#state.usesOf(code, userId);
  }

  /** Places of an area's allotment that are held or sold. */
  usedIn(area: number, channel: string): number {
    return this.#state.usedIn(area, channel);
  }

  /** Places that the buyer holds or owns. */
  placesOf(userId: UserId): number {
    return this.#state.placesByUser.get(userId) ?? 0;
  }

  /** An independent copy. Costs as much as the event has facts. */
  clone(): EventModel {
    return new EventModel(this.eventId, this.#state.clone());
  }
}
