import { BATCH_SIZES, Histogram, type HistogramSnapshot, LATENCY_SECONDS } from "../histogram.ts";
import { type Counts, Tally } from "../tally.ts";
import type { ThreadVitals } from "../thread-vitals.ts";
import type { Shard } from "./shard.ts";

/** What a shard worker has done since its start, and what it has now. */
export interface ShardWorkerVitals {
  readonly worker: number;
  readonly thread: ThreadVitals;
  /** By the kind of command or question. */
  readonly commands: Counts;
  /** By the kind of fact. */
  readonly facts: Counts;
  /** Bookings that became confirmed, each once: at once, by money in time, or by late money. */
  readonly bookingsConfirmed: number;
  /** From a round's beginning until its answers left, for each round with facts. */
  readonly roundSeconds: HistogramSnapshot;
  readonly factsOfRounds: HistogramSnapshot;
  /** How long the oldest round waits for the journal. */
  readonly unsyncedMs: number;
  readonly shards: readonly ShardVitals[];
}

export interface ShardVitals {
  readonly shard: number;
  readonly actors: number;
  /** Requests that wait for an actor to be loaded. */
  readonly mailboxDepth: number;
  /** Active holds, and entries of waitlists, of the actors that are loaded. */
  readonly holds: number;
  readonly waiting: number;
  readonly lsn: number;
  readonly durableLsn: number;
  readonly projectedLsn: number;
}

/** Counts what a shard worker does, as plain numbers of its own thread. */
export class HostMeter {
  readonly #commands = new Tally();
  readonly #facts = new Tally();
  readonly #roundSeconds = new Histogram(LATENCY_SECONDS);
  readonly #factsOfRounds = new Histogram(BATCH_SIZES);
  #bookingsConfirmed = 0;

  asked(kind: string): void {
    this.#commands.add(kind);
  }

  wrote({ kind, change }: { readonly kind: string; readonly change?: string }): void {
    this.#facts.add(kind);
    if (kind === "booked" || change === "paid_late") this.#bookingsConfirmed += 1;
  }

  appended(facts: number): void {
    this.#factsOfRounds.observe(facts);
  }

  released(tookMs: number): void {
    this.#roundSeconds.observe(tookMs / 1_000);
  }

  vitals(shards: Iterable<Shard>): Omit<ShardWorkerVitals, "worker" | "thread" | "unsyncedMs"> {
    return {
      commands: this.#commands.counts(),
      facts: this.#facts.counts(),
      bookingsConfirmed: this.#bookingsConfirmed,
      roundSeconds: this.#roundSeconds.snapshot(),
      factsOfRounds: this.#factsOfRounds.snapshot(),
      shards: Array.from(shards, vitalsOf),
    };
  }
}

function vitalsOf(shard: Shard): ShardVitals {
  let [mailboxDepth, holds, waiting] = [0, 0, 0];
  for (const { mailboxDepth: parked, state } of shard.actors.values()) {
    mailboxDepth += parked;
    holds += state?.holds.count ?? 0;
    waiting += state?.waitlist.count ?? 0;
  }
  const { id, actors, lsn, durableLsn, projectedLsn } = shard;
  const actorCount = actors.size;
  return {
    shard: id,
    actors: actorCount,
    mailboxDepth,
    holds,
    waiting,
    lsn,
    durableLsn,
    projectedLsn,
  };
}
