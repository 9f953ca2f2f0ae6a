import { Pool, type PoolClient, type QueryConfig, type QueryResult } from "pg";
import { NOTIFIER_CONNECTIONS_MAX, NOTIFIER_STATEMENT_MS_MAX } from "../../engine/lane-limits.ts";
import { READ_COMMITTED } from "../../sql/isolation.ts";
import type { Log } from "../log.ts";
import type { Queries, Scoped } from "../tenancy/database.ts";

/**
 * The notifier's connections to PostgreSQL, as the owner of the tables: it works for people of all
 * organisations at once. Policies do not hold here; every statement names its tenant itself.
 */
export class OwnerRows implements Scoped {
  readonly #pool: Pool;

  constructor(databaseUrl: string, log: Pick<Log, "warn">) {
    this.#pool = new Pool({
      connectionString: databaseUrl,
      application_name: "evently notifier",
      max: NOTIFIER_CONNECTIONS_MAX,
      connectionTimeoutMillis: NOTIFIER_STATEMENT_MS_MAX,
      query_timeout: NOTIFIER_STATEMENT_MS_MAX,
      idle_in_transaction_session_timeout: NOTIFIER_STATEMENT_MS_MAX,
      keepAlive: true,
      onConnect: (client) => client.query(READ_COMMITTED),
    });
    // Lost between two statements of a transaction: the second one fails, and says so.
    this.#pool.on("connect", (client) => client.on("error", () => undefined));
    this.#pool.on("error", ({ message }) =>
      log.warn({ reason: message }, "a database connection was lost"),
    );
  }

  query<Row extends object>(
    statement: string | QueryConfig,
    values?: readonly unknown[],
  ): Promise<QueryResult<Row>> {
    return this.#pool.query<Row>(configOf(statement, values));
  }

  async transaction<T>(work: (client: Queries) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    try {
      await client.query("BEGIN");
      const result = await work({
        query: (statement, values) => client.query(configOf(statement, values)),
      });
      await client.query("COMMIT");
      client.release();
      return result;
    } catch (error) {
      await rollBack(client);
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}

function configOf(statement: string | QueryConfig, values?: readonly unknown[]): QueryConfig {
  if (typeof statement !== "string") return statement;
  return values === undefined ? { text: statement } : { text: statement, values: [...values] };
}

/** A connection on which even this fails is not given to anybody else. */
async function rollBack(client: PoolClient): Promise<void> {
  try {
    await client.query("ROLLBACK");
    client.release();
  } catch {
    client.release(true);
  }
}
