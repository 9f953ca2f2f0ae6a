import type { OwnedShard } from "../store/shard-table.ts";
import type { Disk } from "./disk.ts";
import { FileJournal, type FileJournalPorts } from "./file-journal.ts";
import type { OpenedJournal } from "./frame-journal.ts";
import type { JournalSource } from "./journal-service.ts";
import type { OperationLog } from "./operation-log.ts";
import { emptyOperationLog } from "./other-journal.ts";
import type { SegmentSupply } from "./segment-supply.ts";

export interface FileJournalSettings extends Omit<FileJournalPorts, "disk" | "supply"> {
  /** Opens the directory; it may throw, as when it can't be made. */
  readonly openDisk: () => Disk;
  readonly supply: SegmentSupply;
  /** Where the journal of the other mode would be. Opened for a moment, at the start. */
  readonly openLog: () => OperationLog;
  /** Resolves once a closed supply has done everything it was told. */
  readonly supplyClosed: () => Promise<void>;
}

/** The journal in files. */
export class FileJournalSource implements JournalSource {
  readonly #settings: FileJournalSettings;

  constructor(settings: FileJournalSettings) {
    this.#settings = settings;
  }

  async open(shards: readonly OwnedShard[]): Promise<OpenedJournal> {
    const log = this.#settings.openLog();
    try {
      await emptyOperationLog(log, shards);
    } finally {
      await log.close();
    }
    const watermarks = new Map(shards.map(({ shard, appliedLsn }) => [shard, appliedLsn]));
    const disk = this.#settings.openDisk();
    return FileJournal.open({ ...this.#settings, disk }, watermarks);
  }

  async release(): Promise<void> {
    this.#settings.supply.close();
    await this.#settings.supplyClosed();
  }
}
