/**
 * One journal entry: one fact of one event, with the place it has in its shard. Little-endian:
 *
 *   offset  size  field
 *        0     4  bodyBytes    length of the body
 *        4     2  shard
 *        6     1  type         1: fact
 *        7     1  0
 *        8     8  lsn          (f64: exact up to 2^53)
 *       16     8  epoch        (f64) of the shard's owner when it was written
 *       24     8  atMs         (f64) the shard's logical time, Unix ms
 *       32     …  body         msgpack [eventId, encoded fact]
 *
 * Entries follow each other without padding. Their integrity is the frame's business (frame.ts).
 */
import { Packr, Unpackr } from "msgpackr";
import { assert } from "../../engine/assert.ts";
import { decodeFact, encodeFact } from "../../engine/fact-codec.ts";
import type { Fact } from "../../engine/facts.ts";
import type { EventId } from "../../engine/ids.ts";
import { ENTRY_BYTES_MAX } from "../../engine/limits.ts";
import { NOT_WRITTEN, writeRow } from "./msgpack-row.ts";

export const ENTRY_HEADER_BYTES = 32;
const TYPE_FACT = 1;
/** msgpack: an array of two, a text with one byte of length, 36. */
const PAIR_WITH_UUID = 0x92d924;
const PAIR_HEAD_BYTES = 3;
const UUID_BYTES = 36;

export interface EntryHeader {
  readonly shard: number;
  readonly lsn: number;
  readonly epoch: number;
  readonly atMs: number;
}

export interface Entry extends EntryHeader {
  readonly eventId: EventId;
  readonly fact: Fact;
}

// Records (shared or inline) would make a body depend on what was packed before it.
const packr = new Packr({ useRecords: false, variableMapSize: true });
const unpackr = new Unpackr({ useRecords: false });

/** Only these have what organisers may make long; all others are a few KB at most. */
const MAY_BE_LONG: ReadonlySet<Fact["kind"]> = new Set(["configured", "placesChanged"]);

/** Throws for a fact that no entry can hold. */
export function assertFitsEntry(fact: Fact): void {
  if (!MAY_BE_LONG.has(fact.kind)) return;
  const { length } = packr.pack(encodeFact(fact));
  assert(PAIR_HEAD_BYTES + UUID_BYTES + length <= ENTRY_BYTES_MAX, "a fact fits into an entry");
}

/** Collects the entries of one round into one buffer. */
export class EntryWriter {
  #buffer = Buffer.allocUnsafeSlow(16 * 1024);
  #view = viewOf(this.#buffer);
  #length = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Bytes written since the last `take`. */
  get bytes(): number {
    return this.#length;
  }

  write(header: EntryHeader, eventId: EventId, fact: Fact): void {
    const row = [eventId, encodeFact(fact)];
    const at = this.#length;
    const bodyAt = at + ENTRY_HEADER_BYTES;
    let end = writeRow(this.#view, bodyAt, row);
    if (end === NOT_WRITTEN) {
      const body = packr.pack(row);
      this.#reserve(ENTRY_HEADER_BYTES + body.length);
      body.copy(this.#buffer, bodyAt);
      end = bodyAt + body.length;
    }
    assert(end - bodyAt <= ENTRY_BYTES_MAX, "a fact fits into an entry");
    const view = this.#view;
    view.setUint32(at, end - bodyAt, true);
    view.setUint16(at + 4, header.shard, true);
    view.setUint16(at + 6, TYPE_FACT, true);
    view.setFloat64(at + 8, header.lsn, true);
    view.setFloat64(at + 16, header.epoch, true);
    view.setFloat64(at + 24, header.atMs, true);
    this.#length = end;
    this.#count += 1;
  }

  /** The bytes written since the last call, in memory of their own. */
  take(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#length);
    bytes.set(this.#buffer.subarray(0, this.#length));
    this.#length = 0;
    this.#count = 0;
    return bytes;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.#length + bytes));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
    this.#view = viewOf(larger);
  }
}

const viewOf = ({ buffer, byteOffset, byteLength }: Buffer): DataView =>
  new DataView(buffer, byteOffset, byteLength);

/** Where the next entry begins: `offset` plus the entry's length. Reads the header only. */
export function entryEnd(bytes: Buffer, offset: number): number {
  return offset + ENTRY_HEADER_BYTES + bytes.readUInt32LE(offset);
}

// Members of the header alone, for those who ask every entry for them.

export function shardOfEntry(bytes: Buffer, offset: number): number {
  return bytes.readUInt16LE(offset + 4);
}

export function lsnOf(bytes: Buffer, offset: number): number {
  return bytes.readDoubleLE(offset + 8);
}

export function atMsOf(bytes: Buffer, offset: number): number {
  return bytes.readDoubleLE(offset + 24);
}

export function eventIdOf(bytes: Buffer, offset: number): EventId {
  const start = offset + ENTRY_HEADER_BYTES + PAIR_HEAD_BYTES;
  return bytes.toString("latin1", start, start + UUID_BYTES) as EventId;
}

export function readEntryHeader(bytes: Buffer, offset: number): EntryHeader {
  return {
    shard: shardOfEntry(bytes, offset),
    lsn: lsnOf(bytes, offset),
    epoch: bytes.readDoubleLE(offset + 16),
    atMs: atMsOf(bytes, offset),
  };
}

export function readEntry(bytes: Buffer, offset: number): Entry {
  assertFact(bytes, offset);
  const end = entryEnd(bytes, offset);
  const body: unknown = unpackr.unpack(bytes, { start: offset + ENTRY_HEADER_BYTES, end });
  assert(Array.isArray(body), "an entry's body is an array");
  const [eventId, fact] = body as unknown[];
  // Member by member, as a whole journal may be read so.
  const { shard, lsn, epoch, atMs } = readEntryHeader(bytes, offset);
  return { shard, lsn, epoch, atMs, eventId: eventId as EventId, fact: decodeFact(fact) };
}

/**
 * Where the fact of the entry at `offset` begins as packFact makes it, to end where the entry does:
 * behind the head of the pair and the event's id, a text of 36 bytes.
 */
export function factStart(bytes: Buffer, offset: number): number {
  assertFact(bytes, offset);
  const body = offset + ENTRY_HEADER_BYTES;
  assert(bytes.readUIntBE(body, 3) === PAIR_WITH_UUID, "an entry's body begins with a uuid");
  return body + PAIR_HEAD_BYTES + UUID_BYTES;
}

function assertFact(bytes: Buffer, offset: number): void {
  const type = bytes.readUInt16LE(offset + 6);
  assert(type === TYPE_FACT, `entry type ${type} is known`);
}

/** Calls `visit` with the offset of each entry in `bytes`. */
export function forEachEntry(bytes: Buffer, visit: (offset: number) => void): void {
  for (let offset = 0; offset < bytes.length; offset = entryEnd(bytes, offset)) visit(offset);
}
