import type { Client } from "pg";

/**
 * Whom the gateway's statements run as: a role that owns nothing, so that the policies of
 * sql/015.do.tenancy.sql hold for it. Roles belong to the whole server; all databases share it.
 */
export const GATEWAY_ROLE = "evently_gateway";

/** The database user may not do what is needed, and a person has to. */
export class GatewayRoleMissing extends Error {
  readonly code = "gateway_role_missing";
}

const INSUFFICIENT_PRIVILEGE = "42501";

/**
 * Makes the role where it is missing, and lets the database user become it. To be called in a
 * transaction. Two that start at once, on two databases of one server, are both content with what
 * one of them made. Throws GatewayRoleMissing, which says what an administrator has to run.
 */
export async function ensureGatewayRole(client: Client): Promise<void> {
  const { rows } = await client.query<{ known: boolean; user: string }>(
    `SELECT current_user AS user,
       EXISTS (SELECT FROM pg_roles WHERE rolname = '${GATEWAY_ROLE}') AS known`,
  );
  const { known = false, user = "" } = rows[0] ?? {};
  if (!known) {
    await orAskFor(user, client.query(unlessRaced(`CREATE ROLE ${GATEWAY_ROLE} NOLOGIN`)));
  }
  if (await mayBecome(client)) return;
  await orAskFor(user, client.query(unlessRaced(`GRANT ${GATEWAY_ROLE} TO CURRENT_USER`)));
  if (!(await mayBecome(client))) throw missing(user);
}

/**
 * Whether the policies hold for the role: they do not where it is a superuser, may pass by row
 * security, or owns the tables.
 */
export async function requireRowSecurity(client: Client): Promise<void> {
  await client.query(`SET LOCAL ROLE ${GATEWAY_ROLE}`);
  const { rows } = await client.query<{ active: boolean }>(
    "SELECT row_security_active('bookings') AS active",
  );
  await client.query("RESET ROLE");
  if (rows[0]?.active === true) return;
  throw new GatewayRoleMissing(
    `row security does not hold for the role ${GATEWAY_ROLE}: it must be neither a superuser nor` +
      " BYPASSRLS, nor a member of a role that is, or that owns the tables",
  );
}

/** Another database's start has done it at this very moment: that is as good. */
function unlessRaced(statement: string): string {
  return `DO $$ BEGIN ${statement};
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`;
}

async function mayBecome(client: Client): Promise<boolean> {
  await client.query("SAVEPOINT becoming");
  try {
    await client.query(`SET LOCAL ROLE ${GATEWAY_ROLE}`);
    return true;
  } catch (error) {
    if (!isForbidden(error)) throw error;
    return false;
  } finally {
    await client.query("ROLLBACK TO becoming");
  }
}

async function orAskFor(user: string, doing: Promise<unknown>): Promise<void> {
  try {
    await doing;
  } catch (cause) {
    throw isForbidden(cause) ? missing(user, cause) : cause;
  }
}

function missing(user: string, cause?: unknown): GatewayRoleMissing {
  return new GatewayRoleMissing(
    `the database user ${user} may neither create nor become the role ${GATEWAY_ROLE}: have an` +
      ` administrator run CREATE ROLE ${GATEWAY_ROLE} NOLOGIN (where it is missing) and` +
      ` GRANT ${GATEWAY_ROLE} TO "${user}"`,
    { cause },
  );
}

const isForbidden = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === INSUFFICIENT_PRIVILEGE;
