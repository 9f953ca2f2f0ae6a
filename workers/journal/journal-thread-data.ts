/** What the journal's threads are started with. */
export interface JournalThreadData {
  /** Directory of the journal; made if it is not there. */
  readonly dir: string;
}
