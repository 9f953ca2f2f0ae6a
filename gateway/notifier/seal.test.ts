import assert from "node:assert/strict";
import { test } from "node:test";
import { Seal } from "./seal.ts";

const MAIL = { to: "anna@example.org", token: "a-token" };

test("what was sealed opens with the same secret about the same thing, and not otherwise", () => {
  const seal = new Seal("a secret");
  const sealed = seal.close(MAIL, "reset:1");
  assert.ok(!Buffer.from(sealed, "base64url").includes("anna"));
  assert.deepEqual(new Seal("a secret").open(sealed, "reset:1"), MAIL);
  assert.equal(new Seal("another").open(sealed, "reset:1"), null);
  assert.equal(seal.open(sealed, "reset:2"), null);
  assert.notEqual(seal.close(MAIL, "reset:1"), sealed, "each has a nonce of its own");
});

test("what somebody has changed, or is none, opens to nothing", () => {
  const seal = new Seal("a secret");
  const bytes = Buffer.from(seal.close(MAIL, "k"), "base64url");
  for (let at = 0; at < bytes.length; at += 1) {
    const other = Buffer.from(bytes);
    other[at] = (other[at] ?? 0) ^ 1;
    assert.equal(seal.open(other.toString("base64url"), "k"), null);
  }
  for (const text of ["", "x", bytes.subarray(0, 27).toString("base64url")]) {
    assert.equal(seal.open(text, "k"), null);
  }
});
