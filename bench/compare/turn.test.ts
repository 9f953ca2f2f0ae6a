import assert from "node:assert/strict";
import { test } from "node:test";
import { oneOf } from "./turn.ts";

const check = (name: string, ok: boolean) => ({ name, ok, detail: `what ${name} found` });

test("a turn is sound when all of its checks are, and says what the first of them counted", () => {
  assert.deepEqual(oneOf("round 1", [check("a", true), check("b", true)]), {
    name: "round 1",
    ok: true,
    detail: "2 of 2 checks hold; a: what a found",
  });
});

test("one objection is the turn's, in its own words", () => {
  assert.deepEqual(oneOf("round 1", [check("a", true), check("b", false)]), {
    name: "round 1",
    ok: false,
    detail: "1 of 2 checks hold; b: what b found",
  });
});

test("a turn that checked nothing proves nothing", () => {
  assert.equal(oneOf("round 1", []).ok, false);
});
