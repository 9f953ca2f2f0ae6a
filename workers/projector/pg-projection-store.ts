import { Client } from "pg";
import {
  ENDED_HOLD_TTL_MS,
  KEY_TTL_MS,
  PROJECTION_STATEMENT_MS_MAX,
  PURGE_MARGIN_MS,
  PURGE_ROWS_MAX,
} from "../../engine/limits.ts";
import { statementsOf } from "./projection-statements.ts";
import {
  type Applied,
  FenceLost,
  InvariantViolated,
  type ProjectionBatch,
  ProjectionRefused,
  type ProjectionStore,
  WatermarkGap,
} from "./projection-store.ts";

/**
 * Every statement finds its rows by key. Planned once, while a table is new and small, it would read
 * the whole table for ever after, so the session knows no other way than the index.
 * A batch that is committed is deleted from the journal: its commit must be on disk.
 */
const SESSION = `
  SET enable_seqscan = off;
  SET enable_hashjoin = off;
  SET enable_mergejoin = off;
  SET plan_cache_mode = force_generic_plan;
  SET idle_in_transaction_session_timeout = ${PROJECTION_STATEMENT_MS_MAX};
  SELECT set_config('synchronous_commit', 'on', false)
  WHERE current_setting('synchronous_commit') = 'off'`;

const ADVANCE_SHARD = `
  UPDATE shards SET applied_lsn = $4, logical_ms = greatest(logical_ms, $5)
  WHERE shard = $1 AND epoch = $2 AND applied_lsn = $3`;

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
      DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM idempotency_keys WHERE at_ms < $1 ORDER BY at_ms LIMIT $2))`,
    ttlMs: KEY_TTL_MS,
  },
];

/**
 * The projection in PostgreSQL, over one connection.
 *
 * Invariant: a connection on which anything failed is never used again, so no statement ever runs in a
 * transaction of unknown state. The next call opens another.
 */
export class PgProjectionStore implements ProjectionStore {
  readonly #databaseUrl: string;
  #client: Client | null = null;

  constructor(databaseUrl: string) {
    this.#databaseUrl = databaseUrl;
  }

  apply(batch: ProjectionBatch): Promise<Applied> {
    return this.#withClient(async (client) => {
      await client.query("BEGIN");
      if (!(await advanceShard(client, batch))) {
        const verdict = await explain(client, batch);
        await client.query("ROLLBACK");
        return verdict;
      }
      for (const { rowCount, ...statement } of statementsOf(batch.effects)) {
        const result = await client.query(statement);
        if (result.rowCount !== rowCount) {
          throw new InvariantViolated(
            `${statement.name} changed ${result.rowCount} rows, not ${rowCount}`,
          );
        }
      }
      await client.query("COMMIT");
      return "applied";
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

/** Moves the watermark over the batch; false: it was not where the batch begins, or not ours. */
async function advanceShard(client: Client, batch: ProjectionBatch): Promise<boolean> {
  const { shard, epoch, firstLsn, lastLsn, logicalMs } = batch;
  const values = [shard, epoch, firstLsn - 1, lastLsn, logicalMs];
  const { rowCount } = await client.query({ name: "advance-shard", text: ADVANCE_SHARD, values });
  return rowCount === 1;
}

async function explain(client: Client, batch: ProjectionBatch): Promise<Applied> {
  const { shard, epoch, firstLsn, lastLsn } = batch;
  const { rows } = await client.query<{ epoch: string; applied_lsn: string }>(
    "SELECT epoch, applied_lsn FROM shards WHERE shard = $1",
    [shard],
  );
  const owner = Number(rows[0]?.epoch);
  if (owner !== epoch) {
    throw new FenceLost(`shard ${shard} is at epoch ${rows[0]?.epoch ?? "none"}, we at ${epoch}`);
  }
  const applied = Number(rows[0]?.applied_lsn);
  if (applied >= lastLsn) return "already";
  throw new WatermarkGap(
    `shard ${shard} is applied up to ${applied}, the batch is ${firstLsn} to ${lastLsn}`,
  );
}

/**
 * SQLSTATE classes that no second try changes: wrong data (22), a violated constraint (23), a schema
 * that is not ours (42). All else (connections, shutdowns, resources, deadlocks) may pass.
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
