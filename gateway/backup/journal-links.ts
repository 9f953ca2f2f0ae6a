import { linkSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { type LastLsns, readJournal } from "../../workers/journal/recovery.ts";
import { JournalCorrupt } from "../../workers/journal/recovery-errors.ts";
import { segmentName, sequenceOf } from "../../workers/journal/segment.ts";
import { ReadOnlyDisk } from "../../workers/journal/tool/read-only-disk.ts";
import { BackupFailed } from "./backup-failed.ts";
import { copyFileDurably, isMissing, PRIVATE_DIRECTORY } from "./durable-copy.ts";

/**
 * The segments of a journal that may be in use. A node removes them once PostgreSQL has their
 * facts; a second name for each keeps them until they are copied.
 *
 * Invariant: whatever was in the journal at a `take` is in the copy.
 */
export class JournalLinks {
  readonly #journal: string;
  readonly #links: string;
  /** Which file a sequence number was: numbers may come again. */
  readonly #inodes = new Map<number, number>();

  /** `links`: a directory of ours on the same file system; made, and removed by `close`. */
  constructor(journal: string, links: string) {
    this.#journal = journal;
    this.#links = links;
    mkdirSync(links, { mode: PRIVATE_DIRECTORY });
  }

  /** Gives a second name to all segments that are there now. Throws `journal_moved_on`. */
  take(): void {
    for (const sequence of sequencesIn(this.#journal)) {
      const inode = this.#link(sequence);
      const known = this.#inodes.get(sequence);
      if (inode === null || inode === known) continue;
      if (known !== undefined) {
        throw new BackupFailed("journal_moved_on", "the node was started again meanwhile");
      }
      this.#inodes.set(sequence, inode);
    }
  }

  /** The file that has the number now; null: it went away. */
  #link(sequence: number): number | null {
    const from = join(this.#journal, segmentName(sequence));
    const to = join(this.#links, segmentName(sequence));
    try {
      if (!this.#inodes.has(sequence)) linkSync(from, to);
      return statSync(this.#inodes.has(sequence) ? from : to).ino;
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  /**
   * Newest first: a segment that was still empty when it was copied has nothing behind it, and one
   * that grows meanwhile ends where its copy ends.
   */
  async copyTo(directory: string): Promise<void> {
    mkdirSync(directory, { mode: PRIVATE_DIRECTORY });
    for (const sequence of [...this.#inodes.keys()].sort((a, b) => b - a)) {
      const name = segmentName(sequence);
      await copyFileDurably(join(this.#links, name), join(directory, name));
    }
  }

  close(): void {
    rmSync(this.#links, { recursive: true, force: true });
  }
}

function sequencesIn(directory: string): number[] {
  try {
    return readdirSync(directory).flatMap((name) => sequenceOf(name) ?? []);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** What PostgreSQL had of each shard, at the least and at the most. */
export interface WatermarkRange {
  readonly from: LastLsns;
  readonly to: LastLsns;
}

/**
 * How many facts a start would bring from a journal into a database that it was copied with.
 * Throws `journal_moved_on` when the two don't belong together.
 */
export function factsToRecover(directory: string, { from, to }: WatermarkRange): number {
  const disk = new ReadOnlyDisk(directory);
  try {
    // What the database had at the least must be enough for what was retired; what it had at the
    // most must not be more than the journal reached.
    readJournal(disk, from);
    return readJournal(disk, to).entriesRecovered;
  } catch (cause) {
    if (!(cause instanceof JournalCorrupt)) throw cause;
    const message = `journal and database do not fit together: ${cause.message}`;
    throw new BackupFailed("journal_moved_on", message, { cause });
  }
}
