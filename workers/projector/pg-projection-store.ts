import { Client } from "pg";
import {
  ENDED_HOLD_TTL_MS,
  KEY_TTL_MS,
  PURGE_MARGIN_MS,
  PURGE_ROWS_MAX,
} from "../../engine/limits.ts";
import { PROJECTION_STATEMENT_MS_MAX } from "../../engine/projection-limits.ts";
import { READ_COMMITTED } from "../../sql/isolation.ts";
import { plainColumn } from "./array-literals.ts";
import type { NetEffects } from "./effects.ts";
import { stepsOf } from "./projection-statements.ts";
import {
  type Applied,
  type Epochs,
  FenceLost,
  InvariantViolated,
  type ProjectionBatch,
  ProjectionRefused,
  type ProjectionStore,
  type ShardAdvance,
  WatermarkGap,
} from "./projection-store.ts";
import { rowMemory } from "./row-memory.ts";
import type { Step } from "./statement.ts";
import { takeSteps } from "./take-steps.ts";

/**
 * Every statement finds its rows by key. Planned once, while a table is new and small, it would
 * read the whole table for ever after, so the session knows no other way than the index.
 * A batch that is committed is deleted from the journal: its commit must be on disk.
 */
const SESSION = `
  SET enable_seqscan = off;
  SET enable_hashjoin = off;
  SET enable_mergejoin = off;
  SET plan_cache_mode = force_generic_plan;
  ${READ_COMMITTED};
  SET idle_in_transaction_session_timeout = ${PROJECTION_STATEMENT_MS_MAX};
  SELECT set_config('synchronous_commit', 'on', false)
  WHERE current_setting('synchronous_commit') = 'off'`;

const ADVANCE_SHARDS = `
  UPDATE shards SET applied_lsn = u.last_lsn, logical_ms = greatest(logical_ms, u.at_ms)
  FROM unnest($1::integer[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
    AS u (shard, epoch, before_lsn, last_lsn, at_ms)
  WHERE shards.shard = u.shard AND shards.epoch = u.epoch AND shards.applied_lsn = u.before_lsn`;

interface ShardRow {
  readonly shard: number;
  readonly epoch: string;
  readonly applied_lsn: string;
}
const SHARDS = "SELECT shard, epoch, applied_lsn FROM shards";

const PURGES = [
  {
    name: "purge-holds",
    text: `
      DELETE FROM holds WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM holds WHERE status <> 'active' AND ended_ms < $1
        ORDER BY ended_ms LIMIT $2))`,
    ttlMs: ENDED_HOLD_TTL_MS,
  },
  {
    name: "purge-keys",
    text: `
      DELETE FROM key_blocks WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM key_blocks WHERE last_ms < $1 ORDER BY last_ms LIMIT $2))`,
    ttlMs: KEY_TTL_MS,
  },
];

/**
 * The projection in PostgreSQL, over one connection.
 *
 * Invariant: a connection on which anything failed is never used again, so no statement ever runs
 * in a transaction of unknown state. The next call opens another.
 */
export class PgProjectionStore implements ProjectionStore {
  readonly #databaseUrl: string;
  #client: Client | null = null;
  /** By the effects that they bring about. */
  readonly #steps = new WeakMap<NetEffects, readonly Step[]>();

  constructor(databaseUrl: string) {
    this.#databaseUrl = databaseUrl;
  }

  prepare({ effects }: ProjectionBatch): void {
    this.#steps.set(effects, stepsOf(effects));
  }

  apply(batch: ProjectionBatch, waiting?: () => void): Promise<Applied> {
    return this.#withClient(async (client) => {
      const begun = client.query("BEGIN");
      const [, isAdvanced] = await Promise.all([begun, advanceShards(client, batch.advances)]);
      if (!isAdvanced) {
        // First, or those that did move would look as if they had been there before.
        await client.query("ROLLBACK");
        return explain(client, batch.advances);
      }
      const { effects } = batch;
      const steps = this.#steps.get(effects) ?? stepsOf(effects);
      // A connection that fails may still send rows later: another try has its own.
      this.#steps.delete(effects);
      await takeSteps(client, steps, waiting);
      await client.query("COMMIT");
      // Whoever has answered has read all of them.
      for (const step of steps) if ("copy" in step) rowMemory.give(step.copy.rows);
      return "applied";
    });
  }

  confirm(epochs: Epochs): Promise<void> {
    return this.#withClient(async (client) => {
      const { rows } = await client.query<ShardRow>(SHARDS);
      checkEpochs(rows, epochs);
    });
  }

  purge(nowMs: number): Promise<boolean> {
    return this.#withClient(async (client) => {
      let isMore = false;
      for (const { ttlMs, ...statement } of PURGES) {
        const values = [nowMs - ttlMs - PURGE_MARGIN_MS, PURGE_ROWS_MAX];
        const { rowCount } = await client.query({ ...statement, values });
        isMore ||= rowCount === PURGE_ROWS_MAX;
      }
      return isMore;
    });
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    await client?.end();
  }

  async #withClient<T>(use: (client: Client) => Promise<T>): Promise<T> {
    const client = this.#client ?? (await this.#connect());
    try {
      return await use(client);
    } catch (error) {
      if (this.#client === client) this.#client = null;
      abandon(client);
      throw asRefusal(error);
    }
  }

  async #connect(): Promise<Client> {
    const client = new Client({
      connectionString: this.#databaseUrl,
      application_name: "evently projector",
      connectionTimeoutMillis: PROJECTION_STATEMENT_MS_MAX,
      query_timeout: PROJECTION_STATEMENT_MS_MAX,
      keepAlive: true,
      pipeline: true,
    });
    // Lost while nothing runs on it. A statement that runs reports the loss itself.
    client.on("error", () => {
      if (this.#client === client) this.#client = null;
    });
    try {
      await client.connect();
      await client.query(SESSION);
    } catch (error) {
      abandon(client);
      throw error;
    }
    this.#client = client;
    return client;
  }
}

/**
 * Moves the watermarks over the batch; false: not all were where it begins, or not all are ours.
 */
async function advanceShards(client: Client, advances: readonly ShardAdvance[]): Promise<boolean> {
  const { rowCount } = await client.query({
    name: "advance-shards",
    text: ADVANCE_SHARDS,
    values: [
      plainColumn(advances, (advance) => advance.shard),
      plainColumn(advances, (advance) => advance.epoch),
      plainColumn(advances, (advance) => advance.firstLsn - 1),
      plainColumn(advances, (advance) => advance.lastLsn),
      plainColumn(advances, (advance) => advance.logicalMs),
    ],
  });
  return rowCount === advances.length;
}

/** Why not all watermarks moved. Shards that move together have been written together, or none. */
async function explain(client: Client, advances: readonly ShardAdvance[]): Promise<Applied> {
  const { rows } = await client.query<ShardRow>(SHARDS);
  checkEpochs(
    rows,
    advances.map(({ shard, epoch }) => [shard, epoch]),
  );
  const byShard = new Map(rows.map((row) => [row.shard, row]));
  for (const { shard, firstLsn, lastLsn } of advances) {
    const applied = Number(byShard.get(shard)?.applied_lsn);
    if (applied >= lastLsn) continue;
    throw new WatermarkGap(
      `shard ${shard} is applied up to ${applied}, the batch is ${firstLsn} to ${lastLsn}`,
    );
  }
  return "already";
}

function checkEpochs(rows: readonly ShardRow[], epochs: Epochs): void {
  const owners = new Map(rows.map((row) => [row.shard, row.epoch]));
  for (const [shard, epoch] of epochs) {
    const owner = owners.get(shard) ?? "none";
    if (Number(owner) === epoch) continue;
    throw new FenceLost(`shard ${shard} is at epoch ${owner}, we are at ${epoch}`);
  }
}

/**
 * SQLSTATE classes that no second try changes: wrong data (22), a violated constraint (23), a
 * schema that is not ours (42). All else (connections, shutdowns, resources, deadlocks) may pass.
 */
function asRefusal(error: unknown): unknown {
  if (error instanceof ProjectionRefused || !(error instanceof Error)) return error;
  const { code, constraint } = error as Error & { code?: unknown; constraint?: unknown };
  if (typeof code !== "string" || !/^(22|23|42)[0-9A-Z]{3}$/.test(code)) return error;
  const where = typeof constraint === "string" ? ` (${constraint})` : "";
  return new InvariantViolated(`${error.message}${where}`, { cause: error });
}

function abandon(client: Client): void {
  client.end().catch(() => undefined);
}
