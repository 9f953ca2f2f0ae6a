/**
 * A segment: one file of the journal, named by its sequence number.
 *
 *   journal-0000000007.seg
 *   ┌──────────────────────────┬──────┬───────┬───────┬─────┬──────────────────────────────┐
 *   │ header, 4096 bytes       │ base │ frame │ frame │  …  │ zeros, written ahead of need │
 *   └──────────────────────────┴──────┴───────┴───────┴─────┴──────────────────────────────┘
 *
 *   header, little-endian: offset  size  field
 *                               0     8  magic     "EVNTLYJ" 0
 *                               8     4  version   1
 *                              12     4  0
 *                              16     8  sequence  (f64)
 *                              24    16  salt      random
 *                              40     4  crc       crc32 over offsets 0 to 39
 *                              44     …  0, up to 4096: frames never share a page with the header
 *
 * The base frame (frame.ts) opens the segment with the last lsn of every shard before it. By it the
 * journal knows how far it ever came, even for a shard whose entries are long retired.
 *
 * A segment is born under a name ending in `.tmp`, and gets its own when header and zeros are on
 * disk. So a file with a segment's name has a whole header, and appending to it allocates nothing.
 */
import { crc32 } from "node:zlib";
import { type Disk, isOutOfRoom } from "./disk.ts";

export const SEGMENT_HEADER_BYTES = 4096;
export const SALT_BYTES = 16;
/**
 * Zeros are written and synced in steps, so that the journal's own fdatasync never waits for all.
 */
const STEP_BYTES = 1024 * 1024;

const MAGIC = "EVNTLYJ\0";
const VERSION = 1;
const HEADER_FIELDS_BYTES = 40;
const NAME = /^journal-(\d{10,})\.seg$/;

export interface SegmentHeader {
  readonly sequence: number;
  readonly salt: Buffer;
}

export interface NewSegment {
  readonly sequence: number;
  readonly salt: Uint8Array;
  /** Size of the file. */
  readonly bytes: number;
}

export function segmentName(sequence: number): string {
  return `journal-${String(sequence).padStart(10, "0")}.seg`;
}

/** The sequence number in a file's name; null: not a segment. */
export function sequenceOf(name: string): number | null {
  const digits = NAME.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}

export function isLeftover(name: string): boolean {
  return name.startsWith("journal-") && name.endsWith(".tmp");
}

export function encodeSegmentHeader(segment: SegmentHeader | NewSegment): Buffer {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  header.write(MAGIC, 0, "latin1");
  header.writeUInt32LE(VERSION, 8);
  header.writeDoubleLE(segment.sequence, 16);
  header.set(segment.salt, 24);
  header.writeUInt32LE(crc32(header.subarray(0, HEADER_FIELDS_BYTES)), HEADER_FIELDS_BYTES);
  return header;
}

/** The header, or in words what is wrong with it. */
export function parseSegmentHeader(bytes: Buffer): SegmentHeader | string {
  if (bytes.length < SEGMENT_HEADER_BYTES) return "the file is shorter than a segment's header";
  const header = bytes.subarray(0, SEGMENT_HEADER_BYTES);
  if (header.toString("latin1", 0, MAGIC.length) !== MAGIC) return "the header's magic is wrong";
  const crc = crc32(header.subarray(0, HEADER_FIELDS_BYTES));
  if (header.readUInt32LE(HEADER_FIELDS_BYTES) !== crc) return "the header's crc is wrong";
  const version = header.readUInt32LE(8);
  if (version !== VERSION) return `version ${version} of the format is not known`;
  if (contentEnd(header) > HEADER_FIELDS_BYTES + 4) return "the header's padding is not zero";
  return { sequence: header.readDoubleLE(16), salt: Buffer.from(header.subarray(24, 40)) };
}

/**
 * Makes a segment, durable under its name. `no room`: nothing of it is left, so that whoever frees
 * room (PostgreSQL, on the same disk) has what there is. Throws on every other failure.
 */
export function makeSegment(disk: Disk, segment: NewSegment): "ready" | "no room" {
  const name = segmentName(segment.sequence);
  const temporary = `${name}.tmp`;
  if (!fillTemporary(disk, temporary, segment)) return "no room";
  disk.rename(temporary, name);
  disk.syncDirectory();
  return "ready";
}

function fillTemporary(disk: Disk, temporary: string, segment: NewSegment): boolean {
  try {
    const file = disk.open(temporary, "create");
    try {
      const step = Buffer.alloc(STEP_BYTES);
      for (let offset = 0; offset < segment.bytes; offset += STEP_BYTES) {
        file.write(step.subarray(0, Math.min(STEP_BYTES, segment.bytes - offset)), offset);
        file.datasync();
      }
      file.write(encodeSegmentHeader(segment), 0);
      file.datasync();
    } finally {
      file.close();
    }
    return true;
  } catch (error) {
    if (!isOutOfRoom(error)) throw error;
    if (disk.list().includes(temporary)) disk.unlink(temporary);
    return false;
  }
}

const ZEROS = Buffer.alloc(64 * 1024);

/** Offset behind the last byte that is not zero; 0: all are zero. */
export function contentEnd(bytes: Buffer): number {
  let end = bytes.length;
  while (end > 0) {
    const start = Math.max(0, end - ZEROS.length);
    if (bytes.compare(ZEROS, 0, end - start, start, end) !== 0) break;
    end = start;
  }
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return end;
}
