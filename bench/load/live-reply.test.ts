import assert from "node:assert/strict";
import { test } from "node:test";
import { ReplyReader } from "./live-reply.ts";

const ID = "018f3c9a-7b10-7000-8000-0007a4b1c2d3";

function read(text: string, before = "garbage"): ReplyReader | null {
  const bytes = Buffer.from(`${before}${text}garbage 1`);
  const reader = new ReplyReader();
  return reader.take(bytes, before.length, before.length + text.length) ? reader : null;
}

test("a reply's id, status, body, and what a load asks of it are read", () => {
  const body = { id: ID, items: [{ id: "x", seq: 3 }], status: "active", seq: 4711 };
  const reader = read(JSON.stringify({ op: "reply", id: 12, status: 201, body }));
  assert.ok(reader !== null);
  assert.deepEqual([reader.id, reader.status, reader.bodyId, reader.seq], [12, 201, ID, 4711]);
  assert.deepEqual(JSON.parse(reader.body), body);
});

test("a refusal has neither id nor seq", () => {
  const text = JSON.stringify({ op: "reply", id: 7, status: 503, body: { code: "busy" } });
  const reader = read(text, '"seq":99');
  assert.ok(reader !== null);
  assert.deepEqual([reader.status, reader.bodyId, reader.seq], [503, "", -1]);
});

test("what is no reply is not taken for one", () => {
  for (const text of [
    "",
    "{}",
    '{"op":"reply"',
    '{"op":"delta","id":1}',
    '{"op":"reply","id":1}',
  ]) {
    assert.equal(read(text), null, text);
  }
});
