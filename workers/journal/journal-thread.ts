/** Entry of the journal thread. */
import { randomBytes } from "node:crypto";
import { unreachable } from "../../engine/unreachable.ts";
import { systemClock } from "../clock.ts";
import { die } from "../die.ts";
import { currentThread, threadData } from "../thread-context.ts";
import { warn } from "../warn.ts";
import { FileJournalSource } from "./file-journal-source.ts";
import { FsDisk } from "./fs-disk.ts";
import { JournalService, type JournalSource } from "./journal-service.ts";
import type { JournalThreadData } from "./journal-thread-data.ts";
import { PgJournalSource } from "./pg-journal-source.ts";
import { PgOperationLog } from "./pg-operation-log.ts";
import { SALT_BYTES } from "./segment.ts";
import { ThreadSegmentSupply } from "./thread-segment-supply.ts";

// Whatever was not foreseen: the journal must never go on half-way.
process.on("uncaughtException", (cause) => die("the journal thread failed", cause));

const data = threadData<JournalThreadData>();
new JournalService(sourceOf(data), currentThread());

function sourceOf({ ackMode, journalDir, databaseUrl }: JournalThreadData): JournalSource {
  const openDisk = (): FsDisk => new FsDisk(journalDir);
  const openLog = (): PgOperationLog => new PgOperationLog(databaseUrl);
  switch (ackMode) {
    case "postgres":
      return new PgJournalSource({ log: openLog(), clock: systemClock, die, openDisk });
    case "journal": {
      // Begun at once: starting a thread takes longer than most recoveries.
      const supply = new ThreadSegmentSupply(data, die);
      return new FileJournalSource({
        openDisk,
        openLog,
        supply,
        supplyClosed: () => supply.whenClosed,
        randomSalt: () => randomBytes(SALT_BYTES),
        die,
        nowMs: () => systemClock.monotonicMs(),
        warn: (message, file) => warn(message, { file }),
      });
    }
    default:
      return unreachable(ackMode);
  }
}
