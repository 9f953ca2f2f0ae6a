import type { Turns } from "../in-turns.ts";
import type { JournalAppender } from "../journal/journal-port.ts";
import type { ActorLoader } from "../store/actor-loader.ts";
import type { OwnedShard } from "../store/shard-table.ts";
import type { RoundOutput } from "./round.ts";
import type { ShardLimits } from "./shard-limits.ts";

/** What a shard host stands on. */
export interface ShardHostPorts {
  readonly journal: JournalAppender;
  readonly loader: ActorLoader;
  /** Sends what is durable to the gateway. */
  readonly release: (output: RoundOutput) => void;
  /** Unix ms. */
  readonly wallMs: () => number;
  /** By the clock that all threads share. */
  readonly monotonicMs: () => number;
  /** For what takes long: others are served in between. */
  readonly turns: Turns;
  /** Never returns when it is real: memory and journal disagree, or a bug broke an invariant. */
  readonly die: (reason: string, cause: unknown) => void;
  readonly warn: (message: string, cause: unknown, about?: WarningAbout) => void;
}

/** What a warning is about, for the log. */
export interface WarningAbout {
  readonly shard?: number;
  readonly eventId?: string;
}

/** Limits that are not given are SHARD_LIMITS. */
export interface ShardHostOptions extends Partial<ShardLimits> {
  readonly worker: number;
  readonly shards: readonly OwnedShard[];
  /** No shard's time starts before this, Unix ms. */
  readonly logicalMs: number;
}
