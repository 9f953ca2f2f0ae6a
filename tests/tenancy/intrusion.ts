/**
 * Sends statements as somebody else, in a database that nobody uses meanwhile, and takes back
 * whatever they did.
 *
 *   BEGIN
 *     each statement as the intruder: its outcome, and what it changed of others
 *     the private rows of all others are removed
 *     each statement as the intruder: its outcome again
 *   ROLLBACK
 *
 * Whoever can tell the first outcome from the second has read something of others. All of it is one
 * transaction, so that the time is the same.
 */
import { Client } from "pg";
import type { Scope } from "../../gateway/tenancy/scope.ts";
import { GATEWAY_ROLE } from "../../sql/gateway-role.ts";
import type { Statement } from "./statement-log.ts";

export interface Finding {
  readonly statement: Statement;
  /** Of its first outcome; null: it was not refused. */
  readonly code: string | null;
  /** What was told of others: the two outcomes. null: nothing. */
  readonly told: readonly [withThem: string, withoutThem: string] | null;
  /** Tables of which rows of others were changed, removed or added. */
  readonly changed: readonly string[];
}

export interface IntrusionOptions {
  /** False: as if there were no policies, to see that they are what is tested. */
  readonly withPolicies: boolean;
}

interface Outcome {
  readonly text: string;
  readonly code: string | null;
}

/** Public, whoever they belong to: what a stranger may know of others. */
const PUBLIC: Readonly<Record<string, string>> = {
  events: "status <> 'draft' AND NOT never_published",
  organizations: "EXISTS (SELECT FROM events e WHERE e.organization_id = t.id)",
  inventories: "EXISTS (SELECT FROM events e WHERE e.id = t.event_id)",
  event_search: "true",
  search_keys: "true",
  search_words: "true",
  inventory_areas: "EXISTS (SELECT FROM events e WHERE e.id = t.event_id)",
};
const IS_THEIRS = "EXISTS (SELECT FROM intrusion.others o WHERE strpos(t::text, o.id) > 0)";
const UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";

/** Invariant: the database is the same after every method but `rememberOthers`. */
export class Intrusion {
  readonly #client: Client;
  readonly #tables: readonly string[];

  private constructor(client: Client, tables: readonly string[]) {
    this.#client = client;
    this.#tables = tables;
  }

  /** As the owner of a database. */
  static async open(databaseUrl: string): Promise<Intrusion> {
    const client = new Client({ connectionString: databaseUrl });
    await client.connect();
    const { rows } = await client.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relkind IN ('r', 'p')
         AND relnamespace = 'public'::regnamespace AND relname <> 'schema_versions' ORDER BY 1`,
    );
    return new Intrusion(
      client,
      rows.map(({ name }) => name),
    );
  }

  close(): Promise<void> {
    return this.#client.end();
  }

  /** Whatever has one of the ids that are there now belongs to others from now on. */
  async rememberOthers(): Promise<void> {
    const ids = this.#tables.map(
      (table) => `SELECT regexp_matches(t::text, '${UUID}', 'g') AS found FROM ${table} t`,
    );
    await this.#client.query("CREATE SCHEMA intrusion");
    await this.#client.query(
      `CREATE TABLE intrusion.others AS
       SELECT DISTINCT found[1] AS id FROM (${ids.join(" UNION ALL ")}) all_ids`,
    );
  }

  async try(
    scope: Scope,
    statements: readonly Statement[],
    { withPolicies }: IntrusionOptions,
  ): Promise<Finding[]> {
    await this.#client.query("BEGIN");
    try {
      if (!withPolicies) {
        for (const table of this.#tables) {
          await this.#client.query(`ALTER TABLE ${table} DISABLE ROW LEVEL SECURITY`);
        }
      }
      const untouched = await this.#fingerprint();
      const first: { readonly outcome: Outcome; readonly changed: readonly string[] }[] = [];
      for (const statement of statements) {
        const { outcome, after } = await this.#send(scope, statement);
        const changed = this.#tables.filter((table) => after?.[table] !== untouched[table]);
        first.push({ outcome, changed: after === null ? [] : changed });
      }
      await this.#removeOthers();
      const findings: Finding[] = [];
      for (const [index, statement] of statements.entries()) {
        const { text: withoutThem } = (await this.#send(scope, statement)).outcome;
        const { outcome, changed } = first[index] ?? { outcome: null, changed: [] };
        const withThem = outcome?.text ?? "";
        const told = withThem === withoutThem ? null : ([withThem, withoutThem] as const);
        findings.push({ statement, code: outcome?.code ?? null, told, changed });
      }
      return findings;
    } finally {
      await this.#client.query("ROLLBACK");
    }
  }

  /** `after` null: it has changed nothing at all. */
  async #send(
    scope: Scope,
    { text, values }: Statement,
  ): Promise<{ outcome: Outcome; after: Record<string, string> | null }> {
    await this.#client.query("SAVEPOINT before");
    try {
      await this.#client.query(`SET LOCAL ROLE ${GATEWAY_ROLE}`);
      await this.#client.query(
        `SELECT set_config('evently.user', $1, true), set_config('evently.role', $2, true),
           set_config('evently.event', $3, true)`,
        [scope.user, scope.role, scope.event],
      );
      const writes = await this.#writes();
      const { rows, rowCount } = await this.#client.query<object>(text, [...values]);
      await this.#client.query("RESET ROLE");
      const lines = rows.map((row) => JSON.stringify(row)).sort();
      const outcome = { text: `${rowCount} rows: ${lines.join(" ")}`, code: null };
      const hasWritten = (await this.#writes()) !== writes;
      return { outcome, after: hasWritten ? await this.#fingerprint() : null };
    } catch (error) {
      const isCoded = error instanceof Error && "code" in error && typeof error.code === "string";
      if (!isCoded) throw error;
      const code = String(error.code);
      return { outcome: { text: `refused with ${code}`, code }, after: null };
    } finally {
      await this.#client.query("ROLLBACK TO before");
    }
  }

  /** How many rows this transaction has written so far, those taken back included. */
  async #writes(): Promise<string | undefined> {
    const { rows } = await this.#client.query<{ count: string }>(
      "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) AS count FROM pg_stat_xact_user_tables",
    );
    return rows[0]?.count;
  }

  async #removeOthers(): Promise<void> {
    // Nobody's references matter any more.
    await this.#client.query("SET LOCAL session_replication_role = replica");
    for (const table of ["events", ...this.#tables.filter((name) => name !== "events")]) {
      const isPublic = PUBLIC[table] ?? "false";
      await this.#client.query(`DELETE FROM ${table} t WHERE NOT (${isPublic}) AND ${IS_THEIRS}`);
    }
    await this.#client.query(`UPDATE events t SET promo_codes = '[]' WHERE ${IS_THEIRS}`);
    await this.#client.query("SET LOCAL session_replication_role = origin");
  }

  async #fingerprint(): Promise<Record<string, string>> {
    const parts = this.#tables.map(
      (name) =>
        `SELECT '${name}' AS name, md5(string_agg(t::text, '|' ORDER BY t::text)) AS rows
         FROM ${name} t WHERE ${IS_THEIRS}`,
    );
    const { rows } = await this.#client.query<{ name: string; rows: string }>(
      parts.join(" UNION ALL "),
    );
    return Object.fromEntries(rows.map((row) => [row.name, row.rows]));
  }
}
