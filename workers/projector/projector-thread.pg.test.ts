import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { MessageChannel, type MessagePort, type Worker } from "node:worker_threads";
import { EVENT_ID, EventBench } from "../../engine/testing/fixtures.ts";
import { createTestDatabase } from "../../tests/support/database.ts";
import { spawnThread } from "../spawn-thread.ts";
import { PgActorLoader } from "../store/pg-actor-loader.ts";
import { PgShardTable } from "../store/shard-table.ts";
import { entriesOf } from "../testing/entries.ts";
import type {
  FromProjectorThread,
  ProjectorThreadData,
  ToProjectorThread,
  WatermarkMessage,
} from "./projector-messages.ts";

function send(thread: Worker, message: ToProjectorThread, transfer: MessagePort[] = []): void {
  thread.postMessage(message, transfer);
}

async function next(thread: Worker, kind: FromProjectorThread["kind"]) {
  for (;;) {
    const [message] = (await once(thread, "message")) as [FromProjectorThread];
    if (message.kind === kind) return message;
  }
}

test("the thread projects what the journal sends, tells everyone, drains and stops", async () => {
  const database = await createTestDatabase();
  const owned = await new PgShardTable(database.url).acquire(2);
  const data: ProjectorThreadData & { databaseUrl: string } = {
    databaseUrl: database.url,
    epochs: owned.map(({ shard, epoch, appliedLsn }) => [shard, epoch, appliedLsn]),
  };
  const thread = spawnThread(new URL("./projector-thread.ts", import.meta.url), data);
  const journal = new MessageChannel();
  const listener = new MessageChannel();
  const heard: WatermarkMessage["watermarks"][number][] = [];
  listener.port1.on("message", ({ watermarks }: WatermarkMessage) => heard.push(...watermarks));
  send(thread, { kind: "connectJournal", port: journal.port2 }, [journal.port2]);
  send(thread, { kind: "connectListener", port: listener.port2 }, [listener.port2]);

  const bench = new EventBench();
  bench.booked(bench.held([0]));
  const entries = new Uint8Array(entriesOf(bench.facts, { shard: 1 }));
  journal.port1.postMessage({ kind: "project", entries: entries.buffer }, [entries.buffer]);
  const told = once(journal.port1, "message");
  send(thread, { kind: "drain" });
  await next(thread, "drained");
  assert.deepEqual(await told, [{ kind: "watermarks", watermarks: [[1, 3]] }]);

  send(thread, { kind: "status", id: 7 });
  const status = await next(thread, "status");
  assert.ok(status.kind === "status");
  assert.deepEqual([status.id, status.report.factsTotal, status.report.backlogFacts], [7, 3, 0]);
  const loader = new PgActorLoader(database.url);
  assert.equal((await loader.load(EVENT_ID)).seq, 3);
  await loader.close();

  send(thread, { kind: "stop" });
  await next(thread, "stopped");
  await thread.terminate();
  assert.deepEqual(heard, [
    [0, 0],
    [1, 0],
    [1, 3],
  ]);
  journal.port1.close();
  listener.port1.close();
  await database.drop();
});
