import type { OwnedShard } from "../store/shard-table.ts";
import type { Disk } from "./disk.ts";
import type { OpenedJournal } from "./frame-journal.ts";
import type { JournalSource } from "./journal-service.ts";
import { emptyFileJournal } from "./other-journal.ts";
import { PgJournal, type PgJournalPorts } from "./pg-journal.ts";

export interface PgJournalSettings extends PgJournalPorts {
  /** Opens the directory in which a journal in files may be left; it may throw. */
  readonly openDisk: () => Disk;
}

/** The journal in PostgreSQL. */
export class PgJournalSource implements JournalSource {
  readonly #settings: PgJournalSettings;
  #journal: PgJournal | null = null;

  constructor(settings: PgJournalSettings) {
    this.#settings = settings;
  }

  async open(shards: readonly OwnedShard[]): Promise<OpenedJournal> {
    emptyFileJournal(this.#settings.openDisk(), shards);
    const opened = await PgJournal.open(this.#settings, shards);
    this.#journal = opened.journal;
    return opened;
  }

  /** Waits for the journal that was closed; one that was never opened has its log let go here. */
  async release(): Promise<void> {
    if (this.#journal === null) await this.#settings.log.close();
    else await this.#journal.closed;
  }
}
