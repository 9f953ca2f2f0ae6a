import { Client } from "pg";

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
   * with it every write of an earlier owner is refused. Returns them in order, also those past
   * `shardCount`: they are an earlier owner's, who had more, and the journal may still hold facts
   * of theirs.
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
      await client.query(
        `INSERT INTO shards (shard, epoch)
         SELECT n, 0 FROM generate_series(0, $1::integer - 1) AS n
         ON CONFLICT (shard) DO NOTHING`,
        [shardCount],
      );
      const { rows } = await client.query<{ shard: number; epoch: string; applied_lsn: string }>(
        "UPDATE shards SET epoch = epoch + 1 RETURNING shard, epoch, applied_lsn",
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

/** What failed inside ends with the connection: a transaction left open is rolled back. */
async function withClient<T>(url: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  // The statement that runs reports the loss of its connection.
  client.on("error", () => undefined);
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end();
  }
}
