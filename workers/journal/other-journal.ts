/**
 * ACK_MODE may change between two starts. A start looks at the journal of the other mode first:
 *
 *   it holds entries that PostgreSQL lacks    OtherJournalInUse, and nothing changes: start once
 *                                             with the other mode, which projects them
 *   it is damaged                             what that journal says of itself, and nothing changes
 *   PostgreSQL has all of it                  it is left empty
 *
 * So at most one of the two ever holds what PostgreSQL lacks, and one that is empty takes any
 * watermark for its beginning: how far the other one went meanwhile does not matter to it.
 *
 * Both are to be called between taking the shards over and opening the journal of this start. A
 * crash in between leaves what the next start, of either mode, can go on with.
 */
import type { Disk } from "./disk.ts";
import type { OperationLog } from "./operation-log.ts";
import { type LoggedShard, readLogTail } from "./operation-log-tail.ts";
import { readJournal } from "./recovery.ts";
import { OtherJournalInUse } from "./recovery-errors.ts";
import { isLeftover } from "./segment.ts";
import { discardSegments } from "./segment-supply.ts";
import { copyTornTail } from "./torn-tail.ts";

/**
 * For a start with ACK_MODE=postgres. Throws OtherJournalInUse, JournalCorrupt, or what the disk
 * throws. A torn tail was never acknowledged; its copy stays.
 */
export function emptyFileJournal(disk: Disk, shards: readonly LoggedShard[]): void {
  const watermarks = new Map(shards.map(({ shard, appliedLsn }) => [shard, appliedLsn]));
  const { entriesRecovered, tornTail, used, unused } = readJournal(disk, watermarks);
  refuseIfAny(entriesRecovered, "the journal in DATA_DIR", "journal");
  if (tornTail !== null) copyTornTail(disk, tornTail);
  for (const name of disk.list().filter(isLeftover)) disk.unlink(name);
  // An earlier start may have been cut between a removal and its sync: what is not seen here could
  // be there again after a power failure, when the other journal has gone on.
  disk.syncDirectory();
  discardSegments(disk, used);
  discardSegments(disk, unused);
}

/**
 * For a start with ACK_MODE=journal. Throws OtherJournalInUse, OperationLogCorrupt, JournalFenced,
 * or what the log throws when it can't be reached. Does not close the log.
 */
export async function emptyOperationLog(
  log: OperationLog,
  shards: readonly LoggedShard[],
): Promise<void> {
  const { entriesRecovered } = await readLogTail(log, shards);
  refuseIfAny(entriesRecovered, "the operation log in PostgreSQL", "postgres");
  const watermarks = shards.map(({ shard, appliedLsn }) => [shard, appliedLsn] as const);
  while (await log.retire(watermarks)) {
    // Each turn is a bounded number of rows.
  }
}

function refuseIfAny(entries: number, where: string, mode: "journal" | "postgres"): void {
  if (entries === 0) return;
  throw new OtherJournalInUse(
    `${where} holds ${entries} entries that are not projected yet: start once with ` +
      `ACK_MODE=${mode}, stop, and then change the mode`,
  );
}
