/** What the journal's threads are started with. */
export interface JournalThreadData {
  /** journal: facts are durable in files of `journalDir`; postgres: in the operation log. */
  readonly ackMode: "journal" | "postgres";
  /** Directory of the journal's files; made if it is not there. */
  readonly journalDir: string;
  readonly databaseUrl: string;
  /** What retired segments may take up together. Default: 0, which removes them. */
  readonly archiveBytes?: number;
}
