/**
 * How long the parts of a campaign take: `npm run bench:campaign -- 100000`. On an embedded
 * PostgreSQL that syncs nothing, with a mailer that does nothing but compose.
 */

import { parseArgs } from "node:util";
import type { UserId } from "../../engine/ids.ts";
import { Random } from "../../engine/testing/random.ts";
import type { Segment } from "../../gateway/campaigns/segment.ts";
import { segmentQuery } from "../../gateway/campaigns/segment-query.ts";
import type { Mailer } from "../../gateway/mail/mail-order.ts";
import { asker } from "../../gateway/tenancy/scope.ts";
import { commandLine, UsageError, wholeNumber } from "../support/command-line.ts";
import { createTestDatabase } from "../support/database.ts";
import { openGatewayDatabase } from "../support/gateway-database.ts";
import { CampaignStage } from "./campaign-stage.ts";
import { addCrowd, addOrganization, addUser } from "./customers.ts";

const USAGE = `
How long the parts of a campaign take (docs/CAMPAIGNS.md).

  npm run bench:campaign -- [100000] [--explain]
    100000     customers of the organisation; another has three times as many
    --explain  with the plans of the segments' statements

Exit codes: 0, 2 usage.`;

const { people, isExplaining } = commandLine({ name: "bench:campaign", usage: USAGE }, (args) => {
  const { values, positionals } = parseArgs({
    args,
    options: { explain: { type: "boolean", default: false } },
    allowPositionals: true,
  });
  const [count = "100000", ...others] = positionals;
  if (others.length > 0) throw new UsageError(`there is one number of customers, not "${others}"`);
  return { people: wholeNumber("the number of customers", count), isExplaining: values.explain };
});
const composing: Mailer = {
  async send(_, compose) {
    await compose();
    return { end: "sent" };
  },
};

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const begunMs = performance.now();
  const result = await work();
  const ms = performance.now() - begunMs;
  const rssMib = Math.round(process.memoryUsage().rss / 2 ** 20);
  process.stdout.write(`${what.padEnd(40)} ${ms.toFixed(0).padStart(8)} ms   rss ${rssMib} MiB\n`);
  return result;
}

const random = new Random(1);
const database = await createTestDatabase();
const stage = await CampaignStage.open(database.url, composing);
const gateway = openGatewayDatabase(database.url);
const organizationId = await addOrganization(stage.rows);
const ownerId = await addUser(stage.rows, "owner@example.org", { owns: organizationId });
const events = await addCrowd(stage.rows, organizationId, { people, events: 40 });
// Others have as many customers, three times.
const others = await addOrganization(stage.rows, "Others");
await addCrowd(stage.rows, others, { people: 3 * people, events: 120 });
await stage.rows.query("ANALYZE");

const segments: Record<string, Segment> = {
  "everybody who has booked": { kind: "attended" },
  "twice checked in, one of a category": {
    kind: "attended",
    atLeast: 2,
    how: "checked_in",
    categories: ["jazz", "opera"],
  },
  "spent, near, not bought, three deep": {
    kind: "all",
    of: [
      { kind: "spent", currency: "EUR", atLeast: 1_000, atMost: 20_000 },
      { kind: "attended", near: "52,10", radiusKm: 300 },
      { kind: "not", of: { kind: "bought", eventId: random.pick(events).id } },
    ],
  },
};
const rows = gateway.database.in(asker({ userId: ownerId as UserId, role: "customer" }));
for (const [name, segment] of Object.entries(segments)) {
  const { ctes, parameters } = segmentQuery(segment, { organizationId, nowMs: Date.now() });
  const text = `WITH ${ctes} SELECT count(*)::int AS count FROM people`;
  const found = await timed(`preview: ${name}`, () =>
    rows.query<{ count: number }>(text, parameters.values),
  );
  process.stdout.write(`  ${found.rows[0]?.count} people\n`);
  if (isExplaining) {
    const plan = await rows.query<Record<"QUERY PLAN", string>>(
      `EXPLAIN (ANALYZE, BUFFERS) ${text}`,
      parameters.values,
    );
    process.stdout.write(`${plan.rows.map((row) => row["QUERY PLAN"]).join("\n")}\n`);
  }
}
const id = await stage.schedule({ organizationId });
await timed("list of recipients", async () => {
  for (let pages = 0; pages < 1_000; pages++) {
    await stage.tick();
    const { rows: listed } = await stage.rows.query(
      "SELECT FROM campaigns WHERE id = $1 AND listed_at IS NOT NULL",
      [id],
    );
    if (listed.length > 0) return;
  }
});
await timed("sending", () => stage.runUntil(id, "sent"));
process.stdout.write(`${JSON.stringify(await stage.ends(id))}\n`);
await gateway.end();
await stage.close();
await database.drop();
