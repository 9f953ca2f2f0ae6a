import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { Client, Pool } from "pg";
import { pino } from "pino";
import { fillCatalogue } from "../../bench/catalogue/fill-catalogue.ts";
import { type EventId, type OrganizationId, parseEventId } from "../../engine/ids.ts";
import { createTestDatabase, type TestDatabase } from "../../tests/support/database.ts";
import { type GatewayDatabase, openGatewayDatabase } from "../../tests/support/gateway-database.ts";
import { until } from "../../tests/support/server.ts";
import type { DatabaseFeed } from "../database-feed.ts";
import type { Database } from "../tenancy/database.ts";
import { CatalogueListener } from "./catalogue-listener.ts";
import { type CatalogueChange, changeFeed } from "./change-feed.ts";
import { EventDirectory } from "./event-directory.ts";
import { KnownStrangers } from "./known-strangers.ts";
import { NamedEvents } from "./named-events.ts";
import { SearchPages } from "./search/search-pages.ts";

/** What one node keeps, and hears. */
class Ear {
  readonly directory: EventDirectory;
  readonly pages = new SearchPages();
  readonly heard: (CatalogueChange | "deaf" | "hearing")[] = [];
  readonly feed: DatabaseFeed;

  constructor(databaseUrl: string, database: Database) {
    this.directory = new EventDirectory(new NamedEvents(database));
    const strangers = new KnownStrangers({ isOrganizer: () => Promise.resolve(false) });
    const listener = new CatalogueListener({
      directory: this.directory,
      pages: this.pages,
      strangers,
    });
    const told = {
      changed: (change: CatalogueChange) => {
        listener.changed(change);
        this.heard.push(change);
      },
      deaf: () => {
        listener.deaf();
        this.heard.push("deaf");
      },
      hearing: () => {
        listener.hearing();
        this.heard.push("hearing");
      },
    };
    this.feed = changeFeed(databaseUrl, told, pino({ level: "silent" }));
  }

  hears(kind: CatalogueChange["kind"] | "deaf" | "hearing"): boolean {
    return this.heard.some(
      (what) => what === kind || (typeof what === "object" && what.kind === kind),
    );
  }
}

describe("changes of the catalogue", () => {
  let database: TestDatabase;
  let gateway: GatewayDatabase;
  /** Of the owner. */
  let pool: Pool;
  let eventId: EventId;
  let organizationId: OrganizationId;
  let ears: readonly Ear[];

  before(async () => {
    database = await createTestDatabase();
    pool = new Pool({ connectionString: database.url, max: 4 });
    pool.on("error", () => undefined);
    const client = new Client({ connectionString: database.url });
    await client.connect();
    await fillCatalogue(client, { count: 150, seed: 3, nowMs: Date.now() });
    await client.end();
    const { rows } = await pool.query<{ id: string; organization_id: OrganizationId }>(
      "SELECT id, organization_id FROM events WHERE areas::text <> '[]' LIMIT 1",
    );
    const id = parseEventId(rows[0]?.id);
    assert.ok(id !== null && rows[0] !== undefined);
    eventId = id;
    organizationId = rows[0].organization_id;
    gateway = openGatewayDatabase(database.url);
    ears = [1, 2].map(() => new Ear(database.url, gateway.database));
    for (const { feed } of ears) await feed.start();
  });

  after(async () => {
    for (const { feed } of ears) feed.stop();
    await gateway.end();
    await pool.end();
    await database.drop();
  });

  beforeEach(() => {
    for (const { heard } of ears) heard.length = 0;
  });

  const rename = (title: string) =>
    pool.query("UPDATE events SET title = $2, version = version + 1 WHERE id = $1", [
      eventId,
      title,
    ]);
  const titles = () =>
    Promise.all(ears.map(async ({ directory }) => (await directory.get(eventId))?.title));

  it("are heard by every node, and what they keep is read anew", async () => {
    await titles();
    const page = (ear: Ear, body: string) => ear.pages.get("page", () => Promise.resolve(body));
    for (const ear of ears) await page(ear, "old");
    await rename("Renamed");
    await until("all have heard", () => ears.every((ear) => ear.hears("event")));
    assert.deepEqual(await titles(), ["Renamed", "Renamed"]);
    for (const ear of ears) assert.equal((await page(ear, "new")).body, "new");
  });

  it("name the event, the organisation or its members; of many at once, all", async () => {
    const expected: readonly (readonly [sql: string, change: CatalogueChange])[] = [
      ["UPDATE organizations SET allow_invoices = false", { kind: "all" }],
      [
        `UPDATE organizations SET allow_invoices = true WHERE id = '${organizationId}'`,
        { kind: "organization", id: organizationId },
      ],
      [
        `UPDATE inventory_areas SET capacity = capacity + 1 WHERE event_id = '${eventId}'`,
        { kind: "event", id: eventId },
      ],
      ["UPDATE events SET updated_at = now()", { kind: "all" }],
    ];
    for (const [sql, change] of expected) {
      for (const { heard } of ears) heard.length = 0;
      await pool.query(sql);
      await until(sql, () => ears.every(({ heard }) => heard.length > 0));
      assert.deepEqual(ears[0]?.heard[0], change, sql);
    }
    await pool.query(
      "INSERT INTO users (id, email, password_hash, role) VALUES ($1, 'a@b.c', '', 'customer')",
      [eventId],
    );
    for (const { heard } of ears) heard.length = 0;
    await pool.query(
      "INSERT INTO organization_members (organization_id, user_id, role) VALUES ($1, $2, 'staff')",
      [organizationId, eventId],
    );
    await until("members are told", () => ears.every((ear) => ear.hears("members")));
  });

  it("that were missed while the connection was lost are found once it is back", async () => {
    await titles();
    await pool.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'evently listener' AND datname = current_database()`);
    await until("all are deaf", () => ears.every((ear) => ear.hears("deaf")));
    await rename("Missed");
    await until("all hear again", () => ears.every((ear) => ear.hears("hearing")));
    assert.deepEqual(await titles(), ["Missed", "Missed"]);
    for (const { heard } of ears) heard.length = 0;
    await rename("Heard");
    await until("all have heard", () => ears.every((ear) => ear.hears("event")));
    assert.deepEqual(await titles(), ["Heard", "Heard"]);
  });
});
