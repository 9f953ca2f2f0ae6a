import type { ShardReport } from "../shard-messages.ts";

/** Supervisor → shard thread. */
export type ToShardThread =
  | { readonly kind: "wake" }
  | { readonly kind: "report"; readonly id: number };

/** Shard thread → supervisor. */
export type FromShardThread =
  | { readonly kind: "ready" }
  | { readonly kind: "report"; readonly id: number; readonly reports: readonly ShardReport[] }
  | {
      readonly kind: "warning";
      readonly worker: number;
      readonly message: string;
      readonly detail: string;
    };
