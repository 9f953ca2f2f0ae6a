/** Entry of the journal thread. */
import { randomBytes } from "node:crypto";
import { die } from "../die.ts";
import { currentThread, threadData } from "../thread-context.ts";
import { FileJournalSource } from "./file-journal-source.ts";
import { FsDisk } from "./fs-disk.ts";
import { JournalService } from "./journal-service.ts";
import type { JournalThreadData } from "./journal-thread-data.ts";
import { SALT_BYTES } from "./segment.ts";
import { ThreadSegmentSupply } from "./thread-segment-supply.ts";

// Whatever was not foreseen: the journal must never go on half-way.
process.on("uncaughtException", (cause) => die("the journal thread failed", cause));

const data = threadData<JournalThreadData>();
// Begun at once: starting a thread takes longer than most recoveries.
const supply = new ThreadSegmentSupply(data, die);
const source = new FileJournalSource({
  openDisk: () => new FsDisk(data.journalDir),
  supply,
  supplyClosed: () => supply.whenClosed,
  randomSalt: () => randomBytes(SALT_BYTES),
  die,
  nowMs: () => performance.now(),
});
new JournalService(source, currentThread());
