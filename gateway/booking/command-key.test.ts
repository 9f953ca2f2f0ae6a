import assert from "node:assert/strict";
import { test } from "node:test";
import { ALICE, BOB } from "../../engine/testing/fixtures.ts";
import { commandKey, isIdempotencyKey } from "./command-key.ts";

test("a key is 1 to 128 visible ASCII characters", () => {
  for (const good of ["a", "!", "~", "x".repeat(128), "018f3c9a-7b10"]) {
    assert.ok(isIdempotencyKey(good), good);
  }
  for (const bad of ["", " ", "a b", "x".repeat(129), "ä", "a\n", "a\u007f", "a\u0000"]) {
    assert.ok(!isIdempotencyKey(bad), JSON.stringify(bad));
  }
});

test("digests are as long as the facts say", () => {
  const { digest, fingerprint } = commandKey(ALICE, "k", ["hold", [1]]);
  assert.match(digest, /^[\w-]{22}$/);
  assert.match(fingerprint, /^[\w-]{11}$/);
});

test("the same user, key and request make the same digests", () => {
  assert.deepEqual(commandKey(ALICE, "k", ["hold", [1]]), commandKey(ALICE, "k", ["hold", [1]]));
});

test("another user or key is another digest, another request another fingerprint", () => {
  const first = commandKey(ALICE, "k", ["hold", [1]]);
  assert.notEqual(commandKey(BOB, "k", ["hold", [1]]).digest, first.digest);
  assert.notEqual(commandKey(ALICE, "l", ["hold", [1]]).digest, first.digest);
  const other = commandKey(ALICE, "k", ["hold", [2]]);
  assert.equal(other.digest, first.digest);
  assert.notEqual(other.fingerprint, first.fingerprint);
});
