import {
  ACTOR_IDLE_MS,
  ACTORS_PER_WORKER_MAX,
  OFFERS_PER_TURN_MAX,
  UNPROJECTED_FACTS_PER_SHARD_MAX,
} from "../../engine/limits.ts";

/** Bounds of one shard worker. A simulation lowers them, so that they are met within minutes. */
export interface ShardLimits {
  /** Facts of one shard that PostgreSQL may lack; past it the shard answers `busy`. */
  readonly unprojectedFactsMax: number;
  /** Actors that the worker keeps. */
  readonly actorsMax: number;
  /** An actor that nobody used for longer is let go. */
  readonly actorIdleMs: number;
  /** Offers to one line before others are served. */
  readonly offersPerTurnMax: number;
}

export const SHARD_LIMITS: ShardLimits = {
  unprojectedFactsMax: UNPROJECTED_FACTS_PER_SHARD_MAX,
  actorsMax: ACTORS_PER_WORKER_MAX,
  actorIdleMs: ACTOR_IDLE_MS,
  offersPerTurnMax: OFFERS_PER_TURN_MAX,
};
