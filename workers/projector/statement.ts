export interface Statement {
  /** Prepared under this name. */
  readonly name: string;
  readonly text: string;
  readonly values: (string | Buffer | null)[];
  /** Rows that it must change; another count means that the database is not what it should be. */
  readonly rowCount: number;
  /** Some of them may be as they are to become, and then it changes fewer. */
  readonly isRepeatable?: true;
}
