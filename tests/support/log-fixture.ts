import { Client } from "pg";
import { type Clock, systemClock } from "../../workers/clock.ts";
import type { Watermarks } from "../../workers/journal/journal-port.ts";
import type { PgJournalPorts } from "../../workers/journal/pg-journal.ts";
import { PgOperationLog } from "../../workers/journal/pg-operation-log.ts";
import { type OwnedShard, PgShardTable } from "../../workers/store/shard-table.ts";
import { Died } from "./journal-fixture.ts";

/** The machine's clock, on which the end of a process ends nothing but the turn. */
export const mortalClock: Clock = {
  ...systemClock,
  soon: (run) =>
    systemClock.soon(() => {
      try {
        run();
      } catch (error) {
        if (!(error instanceof Died)) throw error;
      }
    }),
};

/** What a journal over PostgreSQL needs; `deaths` has the reasons why the process should end. */
export function logPorts(databaseUrl: string): PgJournalPorts & { readonly deaths: Error[] } {
  const deaths: Error[] = [];
  return {
    log: new PgOperationLog(databaseUrl),
    clock: mortalClock,
    deaths,
    die: (reason, cause) => {
      deaths.push(new Error(reason, { cause }));
      throw new Died(reason, { cause });
    },
  };
}

/** Takes the shards over, of which the database is made to have this much. */
export async function acquireAt(
  databaseUrl: string,
  shardCount: number,
  watermarks: Watermarks,
): Promise<OwnedShard[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  for (const [shard, lsn] of watermarks) {
    await client.query(
      `INSERT INTO shards (shard, epoch, applied_lsn) VALUES ($1, 0, $2)
       ON CONFLICT (shard) DO UPDATE SET applied_lsn = EXCLUDED.applied_lsn`,
      [shard, lsn],
    );
  }
  await client.end();
  return new PgShardTable(databaseUrl).acquire(shardCount);
}
