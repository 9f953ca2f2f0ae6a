import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Client } from "pg";
import { startEmbeddedPostgres } from "./embedded-postgres.ts";

const parent = fs.mkdtempSync(join(tmpdir(), "evently-embedded-"));
fs.chmodSync(parent, 0o755);
after(() => fs.rmSync(parent, { recursive: true, force: true }));

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(text);
  await client.end();
  return rows;
}

test("what was stored is there after a stop and a start, under the same password", async () => {
  const directory = join(parent, "restarted");
  const first = await startEmbeddedPostgres({ directory });
  await query(first.url, "CREATE TABLE kept AS SELECT 7 AS n");
  await first.stop();
  assert.equal(fs.statSync(join(directory, "password")).mode & 0o777, 0o600);
  const second = await startEmbeddedPostgres({ directory });
  assert.deepEqual(await query(second.url, "SELECT n FROM kept"), [{ n: 7 }]);
  await second.stop();
  await assert.rejects(query(second.url, "SELECT 1"));
  await second.stop();
});

test("a server whose node was killed is taken over and stopped by the next", async () => {
  const directory = join(parent, "orphaned");
  const module = new URL("./embedded-postgres.ts", import.meta.url).href;
  const script = `
    const { startEmbeddedPostgres } = await import(${JSON.stringify(module)});
    await startEmbeddedPostgres({ directory: ${JSON.stringify(directory)} });
    process.kill(process.pid, "SIGKILL");`;
  const node = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const [, signal] = await once(node, "exit");
  assert.equal(signal, "SIGKILL");
  const lock = fs.readFileSync(join(directory, "cluster", "postmaster.pid"), "utf8");
  const server = await startEmbeddedPostgres({ directory });
  assert.equal(server.pid, Number(lock.split("\n")[0]));
  await server.stop();
  assert.equal(fs.existsSync(join(directory, "cluster", "postmaster.pid")), false);
});

test("a lock file that a crash left behind does not stop the start", async () => {
  const directory = join(parent, "stale");
  const first = await startEmbeddedPostgres({ directory });
  const path = join(directory, "cluster", "postmaster.pid");
  const lines = fs.readFileSync(path, "utf8").split("\n");
  await first.stop();
  fs.writeFileSync(path, [String(process.ppid), ...lines.slice(1)].join("\n"));
  const { uid, gid } = fs.statSync(join(directory, "cluster"));
  fs.chownSync(path, uid, gid);
  const second = await startEmbeddedPostgres({ directory });
  assert.notEqual(second.pid, process.ppid);
  await second.stop();
});
