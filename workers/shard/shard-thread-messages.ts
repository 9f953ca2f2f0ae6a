import type { Port } from "../port.ts";
import type { ShardReport } from "../shard-messages.ts";
import type { OwnedShard } from "../store/shard-table.ts";
import type { ShardWorkerVitals } from "./host-meter.ts";
import type { WarningAbout } from "./shard-host-ports.ts";
import type { ShardLimits } from "./shard-limits.ts";

/** What a shard thread is started with. */
export interface ShardThreadData extends ShardLimits {
  readonly worker: number;
  /** Those that it hosts. */
  readonly shards: readonly OwnedShard[];
  /** Of all workers together. */
  readonly shardCount: number;
  /** No shard's time starts before this, Unix ms. */
  readonly logicalMs: number;
  /** ShardRequest[] in, WorkerBatch out, both packed (batch-port.ts). */
  readonly gatewayPort: Port;
  /** AppendMessage out, JournalToShardMessage in. */
  readonly journalPort: Port;
  /** WatermarkMessage and OverfullMessage in. */
  readonly projectorPort: Port;
}

/** Supervisor → shard thread. */
export type ToShardThread =
  | { readonly kind: "wake" }
  | { readonly kind: "report"; readonly id: number }
  | { readonly kind: "vitals"; readonly id: number };

/** Shard thread → supervisor. */
export type FromShardThread =
  | { readonly kind: "ready" }
  /** Holds that were due while nobody was there have ended. */
  | { readonly kind: "woken" }
  | { readonly kind: "report"; readonly id: number; readonly reports: readonly ShardReport[] }
  | { readonly kind: "vitals"; readonly id: number; readonly vitals: ShardWorkerVitals }
  | {
      readonly kind: "warning";
      readonly worker: number;
      readonly message: string;
      readonly detail: string;
      readonly about: WarningAbout;
    };
