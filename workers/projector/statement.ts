import type { Copy } from "./copy-in.ts";
import { CopyRows, ROW_BYTES } from "./copy-rows.ts";

/** One step of a projection's transaction. */
export type Step = Statement | Insertion;

interface Expected {
  readonly name: string;
  /** Rows that it must change; another count means that the database is not what it should be. */
  readonly rowCount: number;
}

/** Prepared under its name. */
export interface Statement extends Expected {
  readonly text: string;
  readonly values: (string | Buffer | null)[];
  /** Some of them may be as they are to become, and then it changes fewer. */
  readonly isRepeatable?: true;
}

/** Rows that are new. */
export interface Insertion extends Expected {
  readonly copy: Copy;
}

const NONE = Buffer.alloc(0);

interface Target {
  readonly name: string;
  readonly table: string;
  /** As in the table, with commas between. */
  readonly columns: string;
  /** About what all rows take. Default: as many as rows mostly do. */
  readonly bytes?: number;
}

/** `write` puts in the rows of one of those `from` which they are made: mostly it is one. */
export function insertion<From>(
  { name, table, columns, bytes }: Target,
  from: readonly From[],
  write: (into: CopyRows, one: From) => void,
): Insertion {
  const text = `COPY ${table} (${columns}) FROM STDIN (FORMAT binary)`;
  // It is left out, and nobody would give its memory back.
  if (from.length === 0) return { name, copy: { text, rows: NONE }, rowCount: 0 };
  const into = new CopyRows(columns.split(",").length, bytes ?? ROW_BYTES * (1 + from.length));
  for (const one of from) write(into, one);
  return { name, copy: { text, rows: into.finish() }, rowCount: into.count };
}
