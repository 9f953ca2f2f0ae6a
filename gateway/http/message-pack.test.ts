import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, decodeMulti, encode } from "@msgpack/msgpack";
import fc from "fast-check";
import { Packr } from "msgpackr";
import { MESSAGES_PER_FRAME_MAX } from "../../engine/door-limits.ts";
import { SOCKET_MESSAGE_BYTES_MAX } from "../../engine/limits.ts";
import { isPackOffered, messagesIn, packed } from "./message-pack.ts";
import { packedEnd } from "./packed-scan.ts";

/** Another writer than the one that is tested. */
const packr = new Packr({ useRecords: false, variableMapSize: true });
const frame = (...messages: unknown[]): Buffer =>
  Buffer.concat(messages.map((message) => packr.pack(message)));
/** Whatever JSON says, but for what is refused in it as well. */
const SOUND = fc
  .jsonValue()
  .filter((value) => !/__proto__|constructor/.test(JSON.stringify(value)));
const good = (value: unknown) => ({ ok: true, value });

function faultIn(bytes: Buffer, at = 0): string {
  const message = messagesIn(bytes)[at];
  assert.ok(message !== undefined && !message.ok && message.code === "malformed_msgpack");
  assert.equal(messagesIn(bytes).length, at + 1, "nothing is read behind it");
  return message.detail;
}

test("the subprotocol is spoken where it is offered, among others too", () => {
  assert.ok(isPackOffered("evently.v1.msgpack"));
  assert.ok(isPackOffered("chat, evently.v1.msgpack ,x"));
  for (const other of ["", "evently.v1.json", "evently.v1.msgpack2", "x-evently.v1.msgpack"]) {
    assert.ok(!isPackOffered(other), other);
  }
});

test("one message, several behind each other, and several as an array", () => {
  const [a, b] = [
    { op: "a", n: -7 },
    { op: "b", list: ["ä", null, 2 ** 40, 1.5] },
  ];
  assert.deepEqual(messagesIn(frame(a)), [good(a)]);
  assert.deepEqual(messagesIn(frame(a, b)), [good(a), good(b)]);
  assert.deepEqual(messagesIn(frame([a, b], a)), [good(a), good(b), good(a)]);
  for (const none of [Buffer.alloc(0), frame([]), frame([], [])]) {
    assert.match(faultIn(none), /no message/);
  }
});

test("what is undefined is not there", () => {
  const message = { op: "a", items: [undefined, 1], id: undefined };
  assert.deepEqual(messagesIn(frame(message, { op: "b" })), [
    good({ op: "a", items: [null, 1] }),
    good({ op: "b" }),
  ]);
  assert.match(faultIn(Buffer.from([0x81, 0xd4, 0, 0, 1])), /Keys of maps/);
});

test("whatever JSON says comes back as it was", () => {
  fc.assert(
    fc.property(fc.array(SOUND, { minLength: 1, maxLength: 4 }), (values) => {
      const objects = values.map((value) => JSON.parse(JSON.stringify({ value })) as unknown);
      const bytes = Buffer.concat(objects.map((each) => packed(JSON.stringify(each))));
      assert.deepEqual(packr.unpackMultiple(bytes), objects);
      assert.deepEqual([...decodeMulti(bytes)], objects);
      assert.deepEqual(messagesIn(frame(...objects)), objects.map(good));
      const others = Buffer.concat(objects.map((each) => encode(each)));
      assert.deepEqual(messagesIn(others), objects.map(good));
    }),
  );
});

test("what was whole is read, and the fault behind it is told", () => {
  const whole = frame({ op: "a" });
  for (let end = 1; end < whole.length; end += 1) {
    const cut = Buffer.concat([whole, whole.subarray(0, end)]);
    assert.deepEqual(messagesIn(cut)[0], good({ op: "a" }));
    assert.match(faultIn(cut, 1), /too early/);
  }
  assert.match(faultIn(Buffer.concat([whole, Buffer.from([0xc1]), whole]), 1), /0xc1/);
});

test("nothing comes in that JSON does not have", () => {
  assert.match(faultIn(frame({ op: new Date(0) })), /Bytes and extensions/);
  assert.match(faultIn(Buffer.from([0xd4, 0x72, 0x40])), /Bytes and extensions/);
  assert.match(faultIn(frame({ op: Buffer.from("x") })), /Bytes and extensions/);
  assert.match(faultIn(Buffer.from([0x81, 0x01, 0x02])), /Keys of maps/);
  for (const key of ["__proto__", "constructor"]) {
    const bytes = Buffer.concat([
      Buffer.from([0x81, 0xa0 | key.length]),
      Buffer.from(`${key}\x01`),
    ]);
    assert.match(faultIn(bytes), /not (accepted|allowed)/);
  }
  // Half a character, as UTF-8 must not have it, with and without a sound neighbour.
  for (const text of [
    [0xed, 0xa0, 0x80],
    [0x61, 0xed, 0xbf, 0xbf],
  ]) {
    const bytes = Buffer.from([0x81, 0xa1, 0x61, 0xa0 | text.length, ...text]);
    const [message] = messagesIn(bytes);
    assert.ok(message !== undefined);
    const value = message.ok ? JSON.stringify(message.value) : "";
    assert.doesNotMatch(value, /\\ud[89a-f]/i);
  }
});

test("lengths that no frame has, and depth without end, cost nothing", () => {
  for (const bytes of [
    [0xdd, 0xff, 0xff, 0xff, 0xff],
    [0xdf, 0xff, 0xff, 0xff, 0xff, 0xa1, 0x61],
  ]) {
    const heapBefore = process.memoryUsage().heapUsed;
    assert.match(faultIn(Buffer.from(bytes)), /too early|length/);
    assert.ok(process.memoryUsage().heapUsed - heapBefore < 64 * 1024 * 1024);
  }
  faultIn(Buffer.alloc(SOCKET_MESSAGE_BYTES_MAX, 0x91));
  faultIn(Buffer.from([0xdb, 0xff, 0xff, 0xff, 0xff, 0x61]));
});

test("a frame has so many messages and no more", () => {
  const many = frame(...Array.from({ length: MESSAGES_PER_FRAME_MAX }, () => ({ op: "a" })));
  assert.equal(messagesIn(many).length, MESSAGES_PER_FRAME_MAX);
  const more = Buffer.concat([many, frame({ op: "a" })]);
  assert.match(faultIn(more, MESSAGES_PER_FRAME_MAX), /may have/);
  assert.match(faultIn(Buffer.alloc(60_000, 0xc0), MESSAGES_PER_FRAME_MAX), /may have/);
});

test("so many levels and no more", () => {
  const nested = (levels: number): Buffer => Buffer.from([...Array(levels).fill(0x91), 0xc0]);
  assert.equal(packedEnd(nested(64), 0), 65);
  assert.match(faultIn(nested(65)), /levels/);
  const maps = Buffer.concat([...Array(64).fill(Buffer.from([0x81, 0xa0])), Buffer.from([0xc0])]);
  assert.equal(packedEnd(maps, 0), maps.length);
});

test("what is let through, two readers read alike, whatever bit was turned", () => {
  const value = { op: "ä", n: [1, -1, 300, -300, 70_000, -70_000, 2 ** 40, 1.5], x: { y: null } };
  const whole = frame(value);
  let passed = 0;
  for (let bit = 0; bit < 8 * whole.length; bit += 1) {
    const bytes = Buffer.from(whole);
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const [message] = messagesIn(bytes);
    if (message?.ok !== true) continue;
    passed += 1;
    const end = packedEnd(bytes, 0);
    const other = decode(bytes.subarray(0, end));
    assert.deepEqual(message.value, Array.isArray(other) ? other[0] : other, `bit ${bit}`);
  }
  assert.ok(passed > whole.length);
});

test("garbage never throws", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const message of messagesIn(Buffer.from(bytes)))
        assert.equal(typeof message.ok, "boolean");
    }),
    { numRuns: 2_000 },
  );
});
