import { type Connection, escapeLiteral, Query, type QueryConfig } from "pg";
import type { Scope } from "./scope.ts";

/**
 * A statement that says as whom it asks, in one round trip:
 *
 *   Bind, Execute   set_config(…, is_local = true), prepared when the connection was made
 *   Parse, Bind, Describe, Execute   the statement itself
 *   Sync
 *
 * Up to the Sync all of it is one transaction. So the settings are gone with it, however it ends:
 * whoever has the connection next finds none, and an error in one half undoes both.
 */

const SET_SCOPE =
  "SELECT set_config('evently.user', $1, true), set_config('evently.role', $2, true)," +
  " set_config('evently.event', $3, true)";

/** To be run on every new connection. The scope that it sets is over at once. */
export const PREPARE_SCOPE = { name: "evently-scope", text: SET_SCOPE, values: ["", "", ""] };

/** For the beginning of a transaction of several statements: what is set ends with it. */
export function beginIn({ user, role, event }: Scope): string {
  const set = (name: string, value: string): string =>
    `set_config('evently.${name}', ${escapeLiteral(value)}, true)`;
  return `BEGIN; SELECT ${set("user", user)}, ${set("role", role)}, ${set("event", event)}`;
}

/** A pg.Query with what the client calls on it, as pg-cursor has it, too. */
interface Submitted extends Omit<Query, "submit"> {
  submit(connection: Connection): void;
  handleDataRow?(message: unknown): void;
  handleCommandComplete?(message: unknown, connection: Connection): void;
}
type Callback = (error: Error | undefined, result: unknown) => void;
type Extended = QueryConfig & { readonly queryMode: "extended" };
const Submittable = Query as new (config: Extended, values: undefined, done: Callback) => Submitted;

export class ScopedQuery extends Submittable {
  readonly #scope: Scope;
  /** The answers of the first half are not the statement's. */
  #isSet = false;

  constructor(scope: Scope, config: QueryConfig, done: Callback) {
    // In the simple protocol an error of the first half would swallow the second one's end.
    super({ ...config, queryMode: "extended" }, undefined, done);
    this.#scope = scope;
  }

  override submit(connection: Connection): void {
    const { user, role, event } = this.#scope;
    const values = [user, role, event];
    connection.stream.cork();
    try {
      connection.bind({ statement: PREPARE_SCOPE.name, values }, true);
      connection.execute({}, true);
      return super.submit(connection);
    } finally {
      connection.stream.uncork();
    }
  }

  override handleDataRow(message: unknown): void {
    if (this.#isSet) super.handleDataRow?.(message);
  }

  override handleCommandComplete(message: unknown, connection: Connection): void {
    if (this.#isSet) super.handleCommandComplete?.(message, connection);
    this.#isSet = true;
  }
}
