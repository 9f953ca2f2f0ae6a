import { TRACED_FACTS_MAX } from "../../engine/telemetry-limits.ts";
import type { TracedFact, TracedWork } from "../traced.ts";
import type { ShardAdvance } from "./projection-store.ts";

/**
 * Traced facts that PostgreSQL lacks.
 *
 * Invariant: at most TRACED_FACTS_MAX; of further ones nothing is told, while PostgreSQL is away.
 */
export class ProjectionTraces {
  #waiting: TracedFact[] = [];

  get count(): number {
    return this.#waiting.length;
  }

  add(traced: readonly TracedFact[]): void {
    this.#waiting.push(...traced.slice(0, TRACED_FACTS_MAX - this.#waiting.length));
  }

  /** What a transaction did for those that it has brought in; null: for none. */
  take(
    advances: readonly ShardAdvance[],
    { startMs, endMs }: { readonly startMs: number; readonly endMs: number },
  ): TracedWork | null {
    const lastLsns = new Map(advances.map(({ shard, lastLsn }) => [shard, lastLsn]));
    const isIn = ({ shard, lsn }: TracedFact): boolean => lsn <= (lastLsns.get(shard) ?? 0);
    const brought = this.#waiting.filter(isIn);
    if (brought.length === 0) return null;
    this.#waiting = this.#waiting.filter((fact) => !isIn(fact));
    return {
      kind: "traced",
      name: "projector.transaction",
      // Traced facts may have come while it ran: then nobody looked when it began.
      startMs: startMs === 0 ? endMs : startMs,
      endMs,
      traces: brought.map(({ trace }) => trace),
      attributes: {
        "evently.projector.facts": advances.reduce(
          (sum, { firstLsn, lastLsn }) => sum + lastLsn - firstLsn + 1,
          0,
        ),
        "evently.shards": advances.map(({ shard }) => shard).join(","),
      },
    };
  }
}
