/**
 * The second lock, statement by statement: what the gateway sends, sent again as somebody else. It
 * must answer as if the rows of others were not there, and change nothing.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client } from "pg";
import type { EventTag, UserId } from "../../engine/ids.ts";
import { freshUserId } from "../../gateway/identity/users.ts";
import { asker, NOBODY, namedEvent, person, type Scope } from "../../gateway/tenancy/scope.ts";
import { ApiClient } from "../support/client.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { openGatewayDatabase } from "../support/gateway-database.ts";
import { MailFolder } from "../support/mail-folder.ts";
import { openOwnerRows } from "../support/owner-rows.ts";
import { forgetful } from "./forgetful-statement.ts";
import { type InProcessNode, startInProcess } from "./in-process-node.ts";
import { type Finding, Intrusion } from "./intrusion.ts";
import { callSites, StatementLog } from "./statement-log.ts";
import { MAILED, type Tenant, TenantsLife } from "./tenants-life.ts";

/** PostgreSQL's unique_violation: of an id that the gateway drew for another. */
const TAKEN = "23505";
/** Also insufficient_privilege, as which policies refuse; and one's own rows that are in use. */
const EXPECTED = new Set([TAKEN, "42501", "23503"]);

let database: TestDatabase;
let log: StatementLog;
let intrusion: Intrusion;
let intruders: Tenant;
before(async () => {
  database = await createTestDatabase();
  await mailed(database.url);
  intrusion = await Intrusion.open(database.url);
  log = new StatementLog();
  const node: InProcessNode = await startInProcess(database.url);
  const api = new ApiClient(() => node.url);
  const life = new TenantsLife(api, new MailFolder(() => node.dataDir));
  const gateway = openGatewayDatabase(database.url);
  try {
    const ours = await life.open();
    await life.gather(ours);
    await life.live(ours);
    await life.sell(ours);
    await life.furnish(ours);
    await life.connect(ours);
    await life.advertise(ours);
    await mail(database.url);
    await life.pay(ours);
    await life.mend(gateway.database, ours);
    log.close();
    await intrusion.rememberOthers();
    intruders = await life.open();
  } finally {
    log.close();
    api.close();
    await gateway.end();
    await node.stop();
  }
});
after(async () => {
  await intrusion.close();
  await database.drop();
});

/** As if their campaigns had been sent. */
async function mail(databaseUrl: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(
    `INSERT INTO campaign_recipients
       (campaign_id, position, organization_id, digest, address, state, variant, opens)
     SELECT id, 0, organization_id, campaign_digest(id, 'buyer@example.org'), 'buyer@example.org',
       'sent', 0, 1
     FROM campaigns`,
  );
  await client.end();
}

/** Mails, as the notifier has left it: the gateway sends none. */
async function mailed(url: string): Promise<void> {
  const rows = openOwnerRows(url);
  for (const id of [MAILED, `other-${MAILED}`]) {
    await rows.query(
      `INSERT INTO mails VALUES ($1, 'campaign', null, '\\x01', 'example.org', $1, 'sent', 1, null,
         'primary', null, $2::bigint, $2::bigint, 0)`,
      [id, Date.now()],
    );
  }
  await rows.end();
}

/** Who must not find out anything about the tenant whose statements these were. */
function strangers(): [string, Scope][] {
  const { owner, buyer, draftId } = intruders;
  const ids = { owner: owner.user.id as UserId, buyer: buyer.user.id as UserId };
  return [
    ["nobody", NOBODY],
    ["the owner of another organisation", asker({ userId: ids.owner, role: "customer" })],
    ["a customer of another organisation", person(ids.buyer)],
    ["a guest", asker({ userId: freshUserId(), role: "guest" })],
    ["whoever names another's draft", namedEvent(draftId.slice(26) as EventTag)],
  ];
}

/** That an id which the gateway drew at random is another's is no news. */
const isLeak = ({ told, changed, code }: Finding): boolean =>
  (told !== null && code !== TAKEN) || changed.length > 0;

const summary = ({ statement, told, changed }: Finding): string =>
  [
    `${statement.site}: ${statement.text.replace(/\s+/g, " ").slice(0, 120)}`,
    ...(told === null ? [] : [`tells ${told[0].slice(0, 300)}`, `not ${told[1].slice(0, 300)}`]),
    ...(changed.length === 0 ? [] : [`changes ${changed.join(", ")}`]),
  ].join("\n    ");

test("every statement of the gateway was sent", () => {
  const unsent = callSites().filter((site) => !log.sites.has(site));
  assert.deepEqual(unsent, []);
});

test("sent by somebody else, no statement tells of others' rows or changes one", async () => {
  for (const [who, scope] of strangers()) {
    const findings = await intrusion.try(scope, log.statements, { withPolicies: true });
    assert.deepEqual(findings.filter(isLeak).map(summary), [], `as ${who}`);
    const broken = findings.filter(({ code }) => code !== null && !EXPECTED.has(code));
    assert.deepEqual(broken.map(summary), [], `as ${who}`);
  }
});

test("nor does one that forgets which rows are meant", async () => {
  const forgotten = log.statements.map(forgetful).filter((one) => one !== null);
  for (const [who, scope] of strangers()) {
    const findings = await intrusion.try(scope, forgotten, { withPolicies: true });
    assert.deepEqual(findings.filter(isLeak).map(summary), [], `as ${who}`);
    const broken = findings.filter(({ code }) => code !== null && !EXPECTED.has(code));
    assert.deepEqual(broken.map(summary), [], `as ${who}`);
  }
  // It is the policies that keep them: without any, hardly one would be harmless.
  const [, [, scope] = ["", NOBODY]] = strangers();
  const findings = await intrusion.try(scope, forgotten, { withPolicies: false });
  // By their lines: literals, of which some are times, make a statement another text each time.
  const sitesOf = (found: readonly Finding[]) => new Set(found.map((one) => one.statement.site));
  const leaking = sitesOf(findings.filter(isLeak));
  const harmless = [...sitesOf(findings)].filter((site) => !leaking.has(site));
  assert.ok(leaking.size > 4 * harmless.length, harmless.join("\n"));
});
