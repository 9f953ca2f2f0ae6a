import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { until } from "../../tests/support/server.ts";
import { startRedis } from "./redis-process.ts";

/** Whether somebody listens there. */
async function listens(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

test("a redis-server goes when it is stopped", async () => {
  const redis = await startRedis();
  assert.equal(await listens(redis.url), true);
  await redis.stop();
  assert.equal(await listens(redis.url), false);
});

test("a redis-server goes with a process that is killed", async () => {
  const module = JSON.stringify(new URL("./redis-process.ts", import.meta.url).href);
  const script = `import { startRedis } from ${module};
    process.stdout.write((await startRedis()).url);
    setInterval(() => undefined, 1_000);`;
  const args = ["--import", "tsx", "--input-type=module", "--eval", script];
  const owner = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [url] = await once(owner.stdout, "data");
  assert.equal(await listens(String(url)), true);
  owner.kill("SIGKILL");
  await until("it is gone", async () => !(await listens(String(url))));
});
