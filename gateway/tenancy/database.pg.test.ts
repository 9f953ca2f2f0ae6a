import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { UserId } from "../../engine/ids.ts";
import { createTestDatabase, type TestDatabase } from "../../tests/support/database.ts";
import { DatabasePool } from "../database-pool.ts";
import { freshUserId } from "../identity/users.ts";
import { Database } from "./database.ts";
import { asker, NOBODY, person, platform, type Scope } from "./scope.ts";

let own: TestDatabase;
let pool: DatabasePool;
let database: Database;
before(async () => {
  own = await createTestDatabase();
  // One connection: whoever comes next has the one that was used before.
  pool = new DatabasePool({ connectionString: own.url, max: 1, query_timeout: 2_000 });
  pool.on("error", () => undefined);
  database = new Database(pool);
});
after(async () => {
  await pool.end();
  await own.drop();
});

const WHO = `SELECT current_setting('evently.user', true) AS "user",
  current_setting('evently.role', true) AS role, current_user AS name, pg_backend_pid() AS pid`;

interface Who {
  readonly user: string;
  readonly role: string;
  readonly name: string;
  readonly pid: number;
}

async function who(scope: Scope): Promise<Who | undefined> {
  return (await database.in(scope).query<Who>(WHO)).rows[0];
}

const userId = freshUserId();
const office = platform("identity", "a test");

test("a statement has its scope, under the gateway's role, and the next one has none of it", async () => {
  const asked = await who(asker({ userId, role: "guest" }));
  assert.deepEqual(
    { ...asked, pid: 0 },
    { user: userId, role: "guest", name: "evently_gateway", pid: 0 },
  );
  const next = await who(NOBODY);
  assert.deepEqual([next?.user, next?.role, next?.pid], ["", "", asked?.pid]);
  // Not even one that comes by the pool without a scope.
  const { rows } = await pool.query<Who>(WHO);
  assert.deepEqual([rows[0]?.user, rows[0]?.role, rows[0]?.name], ["", "", "evently_gateway"]);
});

test("prepared statements, parameters and several rows come through as without a scope", async () => {
  const config = {
    name: "series",
    text: "SELECT n, $2::text AS word FROM generate_series(1, $1::int) AS n",
    values: [3, "x"],
  };
  for (const scope of [person(userId), office]) {
    const { rows, rowCount, command } = await database.in(scope).query(config);
    assert.deepEqual([rowCount, command], [3, "SELECT"]);
    assert.deepEqual(
      rows,
      [1, 2, 3].map((n) => ({ n, word: "x" })),
    );
  }
  const none = await database.in(office).query("UPDATE users SET role = 'admin' WHERE false");
  assert.deepEqual([none.rows, none.rowCount, none.command], [[], 0, "UPDATE"]);
});

test("a statement that fails leaves the connection usable, and nothing on it", async () => {
  const before = await who(NOBODY);
  const { query } = database.in(person(userId));
  await assert.rejects(query("SELECT 1 / $1::int", [0]), { code: "22012" });
  await assert.rejects(query("no statement"), { code: "42601" });
  await assert.rejects(query({ name: "broken", text: "SELECT nothing", values: [] }), {
    code: "42703",
  });
  const after = await who(NOBODY);
  assert.deepEqual(after, before);
});

test("a transaction has its scope to its end, and what fails in it is undone", async () => {
  const email = `${userId}@example.org`;
  const insert = (id: UserId) =>
    [
      "INSERT INTO users (id, email, password_hash, role) VALUES ($1, $2, '', 'customer')",
      [id, email],
    ] as const;
  const before = await who(NOBODY);
  const failed = database.in(office).transaction(async (client) => {
    await client.query(...insert(userId));
    assert.equal((await client.query<Who>(WHO)).rows[0]?.role, "identity");
    throw new Error("enough");
  });
  await assert.rejects(failed, { message: "enough" });
  assert.deepEqual(await who(NOBODY), before);
  const swallowed = database.in(office).transaction(async (client) => {
    await client.query(...insert(userId));
    await client.query("SELECT 1 / 0").catch(() => "never mind");
  });
  await assert.rejects(swallowed, { message: /rolled back/ });
  const { rowCount } = await database
    .in(office)
    .query("SELECT FROM users WHERE email = $1", [email]);
  assert.equal(rowCount, 0);
  await database.in(office).transaction((client) => client.query(...insert(userId)));
  const mine = await database.in(person(userId)).query("SELECT id FROM users");
  assert.deepEqual(mine.rows, [{ id: userId }]);
  assert.deepEqual((await database.in(NOBODY).query("SELECT id FROM users")).rows, []);
  assert.equal((await who(NOBODY))?.pid, before?.pid);
});

test("a connection that did not answer in time is nobody's afterwards", async () => {
  const before = await who(NOBODY);
  await assert.rejects(database.in(office).query("SELECT pg_sleep(60)"), /timeout/);
  const after = await who(NOBODY);
  assert.notEqual(after?.pid, before?.pid);
  assert.deepEqual([after?.user, after?.role], ["", ""]);
});

test("nothing that a scope is made of is taken for SQL", async () => {
  const strange = { ...NOBODY, user: "'; DROP TABLE users; --" as UserId };
  const inTransaction = await database
    .in(strange)
    .transaction(async (client) => (await client.query<Who>(WHO)).rows[0]?.user);
  assert.deepEqual([(await who(strange))?.user, inTransaction], [strange.user, strange.user]);
});
