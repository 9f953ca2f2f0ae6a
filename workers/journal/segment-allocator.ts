/**
 * Entry of the thread that prepares the journal's next segment and removes or archives retired
 * ones, so that the journal thread never waits for either.
 */
import { randomBytes } from "node:crypto";
import { SEGMENT_BYTES } from "../../engine/limits.ts";
import { unreachable } from "../../engine/unreachable.ts";
import { die } from "../die.ts";
import { currentThread, threadData } from "../thread-context.ts";
import { warn } from "../warn.ts";
import { FsDisk } from "./fs-disk.ts";
import type { JournalThreadData } from "./journal-thread-data.ts";
import { SALT_BYTES } from "./segment.ts";
import { InlineSegmentSupply } from "./segment-supply.ts";
import type { PreparedMessage, ToAllocator } from "./segment-supply-messages.ts";

const { parent: journal } = currentThread();
const { journalDir, archiveBytes = 0 } = threadData<JournalThreadData>();
let supply: InlineSegmentSupply | null = null;

process.on("uncaughtException", (cause) => die("the segment allocator failed", cause));

/** Made late: the directory is made by the journal thread, before it asks for anything. */
function opened(): InlineSegmentSupply {
  supply ??= new InlineSegmentSupply(
    new FsDisk(journalDir),
    () => randomBytes(SALT_BYTES),
    SEGMENT_BYTES,
    { bytesMax: archiveBytes, warn: (message, file) => warn(message, { file }) },
  );
  return supply;
}

journal.on("message", (message: ToAllocator) => {
  switch (message.kind) {
    case "prepare":
      return opened().prepare(message.sequence, (outcome) => {
        journal.postMessage({ kind: "prepared", outcome } satisfies PreparedMessage);
      });
    case "discard":
      return opened().discard(message.sequences);
    case "close":
      return journal.close();
    default:
      return unreachable(message);
  }
});
