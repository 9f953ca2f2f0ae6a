import type { Fact } from "../../engine/facts.ts";
import type { EventId } from "../../engine/ids.ts";
import type { ShardReport } from "../shard-messages.ts";
import type { OwnedShard } from "../store/shard-table.ts";
import type { Actor } from "./actor.ts";
import { LatencyWindow } from "./latency-window.ts";
import { LogicalClock } from "./logical-clock.ts";
import { SHARD_LIMITS, type ShardLimits } from "./shard-limits.ts";

const ACTORS_REPORTED_MAX = 100;

export interface ShardOptions extends Partial<Pick<ShardLimits, "unprojectedFactsMax">> {
  /** The shard's time does not start before this, Unix ms. */
  readonly logicalMs: number;
}

interface WatermarkWait {
  readonly lsn: number;
  readonly resolve: () => void;
}

/**
 * A group of events with one sequence of facts.
 *
 * Invariant: projectedLsn <= durableLsn <= appendedLsn <= lsn, and each only grows.
 */
export class Shard {
  readonly id: number;
  readonly epoch: number;
  readonly clock: LogicalClock;
  readonly actors = new Map<EventId, Actor>();
  readonly latency = new LatencyWindow();
  lsn: number;
  /** Last lsn handed to the journal. */
  appendedLsn: number;
  durableLsn: number;
  projectedLsn: number;
  commandsTotal = 0;
  commandsPerSecond = 0;
  roundsTotal = 0;
  factsTotal = 0;
  readonly #unprojectedFactsMax: number;
  #commandsAtLastSecond = 0;
  /** Actors with outcomes that PostgreSQL may not have yet. */
  readonly #ahead = new Set<Actor>();
  #waits: WatermarkWait[] = [];

  constructor(start: OwnedShard, wallMs: () => number, options: ShardOptions) {
    this.id = start.shard;
    this.epoch = start.epoch;
    this.clock = new LogicalClock(wallMs, options.logicalMs);
    this.#unprojectedFactsMax = options.unprojectedFactsMax ?? SHARD_LIMITS.unprojectedFactsMax;
    this.lsn = start.appliedLsn;
    this.appendedLsn = start.appliedLsn;
    this.durableLsn = start.appliedLsn;
    this.projectedLsn = start.appliedLsn;
  }

  /** PostgreSQL is so far behind that nothing more is admitted. */
  get isBehind(): boolean {
    return this.lsn - this.projectedLsn >= this.#unprojectedFactsMax;
  }

  /** What its rows are known to contain. */
  get stored(): OwnedShard {
    return { shard: this.id, epoch: this.epoch, appliedLsn: this.projectedLsn };
  }

  /** Remembers the outcome of a keyed request until PostgreSQL has it. */
  rememberOutcome(actor: Actor, fact: Fact): void {
    actor.recentOutcomes.add(this.lsn, fact);
    this.#ahead.add(actor);
  }

  projected(lsn: number): void {
    this.projectedLsn = Math.max(this.projectedLsn, lsn);
    for (const actor of this.#ahead) {
      actor.recentOutcomes.projected(this.projectedLsn);
      if (actor.recentOutcomes.count === 0) this.#ahead.delete(actor);
    }
    const due = this.#waits.filter((wait) => wait.lsn <= this.projectedLsn);
    if (due.length === 0) return;
    this.#waits = this.#waits.filter((wait) => wait.lsn > this.projectedLsn);
    for (const wait of due) wait.resolve();
  }

  /** Resolves once PostgreSQL has everything up to `lsn`. */
  whenProjected(lsn: number): Promise<void> {
    if (lsn <= this.projectedLsn) return Promise.resolve();
    return new Promise((resolve) => this.#waits.push({ lsn, resolve }));
  }

  report(worker: number, eventLoopUtilisation: number): ShardReport {
    return {
      shard: this.id,
      worker,
      epoch: this.epoch,
      actors: [...this.actors.keys()].slice(0, ACTORS_REPORTED_MAX),
      actorCount: this.actors.size,
      mailboxDepth: [...this.actors.values()].reduce((sum, a) => sum + a.mailboxDepth, 0),
      commandsTotal: this.commandsTotal,
      commandsPerSecond: this.commandsPerSecond,
      factsPerRound: this.roundsTotal === 0 ? 0 : this.factsTotal / this.roundsTotal,
      lsn: this.lsn,
      durableLsn: this.durableLsn,
      projectedLsn: this.projectedLsn,
      logicalMs: this.clock.lastMs,
      latencyMsP50: this.latency.percentile(0.5),
      latencyMsP99: this.latency.percentile(0.99),
      eventLoopUtilisation,
    };
  }

  /** Called once a second. */
  measureRate(): void {
    this.commandsPerSecond = this.commandsTotal - this.#commandsAtLastSecond;
    this.#commandsAtLastSecond = this.commandsTotal;
  }
}
