import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Client } from "pg";
import { pino } from "pino";
import { until } from "../tests/support/server.ts";
import { systemClock } from "../workers/clock.ts";
import { PostgresKeeper } from "./postgres-keeper.ts";

async function numberIn(url: string): Promise<number | null> {
  const client = new Client({ connectionString: url });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ n: number }>("SELECT n FROM kept");
    return rows[0]?.n ?? null;
  } catch {
    return null;
  } finally {
    await client.end().catch(() => undefined);
  }
}

test("an embedded PostgreSQL that is killed is started again at the same address", async () => {
  const parent = fs.mkdtempSync(join(tmpdir(), "evently-keeper-"));
  fs.chmodSync(parent, 0o755);
  const directory = join(parent, "postgres");
  const log = pino({ level: "silent" });
  const keeper = await PostgresKeeper.start({ directory }, { clock: systemClock, log });
  const { url } = keeper;
  const client = new Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  await client.query("CREATE TABLE kept AS SELECT 7 AS n");
  const [pid = ""] = fs.readFileSync(join(directory, "cluster/postmaster.pid"), "utf8").split("\n");
  process.kill(Number(pid), "SIGKILL");
  await until("it is gone", async () => (await numberIn(url)) === null);
  keeper.missed();
  keeper.missed();
  await until("it is back, with what it had", async () => (await numberIn(url)) === 7);
  assert.equal(keeper.url, url);
  await keeper.stop();
  keeper.missed();
  assert.equal(await numberIn(url), null, "stopped, it stays stopped");
  fs.rmSync(parent, { recursive: true, force: true });
});
