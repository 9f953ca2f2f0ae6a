import type { Pool, PoolClient } from "pg";

/** Runs `work` in one transaction: all of its changes, or, when it throws, none. */
export async function inTransaction<T>(
  pool: Pool,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let failure: Error | undefined;
  try {
    await client.query("BEGIN");
    const result = await work(client);
    await client.query("COMMIT");
    return result;
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    // A connection with a failed transaction is not mended but closed, which ends both.
    client.release(failure);
  }
}
