import assert from "node:assert/strict";
import { test } from "node:test";
import { requestIdOf, traceparentOf } from "./request-id.ts";

const REST = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

test("a trace context of version 00 is taken as it is, and nothing behind it", () => {
  assert.equal(traceparentOf(`00-${REST}`), `00-${REST}`);
  assert.equal(traceparentOf(`00-${REST}-extra`), "");
});

test("of a newer version its known fields are taken; version ff is none", () => {
  assert.equal(traceparentOf(`01-${REST}`), `00-${REST}`);
  assert.equal(traceparentOf(`cc-${REST}-what-the-future-brings`), `00-${REST}`);
  assert.equal(traceparentOf(`01-${REST}.extra`), "");
  assert.equal(traceparentOf(`ff-${REST}`), "");
});

test("what is malformed, in capitals or all zeros is no trace context", () => {
  const none = [
    ...["", "00", `00-${REST.slice(1)}`, `00-${REST.toUpperCase()}`, `0-${REST}`],
    ...[
      `00-${"0".repeat(32)}-00f067aa0ba902b7-01`,
      `00-${REST.replace(/-\w{16}-/, "-0000000000000000-")}`,
    ],
  ];
  for (const received of none) assert.equal(traceparentOf(received), "", received);
});

test("every request has an id of its own, unless its client gave it a fit one", () => {
  const ids = ["", "", "with a gap", "x".repeat(129)].map(requestIdOf);
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) assert.match(id, /^[0-9a-f]{12}-[0-9a-z]+$/);
  assert.equal(requestIdOf("mine"), "mine");
});
