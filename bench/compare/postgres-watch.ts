import { Client } from "pg";
import type { PostgresFigures } from "../report/report.ts";

/** Ids of transactions and bytes of the log are known at once. Syncs are told once a second. */
const LOOK = `
  SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS xids,
    (SELECT sum(fsyncs) FROM pg_stat_io WHERE object = 'wal')::text AS syncs,
    pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::text AS bytes`;

interface Looked {
  readonly xids: string;
  readonly syncs: string;
  readonly bytes: string;
}

/** What a PostgreSQL did while it was looked at, all of its sessions together. */
export class PostgresWatch {
  readonly #client: Client;
  readonly #start: Looked;

  private constructor(client: Client, start: Looked) {
    this.#client = client;
    this.#start = start;
  }

  static async start(url: string): Promise<PostgresWatch> {
    const client = new Client({ connectionString: url });
    // It ends with the database, when we are interrupted.
    client.on("error", () => undefined);
    await client.connect();
    return new PostgresWatch(client, await looked(client));
  }

  async stop(): Promise<PostgresFigures> {
    const [start, end] = [this.#start, await looked(this.#client)];
    const more = (name: keyof Looked): number => Number(end[name]) - Number(start[name]);
    await this.#client.end();
    return { transactions: more("xids"), walSyncs: more("syncs"), walBytes: more("bytes") };
  }
}

async function looked(client: Client): Promise<Looked> {
  const { rows } = await client.query<Looked>(LOOK);
  const [row] = rows;
  if (row === undefined) throw new Error("a row is told");
  return row;
}
