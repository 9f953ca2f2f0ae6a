import assert from "node:assert/strict";
import { test } from "node:test";
import { busyReplyTo } from "./busy-reply.ts";

const REST = '"eventId":"e","items":[]}';

function replyTo(message: string): Record<string, unknown> | null {
  const reply = busyReplyTo(Buffer.from(message));
  return reply === null ? null : JSON.parse(Buffer.from(reply).toString());
}

test("a hold is refused under its id, by whichever of the two it begins with", () => {
  for (const id of ["0", "7", "123456789012345", '"q-7"', `"${"x".repeat(98)}"`]) {
    for (const begin of [`"op":"hold","id":${id}`, `"id":${id},"op":"hold"`]) {
      const { op, id: answered, status, body } = replyTo(`{${begin},${REST}`) ?? {};
      assert.deepEqual([op, JSON.stringify(answered), status], ["reply", id, 503]);
      assert.equal((body as { code: string }).code, "busy");
    }
  }
});

test("each reply is its own, however many are asked for before it is sent", () => {
  const replies = [1, 22, 333].map((id) => busyReplyTo(Buffer.from(`{"op":"hold","id":${id},`)));
  const ids = replies.map((reply) => JSON.parse(Buffer.from(reply ?? "null").toString()).id);
  assert.deepEqual(ids, [1, 22, 333]);
});

test("what begins otherwise has to be read", () => {
  for (const message of [
    "",
    "{",
    '{"id":',
    '{"op":"hold","id":7',
    '{"op":"hold","id":7}',
    '{"op":"hold"}',
    `{"op":"book","id":1,${REST}`,
    `{"op":"book","note":{"op":"hold","id":1,${REST}`,
    `{"id":1,"op":"holding",${REST}`,
    `{"id":1,"op":"book",${REST}`,
    `{"op":"hold","id":007,${REST}`,
    `{"op":"hold","id":1.5,${REST}`,
    `{"op":"hold","id":-1,${REST}`,
    `{"op":"hold","id":1234567890123456,${REST}`,
    `{"op":"hold","id":"",${REST}`,
    `{"op":"hold","id":"a\\"b",${REST}`,
    `{"op":"hold","id":"ä",${REST}`,
    `{"op":"hold","id":"${"x".repeat(99)}",${REST}`,
    `{"op":"hold","id":"x`,
    `{"op":"hold","id":null,${REST}`,
    ` {"op":"hold","id":7,${REST}`,
  ]) {
    assert.equal(replyTo(message), null, message);
  }
});
