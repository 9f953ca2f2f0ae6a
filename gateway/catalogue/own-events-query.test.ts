import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeCursor } from "../http/page.ts";
import { positionOf } from "./own-events-query.ts";

const EVENT_ID = "018f3c9a-7b10-7000-8000-0007a4b1c2d3";

test("a cursor is taken back, and no time that no event can have", () => {
  const cursorOf = (time: string): string => encodeCursor([time, EVENT_ID]);
  for (const startsMs of [0, -1, Date.parse("2030-05-04T19:30:00Z")]) {
    assert.deepEqual(positionOf(cursorOf(String(startsMs))), { startsMs, eventId: EVENT_ID });
  }
  for (const time of ["-999999999999999", "999999999999999", "1e3", "", "x", "1.5"]) {
    assert.equal(positionOf(cursorOf(time)), null, time);
  }
  assert.equal(positionOf(encodeCursor(["0", "x"])), null);
});
