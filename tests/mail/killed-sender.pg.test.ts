/** A process that sends mails is killed again and again: each reader gets one all the same. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createTestDatabase } from "../support/database.ts";
import { MailSink } from "../support/mail-sink.ts";
import { openOwnerRows } from "../support/owner-rows.ts";

const MAILS = 3_000;
const KILLS = 6;
const SEED = Number(process.env.MAIL_KILL_SEED ?? 20_300_504);

/** mulberry32: from 0 to 1. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

test(`killed ${KILLS} times, a sender sends each mail once (MAIL_KILL_SEED=${SEED})`, async (t) => {
  const random = randomFrom(SEED);
  const database = await createTestDatabase();
  const rows = openOwnerRows(database.url);
  const dataDir = mkdtempSync(join(tmpdir(), "evently-killed-"));
  const sink = new MailSink();
  await sink.open();
  let child: ChildProcess | null = null;
  t.after(async () => {
    child?.kill("SIGKILL");
    await sink.close();
    await rows.end();
    await database.drop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const start = (): ChildProcess => {
    const args = [database.url, sink.url, dataDir, String(MAILS)];
    const script = fileURLToPath(new URL("./sender-process.ts", import.meta.url));
    return spawn(process.execPath, ["--import", "tsx", script, ...args], {
      stdio: ["ignore", "inherit", "inherit"],
    });
  };
  for (let kill = 0; kill < KILLS; kill += 1) {
    const before = sink.received.length;
    child = start();
    const ended = once(child, "exit");
    // Somewhere in the next tenth of all mails, and then at any instant.
    const enough = before + 1 + Math.floor((random() * MAILS) / 10);
    while (sink.received.length < enough && child.exitCode === null) await delay(5);
    await delay(random() * 20);
    child.kill("SIGKILL");
    const [, signal] = await ended;
    assert.equal(signal, "SIGKILL", "it was killed while it had work");
  }
  child = start();
  const [code] = await once(child, "exit");
  assert.equal(code, 0);
  const counts = new Map<string, number>();
  for (const { to } of sink.received) counts.set(to, (counts.get(to) ?? 0) + 1);
  const twice = [...counts].filter(([, count]) => count > 1);
  assert.deepEqual(twice, [], "nobody gets a mail twice");
  const { rows: states } = await rows.query<{ key: string; state: string }>(
    "SELECT key, state FROM mails WHERE state <> 'sent'",
  );
  const doubtful = new Set(states.map(({ key }) => key));
  assert.ok(states.every(({ state }) => state === "in_doubt"));
  const missing = Array.from({ length: MAILS }, (_, n) => n).filter(
    (n) => !counts.has(`reader-${n}@example.org`),
  );
  // Only in the instant between the note and the last line may a kill lose a mail; it is told.
  const untold = missing.filter((n) => !doubtful.has(`campaign:${n}`));
  assert.deepEqual(untold, []);
  t.diagnostic(`${doubtful.size} in doubt, of which ${missing.length} did not come`);
  assert.ok(missing.length <= KILLS, `${missing.length} did not come`);
});
