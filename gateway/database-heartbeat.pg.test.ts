import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestDatabase } from "../tests/support/database.ts";
import { databaseProxy } from "../tests/support/database-proxy.ts";
import { until } from "../tests/support/server.ts";
import { systemClock } from "../workers/clock.ts";
import { DatabaseHeartbeat } from "./database-heartbeat.ts";

test("a PostgreSQL that stands still is found out, and so is its coming back", async () => {
  const database = await createTestDatabase();
  const proxy = await databaseProxy(database.url);
  const told: [isUp: boolean, reason: string][] = [];
  const heartbeat = new DatabaseHeartbeat({
    connectionString: proxy.url,
    clock: systemClock,
    changed: (isUp, reason) => told.push([isUp, reason]),
  });
  heartbeat.start();
  await until("it has been answered", () => heartbeat.answerMs > 0);
  assert.equal(heartbeat.isUp, true);
  proxy.isFrozen = true;
  await until("it is found out", () => !heartbeat.isUp);
  assert.match(heartbeat.reason, /no answer|timeout/);
  proxy.isFrozen = false;
  await until("it is back", () => heartbeat.isUp);
  proxy.close();
  await until("it is gone", () => !heartbeat.isUp);
  await heartbeat.stop();
  assert.deepEqual(
    told.map(([isUp]) => isUp),
    [false, true, false],
  );
  await database.drop();
});
