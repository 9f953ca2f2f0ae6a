import assert from "node:assert/strict";
import { test } from "node:test";
import { RandomSource } from "../../catalogue/random-source.ts";
import { SoldMarks } from "./sold-marks.ts";
import { thinkTime } from "./think-time.ts";

test("people think for the mean on average, nobody less than half of it, some much longer", () => {
  const random = new RandomSource(5);
  const times = Array.from({ length: 20_000 }, () => thinkTime(100, random));
  const mean = times.reduce((sum, ms) => sum + ms, 0) / times.length;
  assert.ok(Math.abs(mean - 100) < 2, `${mean}`);
  assert.ok(Math.min(...times) >= 50 && Math.max(...times) > 300);
  const late = times.filter((ms) => ms > 300).length / times.length;
  assert.ok(late > 0.003 && late < 0.012, `${late} are later than three times the mean`);
});

test("when half was sold, and most, counts from when the doors were opened", () => {
  const marks = new SoldMarks(200);
  marks.open(1_000);
  marks.open(9_000);
  marks.sold(99, 2_000);
  assert.deepEqual(marks.figures, []);
  marks.sold(1, 3_500);
  marks.sold(98, 4_000);
  marks.sold(2, 5_000);
  assert.deepEqual(marks.figures, [
    { name: "50 % sold after", value: 2.5, unit: "s" },
    { name: "90 % sold after", value: 3, unit: "s" },
    { name: "99 % sold after", value: 3, unit: "s" },
  ]);
});
