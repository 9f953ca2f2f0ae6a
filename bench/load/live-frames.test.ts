import assert from "node:assert/strict";
import { test } from "node:test";
import { CLOSE, FrameReader, frameOf, LiveProtocolError, PING, TEXT } from "./live-frames.ts";

const FINAL = 0x80;

/** A server's frame: not masked. */
function served(first: number, payload: Buffer | string): Buffer {
  const bytes = Buffer.from(payload);
  if (bytes.length < 126) return Buffer.concat([Buffer.from([first, bytes.length]), bytes]);
  const head = Buffer.alloc(bytes.length < 65_536 ? 4 : 10);
  head[0] = first;
  if (head.length === 4) {
    head[1] = 126;
    head.writeUInt16BE(bytes.length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(bytes.length), 2);
  }
  return Buffer.concat([head, bytes]);
}

function readAll(chunks: readonly Buffer[], messageBytesMax?: number): string[] {
  const heard: string[] = [];
  const reader = new FrameReader((opcode, bytes, start, end) => {
    heard.push(`${opcode}:${bytes.toString("latin1", start, end)}`);
  }, messageBytesMax);
  for (const chunk of chunks) {
    reader.read(chunk);
    // The memory is used again.
    chunk.fill(0x2a);
  }
  return heard;
}

const lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 200_000];
const message = (length: number): string => "abcdefghij".repeat(length / 10 + 1).slice(0, length);

test("messages of every kind of length arrive whole, however the bytes are cut", () => {
  const wanted = lengths.map((length) => `${TEXT}:${message(length)}`);
  for (const chunkBytes of [1, 2, 3, 7, 1_000, 65_536, Number.POSITIVE_INFINITY]) {
    const bytes = Buffer.concat(lengths.map((length) => served(FINAL | TEXT, message(length))));
    const chunks: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      chunks.push(Buffer.from(bytes.subarray(at, Math.min(bytes.length, at + chunkBytes))));
    }
    assert.deepEqual(readAll(chunks), wanted, `in chunks of ${chunkBytes}`);
  }
});

test("a message in fragments is one message, and a ping between them is heard at once", () => {
  const frames = [
    served(TEXT, "one "),
    served(FINAL | PING, "p"),
    served(0, "two "),
    served(FINAL, "three"),
    served(FINAL | TEXT, "next"),
  ];
  const wanted = [`${PING}:p`, `${TEXT}:one two three`, `${TEXT}:next`];
  assert.deepEqual(readAll(frames.map((frame) => Buffer.from(frame))), wanted);
  assert.deepEqual(readAll([Buffer.concat(frames)]), wanted);
});

test("what a server may not send is an error of the protocol", () => {
  const wrong: Record<string, Buffer[]> = {
    "a masked frame": [Buffer.from([FINAL | TEXT, 0x80, 0, 0, 0, 0])],
    "a compressed frame": [served(FINAL | 0x40 | TEXT, "x")],
    "a continuation of nothing": [served(FINAL, "x")],
    "a message within another": [served(TEXT, "x"), served(FINAL | TEXT, "y")],
    "a ping in fragments": [served(PING, "x")],
    "a long close": [served(FINAL | CLOSE, message(126))],
    "a message over the bound": [served(FINAL | TEXT, message(1_001))],
    "fragments over the bound": [served(TEXT, message(600)), served(0, message(600))],
  };
  for (const [name, chunks] of Object.entries(wrong)) {
    assert.throws(() => readAll(chunks, 1_000), LiveProtocolError, name);
  }
});

test("what is sent is masked with zeros, in one frame of the right length", () => {
  for (const length of lengths) {
    const frame = Buffer.from(frameOf(TEXT, message(length)), "latin1");
    const headBytes = length < 126 ? 2 : length < 65_536 ? 4 : 10;
    assert.equal(frame[0], FINAL | TEXT);
    assert.equal((frame[1] ?? 0) & 0x80, 0x80, "masked");
    const said = (frame[1] ?? 0) & 0x7f;
    if (headBytes === 2) assert.equal(said, length);
    else if (headBytes === 4) assert.deepEqual([said, frame.readUInt16BE(2)], [126, length]);
    else assert.deepEqual([said, Number(frame.readBigUInt64BE(2))], [127, length]);
    assert.deepEqual([...frame.subarray(headBytes, headBytes + 4)], [0, 0, 0, 0]);
    assert.equal(frame.toString("latin1", headBytes + 4), message(length));
  }
});
