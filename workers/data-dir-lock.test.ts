import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { DataDirLocked, lockDataDir } from "./data-dir-lock.ts";

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "evently-lock-"));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** Elsewhere the lock is another, or none. */
const testOnLinux = process.platform === "linux" ? test : () => undefined;

testOnLinux("a directory is locked under all its paths until it is released", async (t) => {
  const directory = temporaryDirectory(t);
  const lock = await lockDataDir(directory);
  const alias = join(temporaryDirectory(t), "alias");
  symlinkSync(directory, alias);
  await assert.rejects(lockDataDir(alias), DataDirLocked);
  await lock.release();
  const again = await lockDataDir(alias);
  await again.release();
});

testOnLinux("a lock dies with its owner, however that ends", async (t) => {
  const directory = temporaryDirectory(t);
  const { href } = new URL("./data-dir-lock.ts", import.meta.url);
  const script = `
    const { lockDataDir } = await import(${JSON.stringify(href)});
    await lockDataDir(${JSON.stringify(directory)});
    setInterval(() => process.stdout.write("locked"), 10);
  `;
  const owner = spawn(
    process.execPath,
    ["--import", "tsx", "--input-type=module", "--eval", script],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  t.after(() => owner.kill("SIGKILL"));
  await once(owner.stdout, "data");
  await assert.rejects(lockDataDir(directory), { code: "data_dir_locked" });
  owner.kill("SIGKILL");
  await once(owner, "exit");
  const lock = await lockDataDir(directory);
  await lock.release();
});
