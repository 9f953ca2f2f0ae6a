/** Entry of the projector thread: wires a Projector to its ports, its timers and PostgreSQL. */
import { setTimeout as delay } from "node:timers/promises";
import {
  type MessagePort,
  parentPort,
  receiveMessageOnPort,
  workerData,
} from "node:worker_threads";
import { assert } from "../../engine/assert.ts";
import { PURGE_INTERVAL_MS } from "../../engine/limits.ts";
import { unreachable } from "../../engine/unreachable.ts";
import { die } from "../die.ts";
import type { ProjectMessage } from "../journal/journal-port.ts";
import type { ThreadData } from "../spawn-thread.ts";
import { PgProjectionStore } from "./pg-projection-store.ts";
import { Projector } from "./projector.ts";
import type {
  FromProjectorThread,
  OverfullMessage,
  ProjectorThreadData,
  ToProjectorThread,
  WatermarkMessage,
} from "./projector-messages.ts";

const REPORT_INTERVAL_MS = 1_000;

assert(parentPort !== null, "this module runs in a thread");
const supervisor = parentPort;
const data = (workerData as ThreadData).data as ProjectorThreadData;

const journals: MessagePort[] = [];
const listeners: MessagePort[] = [];
const tell = (message: FromProjectorThread): void => supervisor.postMessage(message);

const projector = new Projector(data.epochs, {
  store: new PgProjectionStore(data.databaseUrl),
  projected: (watermarks) => {
    const message: WatermarkMessage = { kind: "watermarks", watermarks };
    for (const port of [...journals, ...listeners]) port.postMessage(message);
    tell(message);
  },
  failed: (failure) => tell({ kind: "projectorFailed", ...failure }),
  wallMs: () => Date.now(),
  pause: (ms) => delay(ms),
});

supervisor.on("message", (message: ToProjectorThread) => {
  switch (message.kind) {
    case "connectJournal":
      journals.push(message.port);
      message.port.on("message", project);
      return;
    case "connectListener":
      listeners.push(message.port);
      // The watermark may have moved since the listener was told where it begins.
      message.port.postMessage({ kind: "watermarks", watermarks: projector.watermarks() });
      return;
    case "status":
      return tell({ kind: "status", id: message.id, report: projector.report() });
    case "drain":
      return drain();
    case "stop":
      return stop();
    default:
      return unreachable(message);
  }
});

function project({ entries }: ProjectMessage): void {
  projector.offer(Buffer.from(entries));
}

function drain(): void {
  // Messages of different ports overtake each other: take what the journal has sent by now.
  for (const port of journals) {
    for (;;) {
      const received = receiveMessageOnPort(port);
      if (received === undefined) break;
      project(received.message as ProjectMessage);
    }
  }
  projector.drain().then(
    () => tell({ kind: "drained" }),
    (cause: unknown) => die("the projector could not be drained", cause),
  );
}

function stop(): void {
  clearInterval(reports);
  clearInterval(purges);
  projector.stop().then(
    () => tell({ kind: "stopped" }),
    (cause: unknown) => die("the projector could not be stopped", cause),
  );
}

let lastReport = "";
let wasOverfull = false;
const reports = setInterval(() => {
  const report = projector.report();
  if (report.overfull !== wasOverfull) {
    wasOverfull = report.overfull;
    const message: OverfullMessage = { kind: "overfull", overfull: wasOverfull };
    for (const port of listeners) port.postMessage(message);
  }
  const text = JSON.stringify(report);
  if (text !== lastReport) tell(report);
  lastReport = text;
}, REPORT_INTERVAL_MS);
const purges = setInterval(() => projector.purgeWhenIdle(), PURGE_INTERVAL_MS);

projector.run().catch((cause: unknown) => die("the projector's loop broke", cause));
