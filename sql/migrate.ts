import { fileURLToPath } from "node:url";
import { Client } from "pg";
import Postgrator from "postgrator";
import { ensureGatewayRole, GatewayRoleMissing, requireRowSecurity } from "./gateway-role.ts";
import { READ_COMMITTED } from "./isolation.ts";

/** Oldest server whose SQL the migrations and statements use. */
const SERVER_MAJOR_MIN = 15;
/** Nothing else locks by this number: "evnt" in ASCII. */
const MIGRATION_LOCK = 0x65766e74;
const DIRECTORY = fileURLToPath(new URL(".", import.meta.url));

export class MigrationFailed extends Error {
  readonly code = "migration_failed";
}

/**
 * Brings the database's schema up to the newest numbered file of this directory. Files are
 * append-only: one that changed after it ran is refused. All new files and their version rows are
 * one transaction, so a crash leaves the old schema or the new one. Of several processes that start
 * at once, one migrates and the others wait for it.
 */
export async function migrate(databaseUrl: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  // The query that was running reports the loss of its connection.
  client.on("error", () => undefined);
  try {
    await client.connect();
    await requireServer(client);
    await client.query(READ_COMMITTED);
    await client.query("BEGIN");
    await client.query("SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
    await ensureGatewayRole(client);
    await runFiles(client);
    await requireRowSecurity(client);
    await client.query("COMMIT");
  } catch (cause) {
    if (cause instanceof MigrationFailed || cause instanceof GatewayRoleMissing) throw cause;
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new MigrationFailed(`the database could not be migrated: ${text}`, { cause });
  } finally {
    // Ends a transaction that failed, too.
    await client.end();
  }
}

async function requireServer(client: Client): Promise<void> {
  const { rows } = await client.query<{ number: string }>(
    "SELECT current_setting('server_version_num') AS number",
  );
  const major = Math.floor(Number(rows[0]?.number) / 10_000);
  if (major >= SERVER_MAJOR_MIN) return;
  throw new MigrationFailed(`PostgreSQL ${SERVER_MAJOR_MIN} or newer is needed, this is ${major}`);
}

async function runFiles(client: Client): Promise<void> {
  const directory = DIRECTORY.replaceAll("\\", "/").replace(/[?*()[\]{}]/g, "\\$&");
  const postgrator = new Postgrator({
    driver: "pg",
    migrationPattern: `${directory}*.do.*.sql`,
    schemaTable: "schema_versions",
    newline: "LF",
    execQuery: (query) => client.query(query),
    execSqlScript: async (script) => {
      await client.query(script);
    },
  });
  const newest = await postgrator.getMaxVersion();
  // A database that a newer program has migrated would be driven "down", which no file describes.
  if ((await postgrator.getDatabaseVersion()) > newest) {
    throw new MigrationFailed("the database belongs to a newer version of this program");
  }
  await postgrator.migrate();
  if ((await postgrator.getDatabaseVersion()) !== newest) {
    throw new MigrationFailed(`the database is not at schema version ${newest}`);
  }
}
