import assert from "node:assert/strict";
import { once } from "node:events";
import { afterEach, beforeEach, type TestContext, test } from "node:test";
import { MessageChannel, type MessagePort, type Worker } from "node:worker_threads";
import { createTestDatabase, type TestDatabase } from "../../tests/support/database.ts";
import {
  contentOf,
  entry,
  JournalBuilder,
  NO_BASE,
  placesOf,
  temporaryDirectory,
  writeSegment,
} from "../../tests/support/journal-fixture.ts";
import { spawnThread } from "../spawn-thread.ts";
import { PgShardTable } from "../store/shard-table.ts";
import type { FromJournalThread, ProjectMessage, ToJournalThread } from "./journal-port.ts";
import type { JournalThreadData } from "./journal-thread-data.ts";
import { concatenated } from "./recovery.ts";

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

type AckMode = JournalThreadData["ackMode"];

function start(t: TestContext, journalDir: string, ackMode: AckMode = "journal"): Worker {
  const data: JournalThreadData = { ackMode, journalDir, databaseUrl: database.url };
  const thread = spawnThread(new URL("./journal-thread.ts", import.meta.url), data);
  t.after(() => thread.terminate());
  return thread;
}

async function ask(thread: Worker, message: ToJournalThread): Promise<FromJournalThread> {
  const answer = once(thread, "message");
  thread.postMessage(message);
  const [received]: FromJournalThread[] = await answer;
  assert(received !== undefined);
  return received;
}

function connect(thread: Worker, kind: "connect" | "connectProjector"): MessagePort {
  const { port1, port2 } = new MessageChannel();
  thread.postMessage({ kind, port: port2 } satisfies ToJournalThread, [port2]);
  return port1;
}

function append(port: MessagePort, ticket: number, ...entries: Buffer[]): void {
  const { buffer } = concatenated(entries);
  port.postMessage({ kind: "append", ticket, entries: buffer }, [buffer]);
}

function placesOfProjected(messages: readonly ProjectMessage[]): [number, number][] {
  return placesOf(messages.map(({ entries }) => new Uint8Array(entries)));
}

test("the thread makes appends durable, projects them, and recovers them later", async (t) => {
  const owned = await new PgShardTable(database.url).acquire(1);
  const directory = temporaryDirectory(t);
  const thread = start(t, directory);
  const opened = await ask(thread, { kind: "open", shards: owned });
  assert.equal(opened.kind, "opened");
  const worker = connect(thread, "connect");
  const projector = connect(thread, "connectProjector");
  const projected = once(projector, "message");
  append(worker, 1, entry(0, 1));
  assert.deepEqual(await once(worker, "message"), [{ kind: "durable", ticket: 1 }]);
  assert.deepEqual(placesOfProjected(await projected), [[0, 1]]);
  const answer = await ask(thread, { kind: "status", id: 5 });
  assert(answer.kind === "status" && answer.id === 5);
  assert.deepEqual(answer.status.shards, [{ shard: 0, durableLsn: 1, projectedLsn: 0 }]);
  await thread.terminate();

  const next = start(t, directory);
  const reopened = await ask(next, { kind: "open", shards: owned });
  assert(reopened.kind === "opened");
  assert.equal(reopened.recovered, 1);
  assert.deepEqual(reopened.last, [[0, 1]]);
  const nextProjector = connect(next, "connectProjector");
  assert.deepEqual(placesOfProjected(await once(nextProjector, "message")), [[0, 1]]);
  nextProjector.postMessage({ kind: "watermarks", watermarks: [[0, 1]] });
  const exit = once(next, "exit");
  assert.deepEqual(await ask(next, { kind: "close" }), { kind: "closed" });
  await exit;
});

test("with ACK_MODE=postgres it does the same without a file", async (t) => {
  const owned = await new PgShardTable(database.url).acquire(1);
  const directory = temporaryDirectory(t);
  const thread = start(t, directory, "postgres");
  assert.equal((await ask(thread, { kind: "open", shards: owned })).kind, "opened");
  const worker = connect(thread, "connect");
  append(worker, 1, entry(0, 1));
  assert.deepEqual(await once(worker, "message"), [{ kind: "durable", ticket: 1 }]);
  await thread.terminate();
  assert.deepEqual(contentOf(directory), new Map());

  const files = start(t, directory);
  const refused = await ask(files, { kind: "open", shards: owned });
  assert(refused.kind === "refused");
  assert.equal(refused.code, "journal_other_in_use");
  assert.deepEqual(await ask(files, { kind: "close" }), { kind: "closed" });

  const next = start(t, directory, "postgres");
  const reopened = await ask(next, { kind: "open", shards: owned });
  assert(reopened.kind === "opened");
  assert.equal(reopened.recovered, 1);
  const projector = connect(next, "connectProjector");
  assert.deepEqual(placesOfProjected(await once(projector, "message")), [[0, 1]]);
  assert.deepEqual(await ask(next, { kind: "close" }), { kind: "closed" });
});

test("the thread refuses a corrupt journal with its code, and can still be closed", async (t) => {
  const directory = temporaryDirectory(t);
  const bytes = new JournalBuilder().segment(1, [NO_BASE, { entries: [entry(0, 1)] }]);
  writeSegment(directory, 1, bytes.fill(1, 4_096, 4_100));
  const before = contentOf(directory);
  const thread = start(t, directory);
  const refused = await ask(thread, { kind: "open", shards: [] });
  assert(refused.kind === "refused");
  assert.equal(refused.code, "journal_frame_after_bad");
  assert.match(refused.message, /journal-0000000001\.seg at offset 4096/);
  assert.deepEqual(await ask(thread, { kind: "close" }), { kind: "closed" });
  assert.deepEqual(contentOf(directory), before);
});
