import type { Fact } from "../../engine/facts.ts";
import type { EventId } from "../../engine/ids.ts";
import type { Snapshot } from "../../engine/snapshot.ts";
import type { OwnedShard } from "./shard-table.ts";

/** Differences that an audit names. */
export const DRIFT_SHOWN_MAX = 100;

/** What a shard asks the store: the states that its actors begin with, and outcomes long gone. */
export interface ActorLoader {
  /**
   * An event's state at the last seq that is projected. Nobody has configured it: seq 0. Throws if
   * the rows are older than its owner knows its shard's to be, or the shard is another's by now;
   * default of `known`: nobody knows.
   */
  load(eventId: EventId, known?: OwnedShard): Promise<Snapshot>;
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

/** `stored`: the shard's row, of the same snapshot as the event's; undefined: there is none. */
export function checkStored(stored: OwnedShard | undefined, known: OwnedShard): void {
  const { shard, epoch, appliedLsn } = known;
  const isOurs = stored !== undefined && stored.epoch === epoch;
  if (isOurs && stored.appliedLsn >= appliedLsn) return;
  const told = stored === undefined ? "is not there" : `is ${nameOf(stored)}`;
  throw new Error(`shard ${shard} ${told} in the database, it was ${nameOf(known)}`);
}

const nameOf = ({ epoch, appliedLsn }: OwnedShard): string => `at ${appliedLsn} of epoch ${epoch}`;
