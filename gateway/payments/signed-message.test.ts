import assert from "node:assert/strict";
import { test } from "node:test";
import { isSigned, signMessage } from "./signed-message.ts";

const AT_MS = 1_700_000_000_000;

test("a message is signed as Standard Webhooks says", () => {
  const headers = signMessage("secret", { id: "msg_1", atMs: AT_MS, body: "{}" });
  assert.deepEqual(headers, {
    "webhook-id": "msg_1",
    "webhook-timestamp": "1700000000",
    // printf 'msg_1.1700000000.{}' | openssl dgst -sha256 -hmac secret -binary | base64
    "webhook-signature": "v1,A5oIrJxXPB/PkULSoVu0e4khvPiqpF9vljmhkSKg0FI=",
  });
});

test("one of several signatures is enough, and nothing else is", () => {
  const body = Buffer.from("{}");
  const headers = signMessage("secret", { id: "msg_1", atMs: AT_MS, body: "{}" });
  const right = headers["webhook-signature"];
  const judge = (change: Record<string, string>, at = AT_MS): boolean =>
    isSigned("secret", { ...headers, ...change }, { body, nowMs: at });
  assert.ok(judge({}));
  assert.ok(judge({ "webhook-signature": `v1,AAAA v1a,x ${right}` }));
  assert.ok(judge({}, AT_MS + 299_000) && judge({}, AT_MS - 299_000));
  assert.ok(!judge({}, AT_MS + 301_000) && !judge({}, AT_MS - 301_000));
  for (const signature of ["", "v1,", "v1", right.slice(3), `v2,${right.slice(3)}`, "v1,AAAA"]) {
    assert.ok(!judge({ "webhook-signature": signature }), signature);
  }
  assert.ok(!judge({ "webhook-id": "msg_2" }) && !judge({ "webhook-id": "" }));
  assert.ok(!judge({ "webhook-timestamp": "1700000001" }));
  assert.ok(!judge({ "webhook-timestamp": "soon" }));
  assert.ok(!isSigned("secret", {}, { body, nowMs: AT_MS }));
});
