import assert from "node:assert/strict";
import { test } from "node:test";
import { NOTHING_ACKNOWLEDGED } from "./load/flow.ts";
import { saleFigures } from "./sale-figures.ts";

const figuresOf = (counts: Readonly<Record<string, number>>): Map<string, number> => {
  const findings = { acknowledged: NOTHING_ACKNOWLEDGED, faults: [], counts };
  const load = { streams: [], seconds: 4, busyShare: 0, cores: null, neverSent: 0, succeeded: {} };
  const figures = saleFigures({ ...load, findings }, 200);
  return new Map(figures.map(({ name, value }) => [name, value]));
};

test("a sale's figures are shares of its seats, of its holds, and of its buyers", () => {
  const figures = figuresOf({
    buyers: 50,
    "buyers who booked": 30,
    "holds confirmed": 36,
    collisions: 12,
    "places sold": 100,
    "given back": 2,
    "left without a word": 3,
    "too late to book": 1,
    "went away without": 14,
  });
  assert.deepEqual(Object.fromEntries(figures), {
    "seats sold": 50,
    "until the last answer": 4,
    "seats sold a second": 25,
    "holds refused": 25,
    "buyers who got seats": 60,
    "buyers who gave up": 28,
    "buyers who dropped out": 12,
  });
});

test("of a sale to which nobody came no share is anything but 0", () => {
  const values = [...figuresOf({}).entries()].filter(([name]) => name !== "until the last answer");
  assert.ok(
    values.every(([, value]) => value === 0),
    JSON.stringify(values),
  );
});
