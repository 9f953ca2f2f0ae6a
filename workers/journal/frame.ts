/**
 * A frame: what one fdatasync covers. Little-endian:
 *
 *   offset  size  field
 *        0     4  magic         c1 4a 46 31
 *        4     4  crc           crc32 over the segment's salt and everything from offset 8 on
 *        8     4  payloadBytes
 *       12     4  entryCount    entries in the payload
 *       16     8  number        (f64) of the frame; 1, 2, 3, … through all segments
 *       24     4  previousCrc   crc of the frame before, also across segments; 0: the very first
 *       28     4  kind          1: entries, 2: base, 3: start
 *       32     …  payload       1: entries (entry.ts)
 *
 *   base: the last lsn of every shard before this segment. Repeated per shard:
 *        0     2  shard
 *        2     6  0
 *        8     8  lsn           (f64)
 *
 *   start: what was recovered has been written again; no segment before this one counts any more:
 *        0     8  origin        (f64) sequence number of the segment that the start began with
 *
 * A frame is written only after the one before it is durable. So a valid frame behind a bad one
 * proves that the bad one was once good, and acknowledged: bytes were damaged, not torn.
 *
 * The salt is random per segment and never leaves it: neither the remains of another file nor bytes
 * that a client sent pass for a frame. Frames are not padded to sectors: to write the next one
 * rewrites the end of the last one in the same sector with the same bytes.
 */
import { crc32 } from "node:zlib";
import { assert } from "../../engine/assert.ts";
import { FRAME_PAYLOAD_BYTES_MAX } from "../../engine/limits.ts";

export const FRAME_HEADER_BYTES = 32;
export const ENTRIES = 1;
export const BASE = 2;
export const START = 3;
export type FrameKind = typeof ENTRIES | typeof BASE | typeof START;

const MAGIC = Buffer.from([0xc1, 0x4a, 0x46, 0x31]);
const CRC_FROM = 8;
const BASE_RECORD_BYTES = 16;

/** Where the chain of frames stands: number and crc of its last one. */
export interface ChainEnd {
  readonly number: number;
  readonly crc: number;
}

export const CHAIN_START: ChainEnd = { number: 0, crc: 0 };

export interface Frame extends ChainEnd {
  readonly kind: FrameKind;
  readonly previousCrc: number;
  readonly entryCount: number;
  readonly offset: number;
  /** Offset behind the frame. */
  readonly end: number;
  /** Windows into the bytes it was read from: header and payload, and the payload alone. */
  readonly bytes: Buffer;
  readonly payload: Buffer;
}

export interface FrameContent {
  readonly kind: FrameKind;
  readonly entryCount: number;
}

/**
 * Fills in the header of `frame`, whose payload is in its place, as the successor of `previous`.
 */
export function sealFrame(
  frame: Buffer,
  content: FrameContent,
  salt: Uint8Array,
  previous: ChainEnd,
): ChainEnd {
  const payloadBytes = frame.length - FRAME_HEADER_BYTES;
  assert(payloadBytes <= FRAME_PAYLOAD_BYTES_MAX, "a frame's payload is bounded");
  MAGIC.copy(frame, 0);
  frame.writeUInt32LE(payloadBytes, 8);
  frame.writeUInt32LE(content.entryCount, 12);
  frame.writeDoubleLE(previous.number + 1, 16);
  frame.writeUInt32LE(previous.crc, 24);
  frame.writeUInt32LE(content.kind, 28);
  const crc = crc32(frame.subarray(CRC_FROM), crc32(salt));
  frame.writeUInt32LE(crc, 4);
  return { number: previous.number + 1, crc };
}

/** The frame at `offset`; null: there is no valid one. */
export function readFrame(bytes: Buffer, offset: number, salt: Uint8Array): Frame | null {
  if (offset + FRAME_HEADER_BYTES > bytes.length) return null;
  if (MAGIC.compare(bytes, offset, offset + MAGIC.length) !== 0) return null;
  const payloadBytes = bytes.readUInt32LE(offset + 8);
  const end = offset + FRAME_HEADER_BYTES + payloadBytes;
  if (payloadBytes > FRAME_PAYLOAD_BYTES_MAX || end > bytes.length) return null;
  const kind = bytes.readUInt32LE(offset + 28);
  if (kind !== ENTRIES && kind !== BASE && kind !== START) return null;
  const crc = bytes.readUInt32LE(offset + 4);
  if (crc !== crc32(bytes.subarray(offset + CRC_FROM, end), crc32(salt))) return null;
  return {
    kind,
    crc,
    offset,
    end,
    number: bytes.readDoubleLE(offset + 16),
    previousCrc: bytes.readUInt32LE(offset + 24),
    entryCount: bytes.readUInt32LE(offset + 12),
    bytes: bytes.subarray(offset, end),
    payload: bytes.subarray(offset + FRAME_HEADER_BYTES, end),
  };
}

/** The first valid frame at or behind `from`; null: there is none. */
export function findFrame(bytes: Buffer, from: number, salt: Uint8Array): Frame | null {
  for (let at = bytes.indexOf(MAGIC, from); at !== -1; at = bytes.indexOf(MAGIC, at + 1)) {
    const frame = readFrame(bytes, at, salt);
    if (frame !== null) return frame;
  }
  return null;
}

export function encodeBase(last: ReadonlyMap<number, number>): Buffer {
  const bytes = Buffer.alloc(last.size * BASE_RECORD_BYTES);
  let offset = 0;
  for (const [shard, lsn] of last) {
    bytes.writeUInt16LE(shard, offset);
    bytes.writeDoubleLE(lsn, offset + 8);
    offset += BASE_RECORD_BYTES;
  }
  return bytes;
}

export function decodeBase(payload: Buffer): Map<number, number> {
  const last = new Map<number, number>();
  for (let at = 0; at + BASE_RECORD_BYTES <= payload.length; at += BASE_RECORD_BYTES) {
    last.set(payload.readUInt16LE(at), payload.readDoubleLE(at + 8));
  }
  return last;
}

export function encodeStart(origin: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(origin);
  return bytes;
}

export function decodeStart(payload: Buffer): number {
  return payload.readDoubleLE(0);
}
