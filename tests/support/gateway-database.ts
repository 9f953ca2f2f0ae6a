import { DatabasePool } from "../../gateway/database-pool.ts";
import { Database } from "../../gateway/tenancy/database.ts";

/** The gateway's own way to a database: policies hold on it. End the pool before the database. */
export function openGatewayDatabase(url: string, max = 5): GatewayDatabase {
  const pool = new DatabasePool({ connectionString: url, max });
  // Dropping the database may meet a connection that is just saying goodbye.
  pool.on("error", () => undefined);
  return { database: new Database(pool), end: () => pool.end() };
}

export interface GatewayDatabase {
  readonly database: Database;
  end(): Promise<void>;
}
