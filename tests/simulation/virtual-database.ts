/**
 * The database as the engine uses it, in memory: the projection, the loader, the shard table and
 * the operation log on one set of rows (virtual-tables.ts), behind connections that break
 * (virtual-server.ts). What is committed stays; processes come and go, each with a handle of its
 * own.
 *
 *   const database = new VirtualDatabase({ random, pause, broken });
 *   const node = database.connect();         // one process
 *   node.projections, node.loader, node.shards, node.operationLog
 *   node.kill();                             // its calls never end; what it had sent may execute
 *
 * The real adapters make one transaction of several statements; here a call executes in one step.
 * Nothing is lost by that: until the commit nobody sees the others, and a connection that breaks
 * before it rolls all of them back. What the guards let through, and what the rows then are, is
 * held to PostgreSQL by virtual-database.pg.test.ts.
 */
import type { Fact } from "../../engine/facts.ts";
import type { EventId } from "../../engine/ids.ts";
import { LOAD_STATEMENT_MS_MAX } from "../../engine/limits.ts";
import { PROJECTION_STATEMENT_MS_MAX } from "../../engine/projection-limits.ts";
import type { Snapshot } from "../../engine/snapshot.ts";
import type { LogEnd, LogRow, OperationLog } from "../../workers/journal/operation-log.ts";
import type {
  Applied,
  ProjectionBatch,
  ProjectionStore,
} from "../../workers/projector/projection-store.ts";
import type { ActorLoader } from "../../workers/store/actor-loader.ts";
import type { OwnedShard, ShardTable } from "../../workers/store/shard-table.ts";
import { type LogCommit, lockOfEnd, VirtualOperationLog } from "./virtual-operation-log.ts";
import type { AreaRow, EventRows } from "./virtual-rows.ts";
import { type CallOptions, type ServerPorts, VirtualServer } from "./virtual-server.ts";
import { type RowCounts, type ShardRow, VirtualTables } from "./virtual-tables.ts";

/** What has just been committed. */
export type Commit =
  | { readonly kind: "projected"; readonly batch: ProjectionBatch }
  | { readonly kind: "purged"; readonly rows: number }
  | { readonly kind: "acquired"; readonly owned: readonly OwnedShard[] }
  | LogCommit;

export interface VirtualDatabaseOptions extends ServerPorts {
  /** Called within the commit. What it throws goes to `broken`, not to who committed. */
  readonly onCommit?: (commit: Commit) => void;
}

/** A process's connections. Nothing that it asks is answered after `kill`. */
export interface DatabaseClient {
  readonly projections: ProjectionStore;
  readonly loader: ActorLoader;
  readonly shards: ShardTable;
  /** Opened anew for each journal: one that was closed stays so. */
  readonly operationLog: () => OperationLog;
  readonly isDead: boolean;
  kill(): void;
}

const READ = { kind: "read", locks: [], timeoutMs: LOAD_STATEMENT_MS_MAX } as const;
const PURGE = { kind: "statement", locks: [], timeoutMs: PROJECTION_STATEMENT_MS_MAX } as const;

export class VirtualDatabase {
  readonly #options: VirtualDatabaseOptions;
  readonly #server: VirtualServer;
  readonly #tables = new VirtualTables();

  constructor(options: VirtualDatabaseOptions) {
    this.#options = options;
    this.#server = new VirtualServer(options);
  }

  connect(): DatabaseClient {
    let isDead = false;
    const logs: VirtualOperationLog[] = [];
    const client: DatabaseClient = {
      get isDead() {
        return isDead;
      },
      kill: () => {
        isDead = true;
        for (const caller of [client, ...logs]) this.#server.hangUp(caller);
      },
      projections: {
        apply: (batch, waiting) => {
          const applied = this.#apply(client, batch);
          waiting?.();
          return applied;
        },
        confirm: (epochs, watermarks) =>
          this.#read(client, () => this.#tables.confirm(epochs, watermarks)),
        purge: (nowMs) => this.#purge(client, nowMs),
        close: () => Promise.resolve(),
      },
      loader: {
        load: (eventId, known) => this.#read(client, () => this.#tables.load(eventId, known)),
        loadOutcome: (eventId, seq) =>
          this.#read(client, () => this.#tables.outcomeOf(eventId, seq)),
        eventsToWake: () => this.#read(client, () => this.#eventsToWake()),
        // Rows have no total here: it is what the tickets come to.
        wrongTotals: () => this.#read(client, () => []),
      },
      shards: {
        acquire: (shardCount) => this.#acquire(client, shardCount),
        readLogicalMs: () => this.#read(client, () => this.#tables.logicalMs()),
      },
      operationLog: () => {
        const log = this.#operationLog(client);
        logs.push(log);
        return log;
      },
    };
    return client;
  }

  /** Everything that can go wrong on the way: goDown, comeUp, freeze, thaw, loseReplies … */
  get server(): VirtualServer {
    return this.#server;
  }

  // What an observer sees, at once and in whatever state the connections are.

  snapshotOf(eventId: EventId): Snapshot {
    return this.#tables.snapshotOf(eventId);
  }

  outcomeOf(eventId: EventId, seq: number): Fact | null {
    return this.#tables.outcomeOf(eventId, seq);
  }

  /** Every event that is configured. */
  events(): EventId[] {
    return this.#tables.events();
  }

  rowsOf(eventId: EventId): EventRows {
    return this.#tables.rowsOf(eventId);
  }

  areasOf(eventId: EventId): ReadonlyMap<number, AreaRow> {
    return this.#tables.areasOf(eventId);
  }

  /** The last lsn of the shard that is in the rows; 0: none is. */
  watermark(shard: number): number {
    return this.#tables.shards.get(shard)?.appliedLsn ?? 0;
  }

  shards(): ReadonlyMap<number, ShardRow> {
    return this.#tables.shards;
  }

  /** The ends of the operation log, in no particular order. */
  logEnds(): readonly LogEnd[] {
    return this.#tables.log.ends();
  }

  /** What the operation log has of a shard, in order. */
  logRows(shard: number): readonly LogRow[] {
    return this.#tables.log.rowsOf(shard);
  }

  get rows(): RowCounts {
    return this.#tables.counts();
  }

  #operationLog(client: DatabaseClient): VirtualOperationLog {
    return new VirtualOperationLog({
      server: this.#server,
      log: this.#tables.log,
      isDead: () => client.isDead,
      onCommit: (commit) => this.#options.onCommit?.(commit),
      broken: this.#options.broken,
    });
  }

  #apply(client: DatabaseClient, batch: ProjectionBatch): Promise<Applied> {
    const options: CallOptions = {
      kind: "transaction",
      locks: batch.advances.map(({ shard }) => shard),
      timeoutMs: PROJECTION_STATEMENT_MS_MAX,
    };
    return this.#server.call(client, options, {
      execute: () => this.#tables.apply(batch),
      committed: (applied) => {
        if (applied === "applied") this.#options.onCommit?.({ kind: "projected", batch });
      },
    });
  }

  async #purge(client: DatabaseClient, nowMs: number): Promise<boolean> {
    const { isMore } = await this.#server.call(client, PURGE, {
      execute: () => this.#tables.purge(nowMs),
      committed: ({ rows }) => this.#options.onCommit?.({ kind: "purged", rows }),
    });
    return isMore;
  }

  #acquire(client: DatabaseClient, shardCount: number): Promise<OwnedShard[]> {
    const known = new Set([...this.#tables.shards.keys(), ...Array(shardCount).keys()]);
    const options: CallOptions = {
      kind: "transaction",
      locks: [...known].flatMap((shard) => [shard, lockOfEnd(shard)]),
      timeoutMs: LOAD_STATEMENT_MS_MAX,
    };
    return this.#server.call(client, options, {
      execute: () => this.#tables.acquire(shardCount),
      committed: (owned) => this.#options.onCommit?.({ kind: "acquired", owned }),
    });
  }

  #read<Result>(client: DatabaseClient, read: () => Result): Promise<Result> {
    return this.#server.call(client, READ, { execute: read, committed: () => undefined });
  }

  /** In no particular order, as SQL says. */
  #eventsToWake(): EventId[] {
    const { random } = this.#options;
    return this.#tables
      .eventsToWake()
      .map((eventId) => ({ eventId, at: random.next() }))
      .sort((a, b) => a.at - b.at)
      .map(({ eventId }) => eventId);
  }
}
