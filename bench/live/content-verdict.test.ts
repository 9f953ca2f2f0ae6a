import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, test } from "node:test";
import { BenchApi } from "../bench-api.ts";
import { seen } from "../oracle/evidence.ts";
import { contentCheck } from "./content-verdict.ts";
import type { FoldedState, ShownState } from "./state-fold.ts";

const shown: ShownState = {
  epoch: 1,
  seq: 9,
  statuses: "hhf",
  areas: [{ key: "floor", free: 1 }],
  free: 2,
  held: 2,
  sold: 0,
  blocked: 0,
};
const right: FoldedState = { shown, fault: "" };
const available = { ok: true, value: shown } as const;

test("a sample that has what there is is sound", () => {
  assert.equal(contentCheck([right, right], available, 2).ok, true);
});

test("one subscriber with anything else is objected to", () => {
  const wrong: Record<string, Partial<ShownState>> = {
    "seat 1 is f, and not h, and 0 more": { statuses: "hff" },
    "seat 0 is f, and not h, and 1 more": { statuses: "fff" },
    "2 seats, and not 3": { statuses: "hh" },
    "epoch is 2, and not 1": { epoch: 2 },
    "seq is 8, and not 9": { seq: 8 },
    "held is 1, and not 2": { held: 1 },
    "areas differ": { areas: [{ key: "floor", free: 2 }] },
  };
  for (const [objection, change] of Object.entries(wrong)) {
    const one = { shown: { ...shown, ...change }, fault: "" };
    const { ok, detail } = contentCheck([right, one], available, 2);
    assert.equal(ok, false, objection);
    assert.ok(detail.endsWith(objection), detail);
  }
  assert.equal(contentCheck([right, { shown, fault: "strange" }], available, 2).ok, false);
  assert.equal(contentCheck([right, { shown: null, fault: "" }], available, 2).ok, false);
});

test("what was not looked at proves nothing", () => {
  assert.equal(contentCheck([right], available, 2).ok, false);
  assert.equal(contentCheck([], available, 0).ok, false);
  assert.equal(contentCheck([right], { ok: false, reason: "gone" }, 1).ok, false);
});

test("the availability is asked for with its seats, again while the server is busy", async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.statusCode = asked.length === 1 ? 503 : asked.length === 2 ? 200 : 404;
    response.end(JSON.stringify(shown));
  });
  after(() => server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const url = `http://127.0.0.1:${address.port}`;
  const look = (at: string) => seen(() => new BenchApi(at).shown("e"));
  assert.deepEqual(await look(url), available);
  assert.deepEqual(asked, Array(2).fill("/api/v1/events/e/availability?seats=true"));
  assert.equal((await look(url)).ok, false);
  assert.equal((await look("http://127.0.0.1:1")).ok, false);
});
