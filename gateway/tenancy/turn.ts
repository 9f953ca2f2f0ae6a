import type { QueryResult } from "pg";
import { ProblemError } from "../http/problem.ts";
import type { Queries, Scoped } from "./database.ts";

/**
 * Whoever else wants a turn of this name waits until this transaction has ended, on whichever node:
 * for what no constraint can say, such as how many of something there may be.
 */
export async function takeTurn(within: Queries, name: string): Promise<void> {
  await within.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [name]);
}

/**
 * One more of something of which there may be `limit`: `insert` adds no row where there are as many
 * already, and nobody else does meanwhile who calls it by the same name. Throws `too_many`.
 */
export function addOneOf<Row extends object>(
  rows: Scoped,
  { name, limit }: { readonly name: string; readonly limit: number },
  insert: (within: Queries) => Promise<QueryResult<Row>>,
): Promise<Row> {
  return rows.transaction(async (within) => {
    await takeTurn(within, name);
    const [row] = (await insert(within)).rows;
    if (row === undefined) throw new ProblemError("too_many", { limit });
    return row;
  });
}
