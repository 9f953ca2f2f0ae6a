import assert from "node:assert/strict";
import { test } from "node:test";
import { SEGMENT_CRITERIA_MAX, SEGMENT_DEPTH_MAX } from "../../engine/campaign-limits.ts";
import { parseSegment } from "./segment.ts";

const ID = "01985a3c-7b10-7000-8a1c-5e07a4b1c2d3";

function faults(value: unknown): Record<string, string> {
  const parsed = parseSegment(value, "segment");
  assert.ok("errors" in parsed, JSON.stringify(parsed));
  return Object.fromEntries(parsed.errors.map(({ path, message }) => [path, message]));
}

test("what is wrong with a segment is said with its place, all at once", () => {
  const segment = {
    kind: "all",
    of: [
      { kind: "attended", atLeast: 0, near: "here", radiusKm: 5 },
      { kind: "any", of: [{ kind: "spent", currency: "EUR" }, { kind: "hated" }, null] },
      { kind: "not", of: { kind: "opened" } },
      { kind: "attended", near: "52.5,13.4" },
      { kind: "attended", from: "2030-02-01T00:00:00Z", to: "2030-01-01T00:00:00Z" },
      { kind: "spent", currency: "EUR", atLeast: 5, atMost: 4 },
      { kind: "any", of: [] },
    ],
  };
  assert.deepEqual(faults(segment), {
    "segment.of[0].atLeast": "must be at least 1",
    "segment.of[0].near": "must be a latitude and a longitude, such as 52.5,13.4",
    "segment.of[1].of[0].atLeast": "or atMost is missing",
    "segment.of[1].of[1].kind":
      "must be one of attended, spent, bought, not_bought, opened, clicked, all, any, not",
    "segment.of[1].of[2]": "must be an object with a kind",
    "segment.of[2].of.campaignId": "is missing",
    "segment.of[3].near": "needs radiusKm",
    "segment.of[4].to": "must be after from",
    "segment.of[5].atMost": "must not be less than atLeast",
    "segment.of[6].of": "must be a list of at least one segment",
  });
});

test("a segment is neither too deep nor too long", () => {
  let deep: object = { kind: "bought", eventId: ID };
  for (let level = 1; level < SEGMENT_DEPTH_MAX; level++) deep = { kind: "not", of: deep };
  assert.ok("segment" in parseSegment(deep, "segment"));
  const message = `is too deep: ${SEGMENT_DEPTH_MAX} levels are enough`;
  assert.ok(Object.values(faults({ kind: "not", of: deep })).includes(message));
  let endless: object = { kind: "bought", eventId: ID };
  for (let level = 0; level < 5_000; level++) endless = { kind: "any", of: [endless] };
  assert.equal(Object.keys(faults(endless)).length, 1);
  const long = (length: number) => ({
    kind: "any",
    of: Array.from({ length }, () => ({ kind: "bought", eventId: ID })),
  });
  assert.ok("segment" in parseSegment(long(SEGMENT_CRITERIA_MAX - 1), "segment"));
  for (const length of [SEGMENT_CRITERIA_MAX, 100_000]) {
    assert.equal(Object.keys(faults(long(length))).length, 1, String(length));
  }
});

test("of a segment only what it means is kept", () => {
  const given = { kind: "not", more: 1, of: { kind: "bought", eventId: ID, atLeast: 7 } };
  const parsed = parseSegment(given, "segment");
  assert.deepEqual(parsed, { segment: { kind: "not", of: { kind: "bought", eventId: ID } } });
});
