/** Statements as the owner of the tables, as the notifier sends them. */
import { Pool, type PoolClient } from "pg";
import type { Queries, Scoped } from "../../gateway/tenancy/database.ts";

export interface OwnerRows extends Scoped {
  end(): Promise<void>;
}

export function openOwnerRows(url: string, max = 5): OwnerRows {
  const pool = new Pool({ connectionString: url, max });
  // Dropping the database may meet a connection that is just saying goodbye.
  pool.on("error", () => undefined);
  return { ...ownerRows(pool), end: () => pool.end() };
}

export function ownerRows(pool: Pool): Scoped {
  return {
    ...queriesOf(pool),
    async transaction(work) {
      const client = await pool.connect();
      try {
        await client.query("BEGIN");
        const result = await work(queriesOf(client));
        await client.query("COMMIT");
        return result;
      } catch (error) {
        await client.query("ROLLBACK");
        throw error;
      } finally {
        client.release();
      }
    },
  };
}

function queriesOf(line: Pool | PoolClient): Queries {
  return {
    query: <Row extends object>(
      statement: Parameters<Queries["query"]>[0],
      values?: readonly unknown[],
    ) =>
      typeof statement === "string"
        ? line.query<Row>(statement, values === undefined ? [] : [...values])
        : line.query<Row>(statement),
  };
}
