/**
 * Entry of a shard worker thread: wires a ShardHost to its ports, its timer and its database pool.
 */
import { performance } from "node:perf_hooks";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { assert } from "../../engine/assert.ts";
import type { EventId } from "../../engine/ids.ts";
import { EXPIRY_TICK_MS } from "../../engine/limits.ts";
import { shardOf } from "../../engine/shard-of.ts";
import { postPacked, unpackMessage } from "../batch-port.ts";
import { die } from "../die.ts";
import type { AppendMessage, JournalToShardMessage } from "../journal/journal-port.ts";
import type { OverfullMessage, WatermarkMessage } from "../projector/projector-messages.ts";
import type { ShardRequest } from "../shard-messages.ts";
import type { ThreadData } from "../spawn-thread.ts";
import { PgActorLoader } from "../store/pg-actor-loader.ts";
import type { Shard, ShardStart } from "./shard.ts";
import { ShardHost } from "./shard-host.ts";
import type { FromShardThread, ToShardThread } from "./shard-thread-messages.ts";

export interface ShardThreadData {
  readonly worker: number;
  readonly shards: readonly ShardStart[];
  readonly shardCount: number;
  readonly logicalMs: number;
  readonly databaseUrl: string;
  readonly gatewayPort: MessagePort;
  readonly journalPort: MessagePort;
  readonly projectorPort: MessagePort;
}

assert(parentPort !== null, "this module runs in a thread");
const supervisor = parentPort;
const data = (workerData as ThreadData).data as ShardThreadData;
const { gatewayPort, journalPort, projectorPort } = data;

const tell = (message: FromShardThread): void => supervisor.postMessage(message);
const warn = (message: string, cause: unknown): void => {
  const detail = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  tell({ kind: "warning", worker: data.worker, message, detail });
};

const host = new ShardHost(data, {
  journal: {
    append: (ticket, entries) => {
      const message: AppendMessage = { kind: "append", ticket, entries: entries.buffer };
      journalPort.postMessage(message, [entries.buffer]);
    },
  },
  loader: new PgActorLoader(data.databaseUrl),
  release: ({ changes, expired, answers }) =>
    postPacked(gatewayPort, { changes, expired, answers }),
  wallMs: () => Date.now(),
  die,
  warn,
});

gatewayPort.on("message", (batch: ArrayBuffer) => {
  host.receive(unpackMessage<ShardRequest[]>(batch));
});
journalPort.on("message", (message: JournalToShardMessage) => {
  if (message.kind === "durable") host.durable(message.ticket);
  else host.setJournalFull(message.full);
});
projectorPort.on("message", (message: WatermarkMessage | OverfullMessage) => {
  if (message.kind === "watermarks") host.projected(message.watermarks);
  else host.setProjectorFull(message.overfull);
});

let utilisationAtLastReport = performance.eventLoopUtilization();
supervisor.on("message", (message: ToShardThread) => {
  if (message.kind === "wake") {
    wake();
    return;
  }
  const { utilization } = performance.eventLoopUtilization(utilisationAtLastReport);
  utilisationAtLastReport = performance.eventLoopUtilization();
  tell({ kind: "report", id: message.id, reports: host.reports(utilization) });
});

function wake(): void {
  const shardOfEvent = (eventId: EventId): Shard["id"] => shardOf(eventId, data.shardCount);
  host.wake(shardOfEvent).catch((cause: unknown) => {
    warn("events with holds could not be listed; trying again", cause);
    setTimeout(wake, 1_000);
  });
}

setInterval(() => host.tick(), EXPIRY_TICK_MS);
tell({ kind: "ready" });
