/**
 * Font files as packages have them (WOFF 1), unpacked. The library that reads fonts would inflate
 * them in JavaScript, table by table, for each PDF anew: that took 90 % of a ticket's time.
 *
 *   WOFF   "wOFF", flavor, length, numTables, …           44 bytes
 *          tag, offset, compLength, origLength, checksum   20 bytes for each table
 *          tables, each deflated, where that makes it shorter
 *   SFNT   flavor, numTables, searchRange, entrySelector, rangeShift   12 bytes
 *          tag, checksum, offset, length                   16 bytes for each table
 *          tables, each at a multiple of 4
 */
import { inflateSync } from "node:zlib";

const WOFF_SIGNATURE = 0x774f4646;
const WOFF_HEADER = 44;
const WOFF_ENTRY = 20;
const SFNT_HEADER = 12;
const SFNT_ENTRY = 16;

/** The font as OpenType has it; what is no WOFF 1 stays as it is. */
export function unpackedFont(file: Buffer): Buffer {
  if (file.length < WOFF_HEADER || file.readUInt32BE(0) !== WOFF_SIGNATURE) return file;
  const count = file.readUInt16BE(12);
  const directory = Buffer.alloc(SFNT_HEADER + count * SFNT_ENTRY);
  directory.writeUInt32BE(file.readUInt32BE(4), 0);
  directory.writeUInt16BE(count, 4);
  const power = Math.floor(Math.log2(Math.max(1, count)));
  directory.writeUInt16BE(SFNT_ENTRY * 2 ** power, 6);
  directory.writeUInt16BE(power, 8);
  directory.writeUInt16BE(SFNT_ENTRY * (count - 2 ** power), 10);
  const parts: Buffer[] = [directory];
  let offset = directory.length;
  for (let n = 0; n < count; n += 1) {
    const from = WOFF_HEADER + n * WOFF_ENTRY;
    const [at, packed, length] = [4, 8, 12].map((field) => file.readUInt32BE(from + field));
    if (at === undefined || packed === undefined || length === undefined) continue;
    const bytes = file.subarray(at, at + packed);
    const table = packed < length ? inflateSync(bytes, { maxOutputLength: length }) : bytes;
    const to = SFNT_HEADER + n * SFNT_ENTRY;
    file.copy(directory, to, from, from + 4);
    file.copy(directory, to + 4, from + 16, from + 20);
    directory.writeUInt32BE(offset, to + 8);
    directory.writeUInt32BE(length, to + 12);
    const padding = Buffer.alloc(-length & 3);
    parts.push(table, padding);
    offset += length + padding.length;
  }
  return Buffer.concat(parts);
}
