import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { Client } from "pg";
import { startTestServer } from "../tests/support/database.ts";
import { migrate } from "./migrate.ts";

/** A server of its own: roles belong to the whole server, and other tests need theirs. */
async function withServer(work: (url: string, admin: Client) => Promise<void>): Promise<void> {
  const server = await startTestServer();
  const admin = new Client({ connectionString: server.url });
  await admin.connect();
  try {
    await work(server.url, admin);
  } finally {
    await admin.end();
    await server.stop();
  }
}

/** A database of a user who has what managed servers give; its address. */
async function databaseOf(url: string, admin: Client, rights: string): Promise<string> {
  const name = `tenant_${randomBytes(4).toString("hex")}`;
  await admin.query(`CREATE ROLE ${name} LOGIN PASSWORD 'secret' ${rights}`);
  await admin.query(`CREATE DATABASE ${name} OWNER ${name}`);
  const address = new URL(url);
  Object.assign(address, { pathname: `/${name}`, username: name, password: "secret" });
  return address.href;
}

test("databases of one server that are migrated at a time agree on the role", async () => {
  await withServer(async (url, admin) => {
    const databases: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      databases.push(await databaseOf(url, admin, "SUPERUSER"));
    }
    await Promise.all(databases.map((database) => migrate(database)));
    const text = "SELECT FROM pg_roles WHERE rolname = 'evently_gateway'";
    assert.equal((await admin.query(text)).rowCount, 1);
  });
});

test("a user who may create roles needs nobody's help", async () => {
  await withServer(async (url, admin) => {
    const database = await databaseOf(url, admin, "CREATEROLE");
    await migrate(database);
    await migrate(database);
  });
});

test("one who may not is told what an administrator has to run, and starts after that", async () => {
  await withServer(async (url, admin) => {
    const database = await databaseOf(url, admin, "");
    const user = new URL(database).username;
    const expected = {
      code: "gateway_role_missing",
      message: new RegExp(
        `CREATE ROLE evently_gateway NOLOGIN.*GRANT evently_gateway TO "${user}"`,
      ),
    };
    await assert.rejects(migrate(database), expected);
    await admin.query("CREATE ROLE evently_gateway NOLOGIN");
    await assert.rejects(migrate(database), expected);
    await admin.query(`GRANT evently_gateway TO ${user}`);
    await migrate(database);
    // Somebody means it too well.
    await admin.query("ALTER ROLE evently_gateway BYPASSRLS");
    await assert.rejects(migrate(database), { message: /neither a superuser nor BYPASSRLS/ });
  });
});
