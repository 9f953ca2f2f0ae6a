import { type ClientBase, Query } from "pg";

/** "PGCOPY\n\377\r\n\0", flags, the length of an extension that nobody has. */
const HEADER_BYTES = 19;
/** Instead of a count of columns: no row comes any more. */
const END = -1;

/** Reads the row that begins at `at`. The bytes are the driver's: they stay only that long. */
export type ReadRow = (bytes: Buffer, at: number) => void;

class CopyOut extends Query {
  readonly #read: ReadRow;
  #at = HEADER_BYTES;
  #failure: unknown = null;

  constructor(text: string, read: ReadRow, settle: (failure: unknown) => void) {
    super(text, (error) => settle(error ?? this.#failure));
    this.#read = read;
  }

  /** The driver would drop it: a row each, the first one behind the header. */
  handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    const at = this.#at;
    this.#at = 0;
    if (this.#failure !== null) return;
    try {
      if (chunk.readInt16BE(at) !== END) this.#read(chunk, at);
    } catch (error) {
      // Thrown from here, it would be the whole connection's.
      this.#failure = error;
    }
  }
}

/**
 * Hands the rows of `COPY … TO STDOUT (FORMAT binary)` to `read`, each as it arrives. What that
 * throws rejects, behind the last row.
 */
export function copyOut(client: ClientBase, text: string, read: ReadRow): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (failure: unknown): void => {
      if (failure === null) resolve();
      else reject(failure);
    };
    client.query(new CopyOut(text, read, settle));
  });
}
