import { channel } from "node:diagnostics_channel";
import { DatabaseError, type PoolClient, type QueryConfig, type QueryResult } from "pg";
import type { DatabasePool } from "../database-pool.ts";
import type { Scope } from "./scope.ts";
import { beginIn, ScopedQuery } from "./scoped-query.ts";

/** What a statement goes to. Rows have the form that the caller says they have. */
export interface Queries {
  query<Row extends object>(
    statement: string | QueryConfig,
    values?: readonly unknown[],
  ): Promise<QueryResult<Row>>;
}

/** Statements of one scope. */
export interface Scoped extends Queries {
  /** All changes of `work`, or, when it throws, none. */
  transaction<T>(work: (client: Queries) => Promise<T>): Promise<T>;
}

/** Where statements of any scope go: the gateway's database, or rows that need none. */
export interface ScopedRows {
  in(scope: Scope): Scoped;
}

/** What is published on `evently.statement` before a statement is sent. */
export interface StatementNotice {
  readonly scope: Scope;
  readonly text: string;
  readonly values: readonly unknown[];
}
const statements = channel("evently.statement");

/**
 * The gateway's one way to PostgreSQL: `database.in(scope).query(…)`.
 *
 * Invariants:
 * - No statement goes out without its scope, and none finds another's: the settings end with its
 *   transaction, on whichever connection and however that ends.
 * - A connection that may be in the middle of something is closed, not given to the next one.
 */
export class Database implements ScopedRows {
  readonly #pool: DatabasePool;

  constructor(pool: DatabasePool) {
    this.#pool = pool;
  }

  in(scope: Scope): Scoped {
    return {
      query: (statement, values) => {
        const config = configOf(statement, values);
        tell(scope, config);
        return this.#onLine((line) => line.askAs(scope, config));
      },
      transaction: (work) => this.#onLine((line) => inTransaction(line, scope, work)),
    };
  }

  async #onLine<T>(work: (line: Line) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    const line = new Line(client);
    try {
      return await work(line);
    } finally {
      client.release(line.isLost);
    }
  }
}

/** A connection while it is somebody's. */
class Line {
  /** It did not answer, or not to the end: it may still be busy with what it was asked. */
  isLost = false;
  readonly #client: PoolClient;

  constructor(client: PoolClient) {
    this.#client = client;
  }

  /** One statement within a transaction. */
  ask<Row extends object>(config: string | QueryConfig): Promise<QueryResult<Row>> {
    return this.#noting(this.#client.query<Row>(config));
  }

  /** One statement that is a transaction. */
  askAs<Row extends object>(scope: Scope, config: QueryConfig): Promise<QueryResult<Row>> {
    const answer = new Promise<QueryResult<Row>>((resolve, reject) => {
      const done = (error: Error | undefined | null, result: unknown): void => {
        if (error === undefined || error === null) resolve(result as QueryResult<Row>);
        else reject(error);
      };
      this.#client.query(new ScopedQuery(scope, config, done));
    });
    return this.#noting(answer);
  }

  async #noting<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      this.isLost ||= !(error instanceof DatabaseError && error.severity === "ERROR");
      throw error;
    }
  }
}

async function inTransaction<T>(
  line: Line,
  scope: Scope,
  work: (client: Queries) => Promise<T>,
): Promise<T> {
  await line.ask(beginIn(scope));
  try {
    const result = await work({
      query(statement, values) {
        const config = configOf(statement, values);
        tell(scope, config);
        return line.ask(config);
      },
    });
    const { command } = await line.ask("COMMIT");
    // So PostgreSQL ends a transaction in which a statement failed and nobody minded.
    if (command !== "COMMIT") throw new Error("a transaction was rolled back instead of committed");
    return result;
  } catch (error) {
    if (!line.isLost) {
      await line.ask("ROLLBACK").catch(() => {
        line.isLost = true;
      });
    }
    throw error;
  }
}

function configOf(
  statement: string | QueryConfig,
  values: readonly unknown[] | undefined,
): QueryConfig {
  if (typeof statement !== "string") return statement;
  return { text: statement, values: values === undefined ? [] : [...values] };
}

function tell(scope: Scope, { text, values }: QueryConfig): void {
  if (!statements.hasSubscribers) return;
  const notice: StatementNotice = { scope, text, values: values ?? [] };
  statements.publish(notice);
}
