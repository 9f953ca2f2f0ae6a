import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { entry } from "../../tests/support/journal-fixture.ts";
import { decodeBase, ENTRIES, encodeBase, findFrame, readFrame, sealFrame } from "./frame.ts";
import { encodeSegmentHeader, parseSegmentHeader, segmentName, sequenceOf } from "./segment.ts";

const SALT = Buffer.from("0123456789abcdef");

test("a frame on disk is, byte for byte, the picture at the top of its file", () => {
  const payload = entry(3, 9);
  const frame = Buffer.concat([Buffer.alloc(32), payload]);
  sealFrame(frame, { kind: ENTRIES, entryCount: 1 }, SALT, { number: 41, crc: 0xdeadbeef });

  const rest = Buffer.alloc(24);
  rest.writeUInt32LE(payload.length, 0);
  rest.writeUInt32LE(1, 4);
  rest.writeDoubleLE(42, 8);
  rest.writeUInt32LE(0xdeadbeef, 16);
  rest.writeUInt32LE(1, 20);
  const crc = Buffer.alloc(4);
  crc.writeUInt32LE(crc32(Buffer.concat([SALT, rest, payload])));
  const magic = Buffer.from([0xc1, 0x4a, 0x46, 0x31]);
  assert.deepEqual(frame, Buffer.concat([magic, crc, rest, payload]));
});

test("a frame is valid only under the salt of its segment", () => {
  const frame = Buffer.concat([Buffer.alloc(32), entry(0, 1)]);
  sealFrame(frame, { kind: ENTRIES, entryCount: 1 }, SALT, { number: 0, crc: 0 });
  assert.equal(readFrame(frame, 0, SALT)?.number, 1);
  assert.equal(readFrame(frame, 0, Buffer.alloc(16)), null);
});

test("a valid frame is found behind any number of bytes that look like its beginning", () => {
  const frame = Buffer.concat([Buffer.alloc(32), entry(0, 1)]);
  sealFrame(frame, { kind: ENTRIES, entryCount: 1 }, SALT, { number: 0, crc: 0 });
  const decoys = Buffer.concat(Array.from({ length: 50 }, () => frame.subarray(0, 33)));
  const bytes = Buffer.concat([decoys, frame]);
  assert.equal(findFrame(bytes, 0, SALT)?.offset, decoys.length);
  assert.equal(findFrame(decoys, 0, SALT), null);
});

test("a base frame gives back the last lsn of every shard", () => {
  const last = new Map([
    [0, 1],
    [65_535, 2 ** 53 - 1],
  ]);
  assert.deepEqual(decodeBase(encodeBase(last)), last);
});

test("a segment's header gives back its sequence and salt, and no bit of it may change", () => {
  const header = encodeSegmentHeader({ sequence: 7, salt: SALT });
  assert.deepEqual(parseSegmentHeader(header), { sequence: 7, salt: SALT });
  for (let bit = 0; bit < header.length * 8; bit += 1) {
    const damaged = Buffer.from(header);
    damaged[bit >>> 3] = (damaged[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
    assert.equal(typeof parseSegmentHeader(damaged), "string", `bit ${bit}`);
  }
});

test("a segment's name gives back its sequence, and other names none", () => {
  assert.equal(sequenceOf(segmentName(7)), 7);
  assert.equal(sequenceOf(segmentName(12_345_678_901)), 12_345_678_901);
  assert.equal(sequenceOf(`${segmentName(7)}.tmp`), null);
  assert.equal(sequenceOf(`${segmentName(7)}.4096.00.broken`), null);
});
