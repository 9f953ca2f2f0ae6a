/** The short form of `npm run fuzz`, with the same seed each time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { OPERATIONS } from "../../gateway/openapi/operations.ts";
import { fuzz } from "./fuzz-run.ts";

const OPTIONS = { seed: 20_300_504, requests: 2_400, lanes: 4 };

test("whatever is asked, every answer is documented, none is an error of ours, and all is well", async () => {
  const { findings, heard } = await fuzz(OPTIONS);
  const replay = `npm run fuzz -- --seed ${OPTIONS.seed} --requests ${OPTIONS.requests}`;
  assert.deepEqual(findings, [], replay);
  const answered = new Set([...heard.keys()].filter((what) => !what.startsWith("ws ")));
  assert.equal(answered.size, Object.keys(OPERATIONS).length, "every operation was asked");
  const accepted = [...answered].filter((id) =>
    [...(heard.get(id)?.keys() ?? [])].some((status) => status.startsWith("2")),
  );
  assert.ok(accepted.length > answered.size * 0.7, `${accepted.length} were accepted at all`);
});
