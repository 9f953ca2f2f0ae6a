import assert from "node:assert/strict";
import { test } from "node:test";
import { decode } from "@msgpack/msgpack";
import fc from "fast-check";
import { Packr, Unpackr } from "msgpackr";
import { packedJson } from "./json-to-pack.ts";

const unpackr = new Unpackr({ useRecords: false, int64AsType: "number" });
const packr = new Packr({ useRecords: false, variableMapSize: true });

/** Two readers read the same, and nothing behind it. */
function same(value: unknown): void {
  const json = JSON.stringify(value);
  const bytes = packedJson(Buffer.from(json));
  const sound: unknown = JSON.parse(json);
  assert.deepEqual(unpackr.unpack(bytes), sound);
  if (!json.includes("__proto__")) assert.deepEqual(decode(bytes), sound);
}

test("whatever JSON says is said", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      fc.pre(!JSON.stringify(value).includes("__proto__"));
      same(value);
    }),
    { numRuns: 1_000 },
  );
  for (const text of [' [ 1 ,\n{ } , { "a" : [ ] } ]\t', "-0", "1e21", "1E-7", "0.5e+3", "null"]) {
    assert.deepEqual(
      unpackr.unpack(packedJson(Buffer.from(text))),
      Number(text) === 0 ? 0 : JSON.parse(text),
    );
  }
});

test("numbers, texts, lists and maps around every size that has a head of its own", () => {
  const edges = [0, 1, 15, 16, 31, 32, 127, 128, 255, 256, 32_767, 32_768, 65_535, 65_536];
  for (const edge of [...edges, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 1e15, 1e16, 1.5]) {
    same([edge, -edge, -edge - 1, { n: edge }]);
  }
  for (const edge of edges) {
    same(["x".repeat(edge), "é".repeat(edge), `\n${"x".repeat(edge)}"`, edge]);
    same({ before: [1], list: Array.from({ length: edge }, (_, n) => [n, "h"]), after: {} });
    same([Object.fromEntries(Array.from({ length: edge }, (_, n) => [`k${n}`, { n }])), true]);
  }
});

test("what takes more room than in JSON has it", () => {
  same(Array.from({ length: 30_000 }, () => 0.5));
  same(Array.from({ length: 30_000 }, (_, n) => (n % 2 === 0 ? 0.5 : n % 3 === 0 ? "" : null)));
  same(Array.from({ length: 40 }, (_, n) => "y".repeat(65_530 + n)));
  same({ small: "again" });
});

test("it is as short as what msgpackr writes", () => {
  const value = {
    op: "reply",
    id: 7,
    status: 201,
    body: { seats: [[1, "h"]], price: 4_500, at: "x" },
  };
  assert.deepEqual(packedJson(Buffer.from(JSON.stringify(value))), packr.pack(value));
});
