/**
 * Who may ask what: every route as everybody. 401 for who is nobody, 403 for who knows of the thing
 * and may not, 404 where it is another's private thing.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { ROLES, type Role, RoleWorld } from "../roles/role-world.ts";
import { ROWS } from "../roles/route-rows.ts";
import { ApiClient } from "../support/client.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { MailFolder } from "../support/mail-folder.ts";
import { OPS_TOKEN } from "../support/server.ts";
import { type InProcessNode, startInProcess } from "../tenancy/in-process-node.ts";

let database: TestDatabase;
let node: InProcessNode;
let world: RoleWorld;
const api = new ApiClient(() => node.url);
before(async () => {
  database = await createTestDatabase();
  node = await startInProcess(database.url);
  world = await RoleWorld.open(api, new MailFolder(() => node.dataDir));
});
after(async () => {
  api.close();
  await node.stop();
  await database.drop();
});

test("every route of the node is in the table, and no other", () => {
  const routes = new Set(node.routes.map(({ method, path }) => `${method} ${path}`));
  assert.deepEqual(new Set(ROWS.map(({ route }) => route)), routes);
});

for (const { route, about, expected, ask } of ROWS) {
  test(`${route}${about === "" ? "" : `, ${about}`}: ${expected}`, async () => {
    const [method = "", path = ""] = route.split(" ");
    const statuses = typeof expected === "number" ? ROLES.map(() => expected) : split(expected);
    for (const [index, role] of ROLES.entries()) {
      const { params = [], query = "", token, ...asked } = await ask(world, role);
      const rest = [...params];
      const filled = path.replace(/:\w+/g, () => rest.shift() ?? "missing") + query;
      const own = token === undefined ? tokenOf(role) : token;
      const given = own === null ? asked : { ...asked, token: own };
      const reply = await api.request(method, filled, given);
      assert.equal(reply.status, statuses[index], `as ${role}: ${reply.text.slice(0, 300)}`);
    }
  });
}

const split = (expected: string): number[] => expected.split(" ").map(Number);
const tokenOf = (role: Role): string | null => world.tokens[role];

test("who has the operators' token may look at the engine, and nothing else", async () => {
  const token = OPS_TOKEN;
  assert.equal((await api.get("/ops/shards", { token })).status, 200);
  const body = { token: randomUUID() };
  assert.equal((await api.get("/api/v1/organizations", { token, body })).status, 401);
});
