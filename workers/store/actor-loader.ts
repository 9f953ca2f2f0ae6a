import type { Fact } from "../../engine/facts.ts";
import type { EventId } from "../../engine/ids.ts";
import type { Snapshot } from "../../engine/snapshot.ts";

/** Differences that an audit names. */
export const DRIFT_SHOWN_MAX = 100;

/** What a shard asks the store: the states that its actors begin with, and outcomes long gone. */
export interface ActorLoader {
  /** An event's state at the last seq that is projected. Nobody has configured it: seq 0. */
  load(eventId: EventId): Promise<Snapshot>;
  /** The fact with this seq, the outcome of a request with a key; null: it is not projected yet. */
  loadOutcome(eventId: EventId, seq: number): Promise<Fact | null>;
  /**
   * Events that do something without being asked, so their actors must be awake: somebody holds
   * places or waits for them, or the event was cancelled and has tickets that still stand.
   */
  eventsToWake(): Promise<EventId[]>;
  /**
   * What no state shows: bookings whose row says another total than its tickets' prices come to, a
   * sentence each, at most DRIFT_SHOWN_MAX.
   */
  wrongTotals(eventId: EventId): Promise<string[]>;
}
