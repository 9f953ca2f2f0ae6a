/**
 * The operation log in two tables of PostgreSQL (sql/003.do.operation-log.sql).
 *
 *   operation_log_ends   shard │ epoch │ last_lsn             ◄── guarded and moved by an append
 *   operation_log        shard │ first_lsn │ last_lsn │ …     ◄── added by the same statement
 *
 * An append is one statement and its own transaction: one answer to wait for, one commit.
 */
import { Client } from "pg";
import {
  FRAME_PAYLOAD_BYTES_MAX,
  OPERATION_LOG_PAGE_ROWS_MAX,
  OPERATION_LOG_RETIRE_ROWS_MAX,
  OPERATION_LOG_STATEMENT_MS_MAX,
} from "../../engine/limits.ts";
import { READ_COMMITTED } from "../../sql/isolation.ts";
import { plainColumn } from "../projector/array-literals.ts";
import type { Watermarks } from "./journal-port.ts";
import {
  type LogEnd,
  type LogRow,
  type OperationLog,
  OperationLogRefused,
} from "./operation-log.ts";
import { concatenated } from "./recovery.ts";

/**
 * Rows are found by key, whatever the tables looked like when the statement was planned: the rows
 * of a batch are also locked in the batch's order then. A guard that waited for another writer is
 * to look again at what that one left, as `read committed` does, and not to fail.
 */
const session = (statementMs: number): string => `
  SET enable_seqscan = off;
  SET enable_bitmapscan = off;
  SET enable_hashjoin = off;
  SET enable_mergejoin = off;
  SET plan_cache_mode = force_generic_plan;
  ${READ_COMMITTED};
  SET statement_timeout = ${statementMs};`;

/** What is answered must be on disk, and with those standbys that the operator wants it on. */
const DURABLE = `
  SELECT set_config('synchronous_commit', 'on', false)
  WHERE current_setting('synchronous_commit') <> 'remote_apply'`;

/** Rows that are deleted, and come back after a crash, are deleted again. */
const RELAXED = "SET synchronous_commit = off";

const APPEND = `
  WITH advanced AS (
    UPDATE operation_log_ends AS e SET last_lsn = b.last_lsn
    FROM unnest($1::integer[], $2::bigint[], $3::bigint[], $4::bigint[], $5::integer[],
      $6::integer[]) AS b (shard, epoch, first_lsn, last_lsn, start, bytes)
    WHERE e.shard = b.shard AND e.epoch = b.epoch AND e.last_lsn = b.first_lsn - 1
    RETURNING b.*
  )
  INSERT INTO operation_log (shard, first_lsn, last_lsn, epoch, entries)
  SELECT shard, first_lsn, last_lsn, epoch, substring($7::bytea FROM start FOR bytes)
  FROM advanced
  RETURNING shard`;

/**
 * The locks wait for appends that are under way. And they make this a transaction that writes, so
 * its commit is durable, with all that was committed before: even an append whose session was cut
 * off while it waited for a standby.
 */
const ENDS = "SELECT shard, epoch, last_lsn FROM operation_log_ends ORDER BY shard FOR UPDATE";

/**
 * The row that lies across a watermark is the last one that begins before it. Each shard gives as
 * many rows as fit into a page at most, so that a page does not cost reading the whole tail.
 */
const TAIL = `
  SELECT shard, first_lsn, last_lsn, epoch, entries FROM (
    SELECT *, row_number() OVER places AS place, sum(octet_length(entries)) OVER places AS bytes
    FROM (
      SELECT log.* FROM unnest($1::integer[], $2::bigint[]) AS w (shard, lsn)
      CROSS JOIN LATERAL (
        SELECT * FROM operation_log AS own
        WHERE own.shard = w.shard AND own.last_lsn > w.lsn
          AND own.first_lsn >= coalesce((SELECT max(across.first_lsn) FROM operation_log AS across
            WHERE across.shard = w.shard AND across.first_lsn <= w.lsn), w.lsn)
        ORDER BY own.first_lsn LIMIT ${OPERATION_LOG_PAGE_ROWS_MAX}
      ) AS log
      ORDER BY log.shard, log.first_lsn LIMIT ${OPERATION_LOG_PAGE_ROWS_MAX}
    ) AS page
    WINDOW places AS (ORDER BY shard, first_lsn)
  ) AS counted
  WHERE place = 1 OR bytes <= ${FRAME_PAYLOAD_BYTES_MAX}
  ORDER BY shard, first_lsn`;

const RETIRE = `
  DELETE FROM operation_log WHERE ctid = ANY (ARRAY(
    SELECT log.ctid FROM unnest($1::integer[], $2::bigint[], $3::bigint[]) AS w (shard, gone, lsn)
    JOIN operation_log AS log ON log.shard = w.shard
      AND log.first_lsn > w.gone AND log.first_lsn <= w.lsn AND log.last_lsn <= w.lsn
    LIMIT ${OPERATION_LOG_RETIRE_ROWS_MAX}))
  RETURNING shard, last_lsn`;

/**
 * Two connections: deleting must not hold up an append.
 *
 * Invariant: a connection on which anything failed is never used again, and what it was about may
 * still happen. The next call opens another.
 */
export class PgOperationLog implements OperationLog {
  readonly #writer: Session;
  readonly #cleaner: Session;
  /**
   * Per shard, an lsn up to which every row is gone: what is deleted stays in the index until a
   * vacuum, and is not to be read again each time.
   */
  readonly #gone = new Map<number, number>();

  /**
   * A statement that is not answered after `statementMs` is given up. Raising it waits longer for a
   * server that is only slow. Default: OPERATION_LOG_STATEMENT_MS_MAX.
   */
  constructor(databaseUrl: string, statementMs = OPERATION_LOG_STATEMENT_MS_MAX) {
    this.#writer = new Session({ databaseUrl, statementMs, setUp: DURABLE });
    this.#cleaner = new Session({ databaseUrl, statementMs, setUp: RELAXED });
  }

  append(rows: readonly LogRow[]): Promise<readonly number[]> {
    let start = 1;
    const starts = rows.map(({ entries }) => {
      start += entries.length;
      return start - entries.length;
    });
    const entries = rows.length === 1 ? rows[0]?.entries : null;
    const bytes = entries ?? concatenated(rows.map((row) => row.entries));
    return this.#writer.use(async (client) => {
      const advanced = await client.query<{ shard: number }>({
        name: "append-log",
        text: APPEND,
        values: [
          plainColumn(rows, (row) => row.shard),
          plainColumn(rows, (row) => row.epoch),
          plainColumn(rows, (row) => row.firstLsn),
          plainColumn(rows, (row) => row.lastLsn),
          plainColumn(starts, (at) => at),
          plainColumn(rows, (row) => row.entries.length),
          Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
        ],
      });
      return advanced.rows.map(({ shard }) => shard);
    });
  }

  ends(): Promise<readonly LogEnd[]> {
    return this.#writer.use(async (client) => {
      const { rows } = await client.query<{ shard: number; epoch: string; last_lsn: string }>(ENDS);
      return rows.map(({ shard, epoch, last_lsn }) => {
        return { shard, epoch: Number(epoch), lastLsn: Number(last_lsn) };
      });
    });
  }

  readTail(after: Watermarks): Promise<readonly LogRow[]> {
    return this.#writer.use(async (client) => {
      const values = [plainColumn(after, ([shard]) => shard), plainColumn(after, ([, lsn]) => lsn)];
      const { rows } = await client.query<TailRow>({ name: "read-log-tail", text: TAIL, values });
      return rows.map((row) => ({
        shard: row.shard,
        epoch: Number(row.epoch),
        firstLsn: Number(row.first_lsn),
        lastLsn: Number(row.last_lsn),
        entries: row.entries,
      }));
    });
  }

  retire(watermarks: Watermarks): Promise<boolean> {
    return this.#cleaner.use(async (client) => {
      const { rows } = await client.query<{ shard: number; last_lsn: string }>({
        name: "retire-log",
        text: RETIRE,
        values: [
          plainColumn(watermarks, ([shard]) => shard),
          plainColumn(watermarks, ([shard]) => this.#gone.get(shard) ?? 0),
          plainColumn(watermarks, ([, lsn]) => lsn),
        ],
      });
      // Of a part, nobody knows which rows are left between those that went.
      if (rows.length === OPERATION_LOG_RETIRE_ROWS_MAX) return true;
      for (const { shard, last_lsn } of rows) {
        this.#gone.set(shard, Math.max(Number(last_lsn), this.#gone.get(shard) ?? 0));
      }
      return false;
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.#writer.close(), this.#cleaner.close()]);
  }
}

interface TailRow {
  readonly shard: number;
  readonly first_lsn: string;
  readonly last_lsn: string;
  readonly epoch: string;
  readonly entries: Buffer;
}

interface SessionSettings {
  readonly databaseUrl: string;
  readonly statementMs: number;
  /** What is said first, besides `session`. */
  readonly setUp: string;
}

/** A connection, when there is one. */
class Session {
  readonly #settings: SessionSettings;
  #client: Client | null = null;
  #isClosed = false;

  constructor(settings: SessionSettings) {
    this.#settings = settings;
  }

  async use<T>(act: (client: Client) => Promise<T>): Promise<T> {
    const client = this.#client ?? (await this.#connect());
    try {
      return await act(client);
    } catch (error) {
      this.#abandon(client);
      throw asRefusal(error);
    }
  }

  /** A server that does not even say goodbye is left after a while. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const client = this.#client;
    if (client === null) return;
    this.#client = null;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#settings.statementMs);
    });
    await Promise.race([client.end(), late]);
    clearTimeout(timer);
  }

  async #connect(): Promise<Client> {
    if (this.#isClosed) throw new Error("the operation log was closed");
    const { databaseUrl, statementMs, setUp } = this.#settings;
    const client = new Client({
      connectionString: databaseUrl,
      application_name: "evently journal",
      connectionTimeoutMillis: statementMs,
      query_timeout: statementMs,
      keepAlive: true,
    });
    // Lost while nothing runs on it. A statement that runs reports the loss itself.
    client.on("error", () => this.#abandon(client));
    this.#client = client;
    try {
      await client.connect();
      await client.query(`${session(statementMs)}${setUp}`);
      return client;
    } catch (error) {
      this.#abandon(client);
      throw asRefusal(error);
    }
  }

  #abandon(client: Client): void {
    if (this.#client === client) this.#client = null;
    client.end().catch(() => undefined);
  }
}

/**
 * SQLSTATE classes that no second try changes: wrong data (22), a violated constraint (23), a
 * schema that is not ours (42).
 */
function asRefusal(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code } = error as Error & { code?: unknown };
  if (typeof code !== "string" || !/^(22|23|42)[0-9A-Z]{3}$/.test(code)) return error;
  return new OperationLogRefused(error.message, { cause: error });
}
