/** What the system tells of processes: Linux. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { ServerWatch } from "./server-figures.ts";

/** Some 0.1 s of a core by a process that ends, told of by its parent, which stays. */
const BURN = "(i=0; while [ $i -lt 150000 ]; do i=$((i+1)); done) & wait; echo burnt; read end";

/** A process that the system knows by this name: it begins when it is told so. */
function processCalled(context: TestContext, name: string): ChildProcess {
  const directory = mkdtempSync(join(tmpdir(), "evently-figures-"));
  const path = join(directory, name);
  copyFileSync("/bin/sh", path);
  chmodSync(path, 0o755);
  const child = spawn(path, ["-c", `read start; ${BURN}`], { stdio: ["pipe", "pipe", "inherit"] });
  context.after(() => {
    child.kill("SIGKILL");
    rmSync(directory, { recursive: true });
  });
  return child;
}

async function burnt(...children: readonly ChildProcess[]): Promise<void> {
  const said = children.map((child) => once(child.stdout ?? child, "data"));
  for (const child of children) child.stdin?.write("\n");
  await Promise.all(said);
}

const namesOf = (watch: ServerWatch | null): string[] =>
  (watch?.stop()?.threads ?? []).map(({ name }) => name);

test("what a server runs beside itself counts, also by processes that have ended", async (t) => {
  const [postgres, redis] = [processCalled(t, "postgres"), processCalled(t, "redis-server")];
  const watch = ServerWatch.start(process.pid);
  await burnt(postgres, redis);
  const names = namesOf(watch);
  assert.ok(names.includes("PostgreSQL, all processes") && names.includes("Redis"), names.join());
});

test("a database that the server has not started counts where its process is named", async (t) => {
  const [server, postgres] = [processCalled(t, "server"), processCalled(t, "postgres")];
  const watches = [null, postgres.pid ?? null].map((pid) =>
    ServerWatch.start(server.pid ?? null, pid),
  );
  await burnt(postgres);
  assert.deepEqual(watches.map(namesOf), [[], ["PostgreSQL, all processes"]]);
});
