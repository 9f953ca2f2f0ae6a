/** What the journal's threads are started with. */
export interface JournalThreadData {
  /** Directory of the journal's files; made if it is not there. */
  readonly journalDir: string;
  readonly databaseUrl: string;
}
