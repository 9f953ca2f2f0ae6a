import assert from "node:assert/strict";
import { test } from "node:test";
import { TrackingTokens } from "./tracking-token.ts";

const tokens = new TrackingTokens("a secret of the tests, which is long enough");
const recipient = { campaignId: "01985a3c-7b10-7000-8a1c-5e07a4b1c2d3", position: 4_000_000_000 };
const url = "https://example.org/größe?a=1&b=%20#end";

test("a token says what it was made of", () => {
  assert.deepEqual(tokens.read("click", tokens.click(recipient, url)), { ...recipient, url });
  assert.deepEqual(tokens.read("open", tokens.open(recipient)), { ...recipient, url: "" });
  const objection = tokens.read("objection", tokens.objection(recipient));
  assert.deepEqual(objection, { ...recipient, url: "" });
});

test("a token with any character changed, cut off or added is none", () => {
  const token = tokens.click(recipient, url);
  for (let index = 0; index < token.length; index++) {
    const other = token[index] === "A" ? "B" : "A";
    const forged = token.slice(0, index) + other + token.slice(index + 1);
    assert.equal(tokens.read("click", forged), null, forged);
    assert.equal(tokens.read("click", token.slice(0, index)), null);
  }
  for (const more of ["A", "=", "%", " ", "/x"]) {
    assert.equal(tokens.read("click", token + more), null, more);
  }
  assert.equal(tokens.read("click", ""), null);
  assert.equal(tokens.read("click", "A".repeat(100_000)), null);
});

test("a token is of one kind and of one key", () => {
  const open = tokens.open(recipient);
  for (const kind of ["click", "objection"] as const) assert.equal(tokens.read(kind, open), null);
  // A click that leads nowhere has the bytes of an open, but not its signature.
  assert.equal(tokens.read("open", tokens.click(recipient, "")), null);
  const others = new TrackingTokens("another secret of the tests, long enough");
  assert.equal(others.read("open", open), null);
});
