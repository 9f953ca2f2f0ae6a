/** Two processes that would both like to be the one seller. */
import assert from "node:assert/strict";
import { Client } from "pg";
import { type EventId, parseEventId } from "../../engine/ids.ts";
import { shardOf } from "../../engine/shard-of.ts";
import { ApiClient } from "../support/client.ts";
import { type Exit, StartFailed, TestNode, until } from "../support/server.ts";
import { auditOf, ok } from "../support/venue.ts";
import { openRig, type Rig, reckon } from "./rig.ts";
import type { Scenario, Stage } from "./scenario.ts";
import { openFloor, Traffic } from "./traffic.ts";

/** OWNERSHIP_CHECK_MS and what a busy machine adds to it. */
const NOTICE_MS_MAX = 10_000;
const SHARDS = 16;

export const twoProcesses: Scenario = {
  name: "two-processes",
  title: "two processes: one directory has one process, one database has one seller",
  async run(stage) {
    const first = await openRig(stage);
    await sameDirectory(stage, first);
    await sameDatabase(stage, first, { isBusy: true, sells: false });
    if (!stage.isLong) return;
    await sameDatabase(stage, await openRig(stage), { isBusy: false, sells: false });
    for (let round = 0; round < 3; round += 1) {
      await sameDatabase(stage, await openRig(stage), { isBusy: true, sells: true });
    }
  },
};

async function sameDirectory(stage: Stage, { node, traffic }: Rig): Promise<void> {
  await traffic.start();
  await traffic.sees("201", 100);
  const { dataDir, databaseUrl } = node;
  const second = TestNode.start({ DATA_DIR: dataDir }, borrowed(databaseUrl));
  const line = await refusalOf(second);
  assert.match(line, /^evently: \S+ is in use by another process\n$/);
  await traffic.sees("201", 100);
  assert.deepEqual(Object.keys(traffic.outcomes()), ["201"]);
  stage.did("a second process on the DATA_DIR of one under load");
  stage.holds(`it exits with 1 and one line; the first is untouched`);
  await traffic.stop();
}

interface Takeover {
  /** The older process is under load. */
  readonly isBusy: boolean;
  /** The younger process sells something. */
  readonly sells: boolean;
}

/**
 * The younger process has a directory of its own, and raises the epochs when it starts. What the
 * older one acknowledged and did not project is in its journal only. It comes back from there if
 * the younger one sold nothing; else the older one refuses to start, because two histories can't be
 * one.
 */
async function sameDatabase(stage: Stage, rig: Rig, take: Takeover): Promise<void> {
  const { isBusy, sells } = take;
  const { node: older, traffic } = rig;
  const { databaseUrl } = older;
  if (isBusy) await traffic.start();
  if (isBusy) await traffic.sees("201", 300);
  let endedMs = 0;
  const olderEnds = older.ended.then((exit): Exit => {
    endedMs = Date.now();
    return exit;
  });
  const fenced = fencedAt(databaseUrl);
  const younger = await TestNode.start({}, borrowed(databaseUrl));
  stage.after(() => younger.remove());
  const readyMs = Date.now();
  await until("the older process has ended", () => endedMs > 0);
  assert.deepEqual(await olderEnds, { code: null, signal: "SIGKILL" });
  await traffic.stop();
  assert.equal(older.logged("another process owns this node's shards").length, 1);
  const fencedMs = await fenced;
  assert.ok(endedMs - fencedMs < NOTICE_MS_MAX, `${endedMs - fencedMs} ms`);
  const missing = await unstored(databaseUrl, traffic);
  if (sells) await sellsAlone(younger, traffic);
  const what = isBusy ? "under load" : "that is idle";
  stage.did(`a second process with a directory of its own on the database of one ${what}`);
  stage.holds(`the older one dies by itself${sells ? "; the younger one sells, audit ok" : ""}`);
  stage.figure(`${what}: older dead`, `${endedMs - fencedMs} ms after the epochs rose`);
  stage.figure("younger ready", `${readyMs - fencedMs} ms after`);
  stage.figure("acknowledged by the older one and only in its journal", missing);
  assert.deepEqual(await younger.stop(), { code: 0, signal: null });
  if (sells) {
    const refused = {
      exit: { code: 1, signal: null },
      stderr: /^evently: journal_lost_tail: .+\n$/,
    };
    await assert.rejects(older.start(), refused);
    stage.holds("the older one, started again after the younger one has sold, refuses");
    return;
  }
  await older.start();
  stage.holds("the older one, started again after one that sold nothing, brings all back");
  await reckon(stage, rig, databaseUrl, /another process owns this node's shards/);
}

/** Polls; resolves with the Unix ms at which the epochs were seen to have risen. */
async function fencedAt(databaseUrl: string): Promise<number> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const epoch = async (): Promise<string> => {
      const { rows } = await client.query<{ epoch: string }>("SELECT max(epoch) epoch FROM shards");
      return rows[0]?.epoch ?? "";
    };
    const before = await epoch();
    await until("the epochs rise", async () => (await epoch()) !== before);
    return Date.now();
  } finally {
    await client.end();
  }
}

/** Holds and bookings that the older process acknowledged and the database does not have. */
async function unstored(databaseUrl: string, traffic: Traffic): Promise<number> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ id: string }>(
      `SELECT id FROM bookings WHERE event_id = $1
       UNION ALL SELECT id FROM holds WHERE event_id = $1 AND status = 'active'`,
      [traffic.event.id],
    );
    const stored = new Set(rows.map(({ id }) => id));
    const told = [...traffic.held.keys(), ...traffic.booked.keys()];
    return told.filter((id) => !stored.has(id)).length;
  } finally {
    await client.end();
  }
}

async function sellsAlone(younger: TestNode, olders: Traffic): Promise<void> {
  const api = new ApiClient(() => younger.url);
  try {
    await auditOf(api, olders.event.id);
    const shard = shardOf(parsed(olders.event.id), SHARDS);
    let event = await openFloor(api);
    while (shardOf(parsed(event.id), SHARDS) === shard) event = await openFloor(api);
    const traffic = new Traffic(api, event);
    await traffic.start();
    await traffic.sees("201", 100);
    await traffic.stop();
    await traffic.reckon(younger.databaseUrl);
    ok(await api.get("/health/ready"));
    assert.deepEqual(younger.errors, []);
  } finally {
    api.close();
  }
}

function parsed(id: string): EventId {
  const eventId = parseEventId(id);
  assert.ok(eventId !== null);
  return eventId;
}

/** A database that is somebody else's to drop. */
function borrowed(url: string) {
  return { url, drop: () => Promise.resolve() };
}

async function refusalOf(start: Promise<TestNode>): Promise<string> {
  try {
    const node = await start;
    await node.remove();
  } catch (error) {
    if (!(error instanceof StartFailed)) throw error;
    assert.deepEqual(error.exit, { code: 1, signal: null });
    return error.stderr;
  }
  throw new Error("it started");
}
