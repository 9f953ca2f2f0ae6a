import assert from "node:assert/strict";
import { test } from "node:test";
import { draftOf } from "./campaign-body.ts";

test("of texts and of their trial only what is known is kept, whatever else there is", () => {
  const variants = ["Soon", "Now"].map((subject) => ({ subject, blocks: { text: "Hello" } }));
  const abTest = { samplePercent: 10, waitMinutes: 60, winnerBy: "opens" as const };
  const more = { more: JSON.parse("[".repeat(20_000) + "]".repeat(20_000)) };
  const body = {
    name: "Autumn",
    variants: variants.map((variant) => ({ ...variant, ...more })),
    abTest: { ...abTest, ...more },
  };
  const draft = draftOf(body, null);
  assert.deepEqual([draft.variants, draft.abTest], [variants, abTest]);
});
