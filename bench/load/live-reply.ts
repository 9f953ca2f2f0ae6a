/** What the server replied to one request, read no further than it is asked about. */
export interface LiveReply {
  /** As over HTTP; 0: the connection ended before the reply. */
  readonly status: number;
  /** JSON of the body; valid during the call only, as all that follows. */
  readonly body: string;
  /** The `id` that the body begins with; "": it begins with something else. */
  readonly bodyId: string;
  /** The body's `seq`; -1: it has none. */
  readonly seq: number;
}

const HEAD = Buffer.from('{"op":"reply","id":');
const STATUS = Buffer.from(',"status":');
const BODY = Buffer.from(',"body":');
const BODY_ID = Buffer.from('{"id":"');
const SEQ = Buffer.from('"seq":');
const ID_CHARS = 36;
const ZERO = 0x30;

/**
 * Reads replies as the server writes them: op, id, status and body, in this order. One object for
 * all of them, since a load reads 100,000s.
 *
 * Invariant: `take` says whether the bytes are a reply; only then the rest is of that one.
 */
export class ReplyReader implements LiveReply {
  #bytes: Buffer = Buffer.alloc(0);
  #bodyAt = 0;
  #end = 0;
  id = -1;
  status = 0;

  take(bytes: Buffer, start: number, end: number): boolean {
    if (!hasAt(bytes, start, HEAD)) return false;
    const idEnd = digitsEnd(bytes, start + HEAD.length);
    if (!hasAt(bytes, idEnd, STATUS)) return false;
    const statusEnd = digitsEnd(bytes, idEnd + STATUS.length);
    if (!hasAt(bytes, statusEnd, BODY)) return false;
    this.id = numberIn(bytes, start + HEAD.length, idEnd);
    this.status = numberIn(bytes, idEnd + STATUS.length, statusEnd);
    this.#bytes = bytes;
    this.#bodyAt = statusEnd + BODY.length;
    // Without the bracket of the message.
    this.#end = end - 1;
    return true;
  }

  get body(): string {
    return this.#bytes.toString("latin1", this.#bodyAt, this.#end);
  }

  get bodyId(): string {
    if (!hasAt(this.#bytes, this.#bodyAt, BODY_ID)) return "";
    const at = this.#bodyAt + BODY_ID.length;
    return this.#bytes.toString("latin1", at, at + ID_CHARS);
  }

  get seq(): number {
    const at = this.#bytes.subarray(0, this.#end).lastIndexOf(SEQ);
    if (at < this.#bodyAt) return -1;
    const digits = at + SEQ.length;
    return numberIn(this.#bytes, digits, digitsEnd(this.#bytes, digits));
  }
}

/** Whether `wanted` stands at `at`. */
export function hasAt(bytes: Buffer, at: number, wanted: Buffer): boolean {
  if (bytes.length < at + wanted.length) return false;
  for (let index = 0; index < wanted.length; index += 1) {
    if (bytes[at + index] !== wanted[index]) return false;
  }
  return true;
}

/** Where the digits that begin at `at` are over. */
export function digitsEnd(bytes: Buffer, at: number): number {
  let end = at;
  for (let digit = bytes[end]; digit !== undefined; digit = bytes[end]) {
    if (digit < ZERO || digit > ZERO + 9) break;
    end += 1;
  }
  return end;
}

export function numberIn(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at += 1) value = value * 10 + (bytes[at] ?? ZERO) - ZERO;
  return value;
}
