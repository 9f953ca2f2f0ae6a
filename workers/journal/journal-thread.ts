/** Entry of the journal thread: wires a JournalLoop over the real disk to its ports. */
import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import {
  type MessagePort,
  parentPort,
  receiveMessageOnPort,
  workerData,
} from "node:worker_threads";
import { assert } from "../../engine/assert.ts";
import { JOURNAL_ROOM_RETRY_MS } from "../../engine/limits.ts";
import { unreachable } from "../../engine/unreachable.ts";
import { die } from "../die.ts";
import type { WatermarkMessage } from "../projector/projector-messages.ts";
import type { ThreadData } from "../spawn-thread.ts";
import { FileJournal } from "./file-journal.ts";
import { FsDisk } from "./fs-disk.ts";
import { JournalLoop, type WorkerLink } from "./journal-loop.ts";
import type {
  AppendMessage,
  FromJournalThread,
  ToJournalThread,
  Watermarks,
} from "./journal-port.ts";
import type { JournalThreadData } from "./journal-thread-data.ts";
import { SALT_BYTES } from "./segment.ts";
import { ThreadSegmentSupply } from "./thread-segment-supply.ts";

assert(parentPort !== null, "this module runs in a thread");
const supervisor = parentPort;
const data = (workerData as ThreadData).data as JournalThreadData;
const ports: MessagePort[] = [];
// Begun at once: starting a thread takes longer than most recoveries.
const supply = new ThreadSegmentSupply(data, die);
let loop: JournalLoop | null = null;
let projector: MessagePort | null = null;
let retries: NodeJS.Timeout | undefined;

// Whatever was not foreseen: the journal must never go on half-way.
process.on("uncaughtException", (cause) => die("the journal thread failed", cause));

const tell = (message: FromJournalThread): void => supervisor.postMessage(message);

supervisor.on("message", (message: ToJournalThread) => {
  switch (message.kind) {
    case "open":
      return open(message.watermarks);
    case "connect":
      return connect(message.port);
    case "connectProjector":
      return connectProjector(message.port);
    case "status":
      return tell({ kind: "status", id: message.id, status: opened().status() });
    case "close":
      return close();
    default:
      return unreachable(message);
  }
});

function open(watermarks: Watermarks): void {
  try {
    const disk = new FsDisk(data.dir);
    const randomSalt = (): Uint8Array => randomBytes(SALT_BYTES);
    const fileJournalPorts = { disk, supply, randomSalt, die, nowMs: () => performance.now() };
    const { journal, recovered, report } = FileJournal.open(fileJournalPorts, new Map(watermarks));
    loop = new JournalLoop(journal, recovered);
    retries = setInterval(() => opened().tick(), JOURNAL_ROOM_RETRY_MS);
    tell({ kind: "opened", recovered: report.entriesRecovered, last: journal.last, report });
  } catch (error) {
    const { code, message } = refusalOf(error);
    tell({ kind: "refused", code, message });
  }
}

/** A journal that is corrupt, has no room, or cannot be read: nothing was acknowledged yet. */
function refusalOf(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: "journal_unreadable", message: String(error) };
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return {
    code: code.startsWith("journal_") ? code : "journal_unreadable",
    message: error.message,
  };
}

function opened(): JournalLoop {
  assert(loop !== null, "the journal is open");
  return loop;
}

function connect(port: MessagePort): void {
  const link: WorkerLink = {
    take: () => {
      const received: { message: AppendMessage } | undefined = receiveMessageOnPort(port);
      return received?.message ?? null;
    },
    post: (message) => port.postMessage(message),
  };
  ports.push(port);
  opened().connect(link);
  port.on("message", (message: AppendMessage) => {
    opened().accept(link, message);
    opened().run();
  });
}

function connectProjector(port: MessagePort): void {
  ports.push(port);
  projector = port;
  opened().connectProjector({ post: (message) => port.postMessage(message, [message.entries]) });
  port.on("message", ({ watermarks }: WatermarkMessage) => opened().retire(watermarks));
}

function close(): void {
  clearInterval(retries);
  // What the projector said before now counts: by it the journal may find itself no longer needed.
  for (let message = takeWatermarks(); message !== null; message = takeWatermarks()) {
    loop?.retire(message.watermarks);
  }
  if (loop === null) supply.close();
  else loop.close();
  loop = null;
  for (const port of ports) port.close();
  supply.whenClosed.then(
    () => {
      tell({ kind: "closed" });
      supervisor.close();
    },
    (cause: unknown) => die("the segment allocator could not be closed", cause),
  );
}

function takeWatermarks(): WatermarkMessage | null {
  if (projector === null) return null;
  const received: { message: WatermarkMessage } | undefined = receiveMessageOnPort(projector);
  return received?.message ?? null;
}
