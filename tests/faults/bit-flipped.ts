/**
 * A bit of the journal flips while the node is down. What can be told from a torn tail stops the
 * start, with file and offset; setting the bit right again brings everything back.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import { ENTRIES, type Frame } from "../../workers/journal/frame.ts";
import { sequenceOf } from "../../workers/journal/segment.ts";
import { readSegment } from "../../workers/journal/segment-reading.ts";
import { OPS_TOKEN, StartFailed, type TestNode, until } from "../support/server.ts";
import type { HoldShape } from "../support/shapes.ts";
import { auditOf, guestToken, ok } from "../support/venue.ts";
import { caughtUp, openRig, type Rig, reckon } from "./rig.ts";
import { type Scenario, type Stage, sleep } from "./scenario.ts";

export const bitFlipped: Scenario = {
  name: "bit-flipped",
  title: "a flipped bit: the start is refused with file and offset, or it is a torn tail's",
  async run(stage) {
    const rig = await openRig(stage);
    if (stage.isLong) await inOlderSegment(stage, rig);
    await inFrames(stage, rig);
    await reckon(stage, rig, rig.node.databaseUrl);
    await inUnprojectedLast(stage, rig);
  },
};

/** In a frame with others behind it, and in the last one, whose entries PostgreSQL has. */
async function inFrames(stage: Stage, { node, api, traffic }: Rig): Promise<void> {
  await traffic.start();
  await traffic.sees("201", 100);
  await traffic.stop();
  await caughtUp(api);
  await projected(api, traffic.event.id);
  await node.kill9();
  const { path, frames } = newestSegment(node);
  const inside = frames[Math.floor(frames.length / 2)];
  const last = frames.at(-1);
  assert.ok(inside !== undefined && last !== undefined && inside !== last);
  await refuses(node, { path, frame: inside, code: "journal_frame_after_bad" });
  await refuses(node, { path, frame: last, code: "journal_lost_tail" });
  await node.start();
  stage.did("a bit flipped in a frame amidst others, and in the last frame, which was projected");
  stage.holds("each start refuses with file and offset; the bit set right, all is there");
}

/** A segment that another has followed and that PostgreSQL does not have yet. */
async function inOlderSegment(stage: Stage, { node, api, traffic }: Rig): Promise<void> {
  const release = await blockProjection(node);
  traffic.holdMuch();
  await traffic.start(32, 0);
  const journal = async (): Promise<number> => {
    const ask = { token: OPS_TOKEN };
    return ok(await api.get<{ segments: number }>("/ops/journal", ask)).segments;
  };
  await until("a second segment is written to", async () => (await journal()) > 1, 120_000);
  await traffic.stop();
  await node.kill9();
  await release();
  const [older] = usedSegments(node);
  assert.ok(older !== undefined);
  const last = older.frames.at(-1);
  assert.ok(last !== undefined);
  const { path } = older;
  await refuses(node, { path, frame: last, code: "journal_bad_older_frame" });
  await node.start();
  await traffic.reckon(node.databaseUrl);
  stage.did("a bit flipped in the last frame of a segment that another one follows");
  stage.holds("the start refuses with file and offset; the bit set right, all is there");
}

/**
 * The one case that no format can tell from a torn tail: the very last frame, which PostgreSQL does
 * not have. It is cut off, and a copy of it is kept.
 */
async function inUnprojectedLast(stage: Stage, { node, api, traffic }: Rig): Promise<void> {
  const release = await blockProjection(node);
  const token = await guestToken(api);
  const ids: string[] = [];
  for (let n = 0; n < 3; n += 1) {
    const body = { items: [{ area: "floor", quantity: 1 }] };
    const path = `/api/v1/events/${traffic.event.id}/holds`;
    ids.push(ok(await api.post<HoldShape>(path, { token, body }), 201).id);
    // Each in a frame of its own.
    await sleep(20);
  }
  await node.kill9();
  await release();
  const { path, frames } = newestSegment(node);
  const last = frames.at(-1);
  assert.ok(last !== undefined);
  const torn = fs.readFileSync(path).subarray(last.offset, last.end);
  flipBit(path, last);
  torn[middleOf(last) - last.offset] = (torn[middleOf(last) - last.offset] ?? 0) ^ 1;
  await node.start();
  const [line] = node.logged("journal tail recovered");
  assert.ok(line?.includes(`"tornTail":{"file":"${fileOf(path)}","offset":${last.offset}`), line);
  const journal = join(node.dataDir, "journal");
  const copies = fs.readdirSync(journal).filter((name) => name.endsWith(".broken"));
  assert.equal(copies.length, 1);
  const copy = fs.readFileSync(join(journal, copies[0] ?? ""));
  assert.deepEqual(copy, torn.subarray(0, copy.length), "what was cut off is kept as it was");
  assert.ok(torn.subarray(copy.length).every((byte) => byte === 0));
  const found = await Promise.all(ids.map((id) => api.get(`/api/v1/holds/${id}`, { token })));
  assert.deepEqual(
    found.map(({ status }) => status),
    [200, 200, 404],
  );
  await auditOf(api, traffic.event.id);
  stage.did("a bit flipped in the very last frame, which was not projected");
  stage.holds("as documented: a torn tail, cut off and kept as a copy; all before it is there");
}

interface Damage {
  readonly path: string;
  readonly frame: Frame;
  readonly code: string;
}

/** Flips a bit, sees the start refused, and sets the bit right again. */
async function refuses(node: TestNode, { path, frame, code }: Damage): Promise<void> {
  flipBit(path, frame);
  const before = fs.readFileSync(path);
  await assert.rejects(node.start(), (error) => {
    assert.ok(error instanceof StartFailed, String(error));
    assert.deepEqual(error.exit, { code: 1, signal: null });
    const start = `evently: ${code}: ${fileOf(path)} at offset ${frame.offset}: `;
    assert.ok(error.stderr.startsWith(start), error.stderr);
    assert.equal(error.stderr.trim().split("\n").length, 1);
    return true;
  });
  assert.ok(before.equals(fs.readFileSync(path)), "nothing was changed");
  flipBit(path, frame);
}

function flipBit(path: string, frame: Frame): void {
  const descriptor = fs.openSync(path, "r+");
  const byte = Buffer.alloc(1);
  fs.readSync(descriptor, byte, 0, 1, middleOf(frame));
  byte[0] = (byte[0] ?? 0) ^ 1;
  fs.writeSync(descriptor, byte, 0, 1, middleOf(frame));
  fs.closeSync(descriptor);
}

function middleOf({ offset, end }: Frame): number {
  return Math.floor((offset + end) / 2);
}

function fileOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Oldest first: those with entries in them. */
function usedSegments({ dataDir }: TestNode) {
  const journal = join(dataDir, "journal");
  const names = fs.readdirSync(journal).filter((name) => sequenceOf(name) !== null);
  return names.sort().flatMap((name) => {
    const path = join(journal, name);
    const reading = readSegment(fs.readFileSync(path));
    const frames = "frames" in reading ? reading.frames : [];
    return frames.some(({ kind }) => kind === ENTRIES) ? [{ path, frames }] : [];
  });
}

function newestSegment(node: TestNode) {
  const newest = usedSegments(node).at(-1);
  assert.ok(newest !== undefined);
  return newest;
}

/** Nothing can be projected until the returned function has been called. */
async function blockProjection(node: TestNode): Promise<() => Promise<void>> {
  const client = new Client({ connectionString: node.databaseUrl });
  await client.connect();
  await client.query("BEGIN; LOCK TABLE inventories IN SHARE MODE");
  return () => client.end();
}

/** Resolves once PostgreSQL has all that the event's actor has. */
async function projected(api: Rig["api"], eventId: string): Promise<void> {
  await until("everything is projected", async () => {
    try {
      await auditOf(api, eventId);
      return true;
    } catch {
      // Not yet.
      return false;
    }
  });
}
