import type { Queries } from "./database.ts";

/**
 * Whoever else wants a turn of this name waits until this transaction has ended, on whichever node:
 * for what no constraint can say, such as how many of something there may be.
 */
export async function takeTurn(within: Queries, name: string): Promise<void> {
  await within.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [name]);
}
