import { Client } from "pg";
import { READ_COMMITTED } from "../../sql/isolation.ts";

/** A shard as its new owner finds it. */
export interface OwnedShard {
  readonly shard: number;
  readonly epoch: number;
  /** The last lsn that is in the database. */
  readonly appliedLsn: number;
}

/** Who owns the shards, and how far each has come. */
export interface ShardTable {
  /**
   * Makes the caller the owner of all shards: every epoch grows by one, in one transaction, and
   * with it every write of an earlier owner is refused, be it a projection or an append to the
   * operation log. Returns them in order, also those past `shardCount`: they are an earlier
   * owner's, who had more, and the journal may still hold facts of theirs.
   */
  acquire(shardCount: number): Promise<OwnedShard[]>;
  /**
   * Unix ms before which no shard's time may start. It is the latest of all shards, because an
   * event moves between shards when their number changes, and its time must not step back with it.
   */
  readLogicalMs(): Promise<number>;
}

export class PgShardTable implements ShardTable {
  readonly #databaseUrl: string;

  constructor(databaseUrl: string) {
    this.#databaseUrl = databaseUrl;
  }

  acquire(shardCount: number): Promise<OwnedShard[]> {
    return withClient(this.#databaseUrl, async (client) => {
      await client.query("BEGIN");
      // Waits for the appends that are under way, and lets none begin: an end is seen as it stays.
      // Taken first, it also keeps two owners-to-be from locking each other out.
      await client.query("LOCK TABLE operation_log_ends IN EXCLUSIVE MODE");
      await client.query(
        `INSERT INTO shards (shard, epoch)
         SELECT n, 0 FROM generate_series(0, $1::integer - 1) AS n
         ON CONFLICT (shard) DO NOTHING`,
        [shardCount],
      );
      const { rows } = await client.query<{ shard: number; epoch: string; applied_lsn: string }>(
        "UPDATE shards SET epoch = epoch + 1 RETURNING shard, epoch, applied_lsn",
      );
      // Under ACK_MODE=journal the projection goes on without the log, which then begins behind it.
      await client.query(
        `INSERT INTO operation_log_ends AS ends (shard, epoch, last_lsn)
         SELECT shard, epoch, applied_lsn FROM shards
         ON CONFLICT (shard) DO UPDATE SET epoch = EXCLUDED.epoch,
           last_lsn = greatest(ends.last_lsn, EXCLUDED.last_lsn)`,
      );
      await client.query("COMMIT");
      return rows
        .map(({ shard, epoch, applied_lsn }) => ({
          shard,
          epoch: Number(epoch),
          appliedLsn: Number(applied_lsn),
        }))
        .sort((a, b) => a.shard - b.shard);
    });
  }

  readLogicalMs(): Promise<number> {
    return withClient(this.#databaseUrl, async (client) => {
      const { rows } = await client.query<{ ms: string | null }>(
        "SELECT max(logical_ms) AS ms FROM shards",
      );
      return Number(rows[0]?.ms ?? 0);
    });
  }
}

/** The last lsn of every shard that is in the database, for who only looks: nobody is fenced. */
export function readAppliedLsns(databaseUrl: string): Promise<Map<number, number>> {
  return withClient(databaseUrl, appliedLsns);
}

/** The same, as the transaction of `client` sees it. */
export async function appliedLsns(client: Client): Promise<Map<number, number>> {
  const { rows } = await client.query<{ shard: number; applied_lsn: string }>(
    "SELECT shard, applied_lsn FROM shards",
  );
  return new Map(rows.map(({ shard, applied_lsn }) => [shard, Number(applied_lsn)]));
}

/** What failed inside ends with the connection: a transaction left open is rolled back. */
export async function withClient<T>(url: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  // The statement that runs reports the loss of its connection.
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query(READ_COMMITTED);
    return await use(client);
  } finally {
    await client.end();
  }
}
