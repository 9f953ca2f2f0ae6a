import { type Client, type Connection, Query } from "pg";

/** Rows on their way into a table. */
export interface Copy {
  /** COPY … FROM STDIN (FORMAT binary) */
  readonly text: string;
  /** Of CopyRows. */
  readonly rows: Buffer;
}

/**
 * A COPY that does not wait to be asked for its rows: they leave with the statement. If that fails,
 * the server drops them unread, as the protocol wants it to, so other statements may follow at
 * once.
 */
class CopyIn extends Query {
  constructor(copy: Copy, resolve: (rowCount: number) => void, reject: (error: Error) => void) {
    super(copy.text, (error, result) => {
      if (error) reject(error);
      else resolve(result.rowCount ?? 0);
    });
    this.submit = ({ stream }: Connection): void => {
      const text = Buffer.from(copy.text);
      const head = Buffer.alloc(5);
      head.write("Q", "latin1");
      head.writeInt32BE(text.length + 5, 1);
      stream.cork();
      stream.write(Buffer.concat([head, text, Buffer.alloc(1)]));
      stream.write(copy.rows);
      stream.uncork();
    };
  }

  /** The driver would answer that there are no rows. */
  handleCopyInResponse(): void {
    // They have left.
  }
}

/** Resolves to the number of rows. `client` may be in pipeline mode. */
export function copyInto(client: Client, copy: Copy): Promise<number> {
  return new Promise((resolve, reject) => {
    client.query(new CopyIn(copy, resolve, reject));
  });
}
