import type { InventoryDefinition } from "../../engine/definition.ts";
import type { Fact } from "../../engine/facts.ts";
import type { ActiveHold } from "../../engine/hold-book.ts";
import type { BookingId, EventId, HoldId, UserId } from "../../engine/ids.ts";
import type { AreaCounts } from "../../engine/inventory.ts";
import type { Refusal } from "../../engine/replies.ts";
import type { Snapshot } from "../../engine/snapshot.ts";
import type { Answer, Operation } from "../../workers/shard-messages.ts";

/** What is known of the instant at which an operation was decided. */
export interface Circumstances {
  /** The shard's logical time at the decision lay in [fromMs, toMs], both inclusive, Unix ms. */
  readonly fromMs: number;
  readonly toMs: number;
  /**
   * True when the actor may have been built again from the database since: what is lawfully lost
   * by that may be missing (see `reloaded`). Default: false.
   */
  readonly forgetful?: boolean;
}

/** One answer that would be true. */
export type Expected =
  /** The operation has to be accepted: its fact is missing. */
  | { readonly kind: "accepted" }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "unchanged" }
  /** The outcome of the first request with this key. */
  | { readonly kind: "replay"; readonly fact: Fact }
  /** The booking is cancelled already; this is the fact that did it. */
  | { readonly kind: "repeat"; readonly fact: Fact }
  | { readonly kind: "hold"; readonly hold: ActiveHold }
  | { readonly kind: "view" }
  /** What only the report itself tells: `inspect`, `audit`. */
  | { readonly kind: "report" };

export interface ModelCounts {
  readonly capacity: number;
  readonly free: number;
  readonly held: number;
  readonly sold: number;
}

/** The rules of one event's sale, once more: it shares no code with the engine. */
export class EventModel {
  readonly eventId: EventId;

  constructor(eventId: EventId) {
    this.eventId = eventId;
  }

  /** seq of the last fact taken in; 0: none yet. */
  get seq(): number {
    return 0;
  }

  /** Time of the last fact taken in, Unix ms; 0: none yet. */
  get lastMs(): number {
    return 0;
  }

  get definition(): InventoryDefinition | null {
    return null;
  }

  /**
   * Takes the next fact in. Returns a sentence for each rule that it breaks in this state; []: it
   * is legal. It is taken in as far as it makes sense even if it breaks rules.
   */
  take(_fact: Fact): string[] {
    return [];
  }

  /**
   * Says what is wrong with an answer; []: it is true in this state, which is the one after the
   * facts that the operation itself caused, and before any later one. `busy` is always true.
   */
  check(_operation: Operation, _answer: Answer, _when: Circumstances): string[] {
    return [];
  }

  /**
   * The answers (besides `busy`) that would be true of an operation that caused no fact but the
   * ends of holds that were due.
   */
  expected(_operation: Operation, _when: Circumstances): Expected[] {
    return [];
  }

  /**
   * Differences from an actor's state as plain data, as sentences. `forgetful`: the snapshot was
   * read from rows, or comes from an actor that was.
   */
  compare(_snapshot: Snapshot, _forgetful: boolean): string[] {
    return [];
  }

  /**
   * The actor was let go, and is built again from the rows that the facts so far amount to. Holds
   * that have ended unbooked until now may be forgotten from here on: their rows are not written
   * when a hold began and ended within one batch, and are purged a day later.
   */
  reloaded(): void {}

  counts(): ModelCounts {
    return { capacity: 0, free: 0, held: 0, sold: 0 };
  }

  /** One character a seat in index order: `f` free, `h` held, `s` sold. */
  statuses(): string {
    return "";
  }

  areas(): AreaCounts[] {
    return [];
  }

  /** The fact with this seq; undefined: not taken in yet. */
  factAt(_seq: number): Fact | undefined {
    return undefined;
  }

  /** The last fact that is the outcome of this key, however old. */
  outcomeOf(_digest: string): Fact | undefined {
    return undefined;
  }

  /** The active hold with this id. */
  hold(_holdId: HoldId): ActiveHold | undefined {
    return undefined;
  }

  /** Active holds, oldest first. */
  holds(): ActiveHold[] {
    return [];
  }

  /** Bookings that stand, oldest first. */
  bookings(): BookingId[] {
    return [];
  }

  /** Places that the buyer holds or owns. */
  placesOf(_userId: UserId): number {
    return 0;
  }

  /** When the hold that is due first ends, Unix ms; null: nothing is held. */
  nextDueMs(): number | null {
    return null;
  }

  /** An independent copy; facts are shared, nothing changes them. */
  clone(): EventModel {
    return new EventModel(this.eventId);
  }
}
