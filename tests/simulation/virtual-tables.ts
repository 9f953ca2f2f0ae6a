/**
 * What PostgreSQL keeps for the engine, in memory, without time or connections: each method is one
 * transaction, or one statement of its own. It refuses what the schema and PgProjectionStore
 * refuse, in the same order and with the same words; virtual-database.pg.test.ts holds it to that.
 */
import type { Fact } from "../../engine/facts.ts";
import type { EventId } from "../../engine/ids.ts";
import {
  ENDED_HOLD_TTL_MS,
  KEY_TTL_MS,
  PURGE_MARGIN_MS,
  PURGE_ROWS_MAX,
} from "../../engine/limits.ts";
import { EMPTY_SNAPSHOT, type Snapshot } from "../../engine/snapshot.ts";
import {
  type Applied,
  type Epochs,
  FenceLost,
  type ProjectionBatch,
  type ShardAdvance,
  WatermarkGap,
  type Watermarks,
} from "../../workers/projector/projection-store.ts";
import { checkStored } from "../../workers/store/actor-loader.ts";
import { findOutcome } from "../../workers/store/key-blocks.ts";
import type { OwnedShard } from "../../workers/store/shard-table.ts";
import { UndoLog } from "./undo-log.ts";
import { VirtualLog } from "./virtual-log.ts";
import {
  type AreaRow,
  type EventRows,
  type InventoryRow,
  inOrder,
  noRows,
  snapshotOfRows,
} from "./virtual-rows.ts";
import { applyEffects } from "./virtual-statements.ts";

export interface ShardRow {
  readonly epoch: number;
  readonly appliedLsn: number;
  readonly logicalMs: number;
}

/** Rows of each table. */
export interface RowCounts {
  readonly inventories: number;
  readonly holds: number;
  readonly bookings: number;
  readonly tickets: number;
  readonly keys: number;
  readonly blocks: number;
  readonly entries: number;
  readonly refunds: number;
  readonly history: number;
  readonly outbox: number;
}

/** Invariant: a method that throws has changed nothing. */
export class VirtualTables {
  readonly shards = new Map<number, ShardRow>();
  readonly log = new VirtualLog();
  readonly #inventories = new Map<EventId, InventoryRow>();
  readonly #events = new Map<EventId, EventRows>();
  #undo = new UndoLog();

  /** Throws FenceLost, WatermarkGap. */
  confirm(epochs: Epochs, watermarks: Watermarks): void {
    for (const [shard, epoch] of epochs) {
      const owner = this.shards.get(shard)?.epoch ?? null;
      if (owner !== epoch) throw FenceLost.at(shard, owner, epoch);
    }
    for (const [shard, lsn] of watermarks) {
      const applied = this.shards.get(shard)?.appliedLsn ?? Number.NaN;
      if (applied >= lsn) continue;
      throw new WatermarkGap(`shard ${shard} is applied up to ${applied}, it was up to ${lsn}`);
    }
  }

  apply(batch: ProjectionBatch): Applied {
    return this.#atomic(() => {
      let moved = 0;
      for (const advance of batch.advances) if (this.#advanceShard(advance)) moved += 1;
      if (moved < batch.advances.length) {
        this.#undo.rollback();
        return this.#explain(batch.advances);
      }
      applyEffects(
        {
          inventories: this.#inventories,
          rowsOf: (eventId) => this.rowsOf(eventId),
          undo: this.#undo,
        },
        batch.effects,
      );
      return "applied";
    });
  }

  /** One step; `isMore`: some table had as many as one step may delete. */
  purge(nowMs: number): { isMore: boolean; rows: number } {
    const holdsBeforeMs = nowMs - ENDED_HOLD_TTL_MS - PURGE_MARGIN_MS;
    const keysBeforeMs = nowMs - KEY_TTL_MS - PURGE_MARGIN_MS;
    const holds: Expired[] = [];
    const keys: Expired[] = [];
    for (const rows of this.#events.values()) {
      for (const { id, endedMs } of rows.holds.values()) {
        if (endedMs === null || endedMs >= holdsBeforeMs) continue;
        holds.push({ atMs: endedMs, remove: () => rows.holds.delete(id) });
      }
      for (const { lastSeq, lastMs: atMs } of rows.keys.values()) {
        if (atMs < keysBeforeMs) keys.push({ atMs, remove: () => rows.keys.delete(lastSeq) });
      }
    }
    const counts = [removeOldest(holds), removeOldest(keys)];
    return {
      isMore: counts.includes(PURGE_ROWS_MAX),
      rows: counts.reduce((sum, count) => sum + count, 0),
    };
  }

  acquire(shardCount: number): OwnedShard[] {
    for (let shard = 0; shard < shardCount; shard += 1) {
      if (this.shards.has(shard)) continue;
      this.shards.set(shard, { epoch: 0, appliedLsn: 0, logicalMs: 0 });
    }
    const owned: OwnedShard[] = [];
    for (const [shard, row] of this.shards) {
      const epoch = row.epoch + 1;
      this.shards.set(shard, { ...row, epoch });
      this.log.own(shard, epoch, row.appliedLsn);
      owned.push({ shard, epoch, appliedLsn: row.appliedLsn });
    }
    return owned.sort((a, b) => a.shard - b.shard);
  }

  logicalMs(): number {
    return Math.max(0, ...[...this.shards.values()].map((row) => row.logicalMs));
  }

  load(eventId: EventId, known: OwnedShard | undefined): Snapshot {
    if (known !== undefined) {
      const row = this.shards.get(known.shard);
      checkStored(row === undefined ? undefined : { shard: known.shard, ...row }, known);
    }
    return this.snapshotOf(eventId);
  }

  snapshotOf(eventId: EventId): Snapshot {
    const inventory = this.#inventories.get(eventId);
    if (inventory === undefined) return EMPTY_SNAPSHOT;
    return snapshotOfRows(eventId, inventory, this.rowsOf(eventId));
  }

  outcomeOf(eventId: EventId, seq: number): Fact | null {
    const block = inOrder(this.rowsOf(eventId).keys).find(({ lastSeq }) => lastSeq >= seq);
    return block === undefined ? null : findOutcome(block.facts, seq);
  }

  eventsToWake(): EventId[] {
    return [...this.#events].flatMap(([eventId, rows]) => {
      const isCancelled = this.#inventories.get(eventId)?.status === "cancelled";
      return hasWork(rows, isCancelled) ? [eventId] : [];
    });
  }

  /** Every event of which something is known. */
  events(): EventId[] {
    return [...this.#inventories.keys()];
  }

  areasOf(eventId: EventId): ReadonlyMap<number, AreaRow> {
    return this.rowsOf(eventId).areas;
  }

  counts(): RowCounts {
    const all = [...this.#events.values()];
    const sum = (table: Exclude<keyof RowCounts, "inventories">): number =>
      all.reduce((count, rows) => count + rows[table].size, 0);
    return {
      inventories: this.#inventories.size,
      holds: sum("holds"),
      bookings: sum("bookings"),
      tickets: sum("tickets"),
      keys: sum("keys"),
      blocks: sum("blocks"),
      entries: sum("entries"),
      refunds: sum("refunds"),
      history: sum("history"),
      outbox: sum("outbox"),
    };
  }

  rowsOf(eventId: EventId): EventRows {
    let rows = this.#events.get(eventId);
    if (rows === undefined) {
      rows = noRows();
      this.#events.set(eventId, rows);
    }
    return rows;
  }

  #atomic<Result>(act: () => Result): Result {
    this.#undo = new UndoLog();
    try {
      return act();
    } catch (error) {
      this.#undo.rollback();
      throw error;
    }
  }

  #advanceShard({ shard, epoch, firstLsn, lastLsn, logicalMs }: ShardAdvance): boolean {
    const row = this.shards.get(shard);
    if (row === undefined || row.epoch !== epoch || row.appliedLsn !== firstLsn - 1) return false;
    this.#undo.set(this.shards, shard, {
      epoch,
      appliedLsn: lastLsn,
      logicalMs: Math.max(row.logicalMs, logicalMs),
    });
    return true;
  }

  #explain(advances: readonly ShardAdvance[]): Applied {
    this.confirm(
      advances.map(({ shard, epoch }) => [shard, epoch]),
      [],
    );
    for (const { shard, firstLsn, lastLsn } of advances) {
      const applied = this.shards.get(shard)?.appliedLsn ?? 0;
      if (applied >= lastLsn) continue;
      throw new WatermarkGap(
        `shard ${shard} is applied up to ${applied}, the batch is ${firstLsn} to ${lastLsn}`,
      );
    }
    return "already";
  }
}

function hasWork(
  { holds, entries, ticketBySeat, areas }: EventRows,
  isCancelled: boolean,
): boolean {
  return (
    [...holds.values()].some(({ status }) => status === "active") ||
    [...entries.values()].some(({ status }) => status === "waiting") ||
    (isCancelled && (ticketBySeat.size > 0 || [...areas.values()].some(({ sold }) => sold > 0)))
  );
}

interface Expired {
  readonly atMs: number;
  readonly remove: () => void;
}

function removeOldest(rows: Expired[]): number {
  const oldest = rows.sort((a, b) => a.atMs - b.atMs).slice(0, PURGE_ROWS_MAX);
  for (const { remove } of oldest) remove();
  return oldest.length;
}
