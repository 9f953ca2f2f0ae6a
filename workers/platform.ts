import type { Clock } from "./clock.ts";
import type { Channel, Port } from "./port.ts";
import type { ProjectorThreadData } from "./projector/projector-messages.ts";
import type { ShardThreadData } from "./shard/shard-thread-messages.ts";
import type { ShardTable } from "./store/shard-table.ts";

/** What each kind of thread is started with; the platform knows the rest (addresses, paths). */
export type ThreadStart =
  | { readonly role: "journal" }
  | ({ readonly role: "projector" } & ProjectorThreadData)
  | ({ readonly role: "shards" } & ShardThreadData);

export interface ThreadHandle extends Pick<Port, "postMessage" | "on"> {
  terminate(): Promise<unknown>;
}

/**
 * What a supervisor stands on: threads, channels, time and PostgreSQL (thread-platform.ts), or a
 * simulation of them all.
 */
export interface Platform {
  readonly clock: Clock;
  readonly shardTable: ShardTable;
  channel(): Channel;
  /** `gone` is called when the thread failed or ended, terminated or not. */
  spawn(start: ThreadStart, ports: readonly Port[], gone: ThreadGone): ThreadHandle;
  die(reason: string, cause: unknown): never;
}

export type ThreadGone = (how: string, cause: unknown) => void;
