/** The second lock by tables: what is neither behind policies nor out of reach has a reason. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client } from "pg";
import { GATEWAY_ROLE } from "../../sql/gateway-role.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

/** Relations that the gateway reads without policies. */
const WITHOUT_POLICIES: Readonly<Record<string, string>> = {
  customer_bookings: "a view that asks for itself who sells for the organisation",
  event_search: "published events, for everybody to find",
  member_addresses: "a view that asks for itself who may see which row",
  search_keys: "what published events are found by",
  search_words: "words of published events",
};
/** Functions that do as the owner may do. */
const AS_OWNER: Readonly<Record<string, string>> = {
  organizations_of_asker: "tells the asker's own memberships: the members' policies ask it",
  is_being_founded: "tells whether an id is nobody's",
  promo_codes_of: "asks for itself who sells the event",
  take_up_invitation: "asks for itself who owns the organisation, and tells nothing",
  forget_asker_in_history: "changes what tells of the asker",
  webhook_secrets_of: "asks for itself who organises",
  forget_asker_in_campaigns: "changes what tells of the asker",
  object_to_tracking: "asks for itself whether it is the campaigns' office, and tells nothing",
  tracking_objected: "asks for itself whether it is the campaigns' office",
};

let database: TestDatabase;
let client: Client;
before(async () => {
  database = await createTestDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
});
after(async () => {
  await client.end();
  await database.drop();
});

async function names(text: string, values: readonly unknown[] = []): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(text, [...values]);
  return rows.map(({ name }) => name).sort();
}

const IN_REACH = `
  c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relnamespace = 'public'::regnamespace AND (
    has_table_privilege($1, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
    OR has_any_column_privilege($1, c.oid, 'SELECT, INSERT, UPDATE'))`;

test("every table that the gateway reaches has policies, or a reason why not", async () => {
  const open = await names(
    `SELECT c.relname AS name FROM pg_class c WHERE ${IN_REACH} AND NOT (
       c.relrowsecurity AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid))`,
    [GATEWAY_ROLE],
  );
  assert.deepEqual(open, Object.keys(WITHOUT_POLICIES));
});

test("the engine's own tables are out of reach, and so are promo codes", async () => {
  const unreached = await names(
    `SELECT c.relname AS name FROM pg_class c
     WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND NOT (${IN_REACH})`,
    [GATEWAY_ROLE],
  );
  const engine = ["key_blocks", "operation_log", "operation_log_ends"];
  const notifier = ["dead_letters", "paused_lanes", "push_deliveries", "reminder_runs"];
  const others = ["blocked_places", "schema_versions", "shards", "tracking_objections"];
  assert.deepEqual(unreached, [...engine, ...notifier, ...others].sort());
  const hidden = await names(
    `SELECT a.attrelid::regclass || '.' || a.attname AS name FROM pg_attribute a
     JOIN pg_class c ON c.oid = a.attrelid
     WHERE ${IN_REACH} AND a.attnum > 0 AND NOT a.attisdropped
       AND NOT has_column_privilege($1, c.oid, a.attnum, 'SELECT')`,
    [GATEWAY_ROLE],
  );
  const ofInventories = ["currency", "definition", "seat_map", "seats_free"].map(
    (name) => `inventories.${name}`,
  );
  const ofOutbox = ["at_ms", "change", "detail", "event_id", "id", "kind", "seq", "subject_id"].map(
    (name) => `outbox.${name}`,
  );
  const ofRecipients = ["campaign_recipients.address", "campaign_recipients.user_id"];
  const ofBrowsers = ["auth", "p256dh", "refusals"].map((name) => `push_subscriptions.${name}`);
  const ofWebhooks = ["webhooks.old_secret", "webhooks.secret"];
  const hiddenOnes = [...ofRecipients, "events.promo_codes", ...ofInventories, ...ofOutbox];
  assert.deepEqual(hidden, [...hiddenOnes, ...ofBrowsers, ...ofWebhooks]);
});

test("the gateway's role can't pass by the policies, nor change the schema", async () => {
  const { rows } = await client.query(
    `SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin,
       has_schema_privilege(rolname, 'public', 'CREATE') AS creates,
       EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid) AS is_member
     FROM pg_roles r WHERE rolname = $1`,
    [GATEWAY_ROLE],
  );
  assert.deepEqual(new Set(Object.values(rows[0] ?? {})), new Set([false]));
  const owned = await names(
    `SELECT relname AS name FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
     WHERE r.rolname = $1`,
    [GATEWAY_ROLE],
  );
  assert.deepEqual(owned, []);
});

test("whatever does as the owner may has a reason, and is not for everybody", async () => {
  const definers = await names(
    `SELECT proname AS name FROM pg_proc
     WHERE prosecdef AND pronamespace = 'public'::regnamespace
       AND has_function_privilege($1, oid, 'EXECUTE')`,
    [GATEWAY_ROLE],
  );
  assert.deepEqual(definers, Object.keys(AS_OWNER).sort());
  const forAll = await names(
    `SELECT proname AS name FROM pg_proc p, aclexplode(p.proacl) a
     WHERE prosecdef AND pronamespace = 'public'::regnamespace AND a.grantee = 0`,
  );
  assert.deepEqual(forAll, []);
});
