import assert from "node:assert/strict";
import { connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { createTestDatabase } from "../tests/support/database.ts";
import { until } from "../tests/support/server.ts";
import { systemClock } from "../workers/clock.ts";
import { DatabaseHeartbeat } from "./database-heartbeat.ts";

/** Passes bytes on to PostgreSQL, unless it is to keep them. */
async function proxyOf(url: string) {
  const target = new URL(url);
  const port = Number(target.port);
  const sockets = new Set<Socket>();
  const proxy = { isFrozen: false };
  const server = createServer((near) => {
    const far = connect(port, target.hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
      from.on("data", (bytes) => void (proxy.isFrozen || to.write(bytes)));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  target.port = `${typeof address === "object" ? address?.port : 0}`;
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { proxy, url: target.href, close };
}

test("a PostgreSQL that stands still is found out, and so is its coming back", async () => {
  const database = await createTestDatabase();
  const { proxy, url, close } = await proxyOf(database.url);
  const told: [isUp: boolean, reason: string][] = [];
  const heartbeat = new DatabaseHeartbeat({
    connectionString: url,
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
  close();
  await until("it is gone", () => !heartbeat.isUp);
  await heartbeat.stop();
  assert.deepEqual(
    told.map(([isUp]) => isUp),
    [false, true, false],
  );
  await database.drop();
});
