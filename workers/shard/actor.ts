import type { EventState } from "../../engine/event-state.ts";
import type { Fact } from "../../engine/facts.ts";
import type { EventId } from "../../engine/ids.ts";
import { ACTOR_MAILBOX_MAX } from "../../engine/limits.ts";
import type { Answer, ShardRequest } from "../shard-messages.ts";
import { RecentOutcomes } from "./recent-outcomes.ts";

/**
 * The single writer of one event, with what surrounds its state in a running shard.
 *
 * Invariants:
 * - `state` is null exactly while the actor loads; requests wait in `mailbox` meanwhile, and while
 *   `offering` says that there is more to offer to the line: nobody overtakes it.
 * - `lastLsn` is the lsn of its last fact: while PostgreSQL lacks it, the actor may not be let go,
 *   because it could not be loaded again as it is.
 */
export class Actor {
  readonly eventId: EventId;
  state: EventState | null = null;
  lastLsn = 0;
  lastUsedMs: number;
  /** The gateway keeps a copy of the availability and is told every change. */
  watched = false;
  /** Audits in progress: each sees every fact from its start on. */
  readonly recordings = new Set<Fact[]>();
  /** What somebody is about to be told of it, as it was at that seq; null: nobody is. */
  inspection: { readonly seq: number; readonly answer: Promise<Answer> } | null = null;
  readonly recentOutcomes = new RecentOutcomes();
  /** When somebody who waits may be offered places though nothing has happened, Unix ms. */
  offersDueMs = 0;
  /** What is to be said once all that can be offered has been; null: it has been. */
  offering: (() => void)[] | null = null;
  /** What remains to be done of the event's cancellation; null: nothing. */
  aftermath: Generator<Fact> | null = null;
  #mailbox: ShardRequest[] = [];

  constructor(eventId: EventId, nowMs: number) {
    this.eventId = eventId;
    this.lastUsedMs = nowMs;
  }

  get mailboxDepth(): number {
    return this.#mailbox.length;
  }

  /**
   * Whether it may be let go, as nobody has used it since then (Unix ms). One with holds stays,
   * because their end is its business; so does one whose sale opens to those who wait, one that
   * makes offers, is being wound up, watched, audited, or ahead of the database.
   */
  isIdle(projectedLsn: number, sinceMs: number): boolean {
    return (
      this.state !== null &&
      this.state.holds.count === 0 &&
      (this.state.waitlist.count === 0 || this.offersDueMs === Number.POSITIVE_INFINITY) &&
      this.offering === null &&
      this.aftermath === null &&
      !this.watched &&
      this.recordings.size === 0 &&
      this.lastLsn <= projectedLsn &&
      this.lastUsedMs < sinceMs
    );
  }

  /** False: the mailbox is full. */
  park(request: ShardRequest): boolean {
    if (this.#mailbox.length >= ACTOR_MAILBOX_MAX) return false;
    this.#mailbox.push(request);
    return true;
  }

  takeParked(): ShardRequest[] {
    const parked = this.#mailbox;
    this.#mailbox = [];
    return parked;
  }
}
