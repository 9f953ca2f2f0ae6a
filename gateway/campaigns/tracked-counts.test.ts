import assert from "node:assert/strict";
import { test } from "node:test";
import type { QueryResult } from "pg";
import { TRACKING_ROWS_MAX, TRACKING_WAITING_MAX } from "../../engine/campaign-limits.ts";
import { systemClock } from "../../workers/clock.ts";
import { TrackedCounts } from "./tracked-counts.ts";

interface Written {
  readonly positions: readonly number[];
  readonly opens: readonly number[];
  readonly clicks: readonly number[];
}

/** A database that takes what it is given, or does not. */
class Rows {
  readonly written: Written[] = [];
  isAway = false;

  readonly database = {
    in: () => ({
      query: async <Row extends object>(statement: unknown): Promise<QueryResult<Row>> => {
        if (this.isAway) throw new Error("away");
        const { values } = statement as { values: [string[], number[], number[], number[]] };
        const [, positions, opens, clicks] = values;
        this.written.push({ positions, opens, clicks });
        return { rows: [], rowCount: 0, command: "UPDATE", oid: 0, fields: [] };
      },
      transaction: () => Promise.reject(new Error("not used")),
    }),
  };
}

const campaignId = "01985a3c-7b10-7000-8a1c-5e07a4b1c2d3";
const at = (position: number) => ({ campaignId, position });

function opened(): { rows: Rows; counts: TrackedCounts } {
  const rows = new Rows();
  const log = { warn: () => undefined };
  const { database } = rows;
  return { rows, counts: new TrackedCounts({ database, clock: systemClock, log }) };
}

test("what one recipient does in a second is one row", async () => {
  const { rows, counts } = opened();
  for (const kind of ["open", "click", "open"] as const) counts.add(at(1), kind);
  counts.add(at(2), "click");
  await counts.flush();
  assert.deepEqual(rows.written, [{ positions: [1, 2], opens: [2, 0], clicks: [1, 1] }]);
  await counts.flush();
  assert.equal(rows.written.length, 1);
});

test("what can't be written waits, and is added to", async () => {
  const { rows, counts } = opened();
  counts.add(at(1), "open");
  rows.isAway = true;
  await counts.flush();
  counts.add(at(1), "open");
  counts.add(at(2), "open");
  rows.isAway = false;
  await counts.stop();
  assert.deepEqual(rows.written, [{ positions: [1, 2], opens: [2, 1], clicks: [0, 0] }]);
  assert.equal(counts.dropped, 0);
});

test("so many recipients wait and no more; who waits already is counted on", async () => {
  const { rows, counts } = opened();
  rows.isAway = true;
  for (let n = 0; n < TRACKING_WAITING_MAX + 7; n++) counts.add(at(n), "open");
  assert.deepEqual([counts.waiting, counts.dropped], [TRACKING_WAITING_MAX, 7]);
  counts.add(at(0), "click");
  await counts.flush();
  assert.deepEqual([counts.waiting, counts.dropped], [TRACKING_WAITING_MAX, 7]);
  rows.isAway = false;
  await counts.flush();
  assert.equal(counts.waiting, 0);
  assert.ok(rows.written.every(({ positions }) => positions.length <= TRACKING_ROWS_MAX));
  const all = rows.written.flatMap(({ positions }) => positions);
  assert.equal(new Set(all).size, TRACKING_WAITING_MAX);
});
