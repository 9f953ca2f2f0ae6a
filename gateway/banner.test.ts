import assert from "node:assert/strict";
import { test } from "node:test";
import { banner } from "./banner.ts";

test("the banner says where the node is, as programs wait for it, and where to read on", async () => {
  const url = "http://127.0.0.1:3000";
  const text = await banner(url, { first: async () => [], seatsOf: async () => [] });
  assert.equal(/Evently is ready at (\S+)/.exec(text)?.[1], url);
  assert.ok(text.split("\n").includes(`What it answers is shown at ${url}/docs`), text);
});
