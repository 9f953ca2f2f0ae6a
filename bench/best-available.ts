/**
 * How long the search for the best seats takes in an arena of 18,000:
 *
 *   npm run bench:best-available            5,000 searches of each kind
 *   npm run bench:best-available -- 50000   50,000
 *
 * Between two searches what was found is held and what was held before is released, and other seats
 * change, too; the search has to find that out, which is part of its time. Every result is checked:
 * its seats are free, as many as wanted, and side by side in their groups. The exit code is 1 when
 * a p99 is above the aim of 100 µs three times in a row: others on the machine cost time, too.
 * How much, the first line says: a loop of always the same length, which on a quiet machine has
 * nearly one figure three times. The last lines, which have no aim, are searches after a change in
 * every single row.
 */
import assert from "node:assert/strict";
import { cpus, totalmem } from "node:os";
import { performance } from "node:perf_hooks";
import { type SeatAnswer, SeatPicker, type SeatQuery } from "../engine/best-available.ts";
import { FREE, HELD, SOLD } from "../engine/inventory.ts";
import { decodeSeatMap, type SeatMap } from "../engine/seat-map.ts";
import { seatMapOf } from "../gateway/catalogue/plan-geometry.ts";
import { parseSeatingPlan } from "../gateway/catalogue/seating-plan.ts";

const SEARCHES_DEFAULT = 5_000;
const WARM_UP_SEARCHES = 2_000;
const LATENCY_US_P99_MAX = 100;
const BLOCKS = 60;
const ROWS = 20;
const SEATS_IN_ROW = 15;
const PARTY = 4;
const TRIES_MAX = 3;
/** Parties whose seats are held at once. */
const HELD_MAX = 20;
/** About 20 µs, as long as many searches. */
const MACHINE_LOOP_STEPS = 20_000;
/** Rows in which something changes between two searches, besides what was found. */
const OTHER_CHANGES = 8;

interface Arena {
  readonly map: SeatMap;
  /** By position: 1 where a run begins. */
  readonly isFirst: Uint8Array;
  readonly categories: Uint8Array;
}

interface Load {
  readonly query: SeatQuery;
  readonly searches: number;
  /** Everything may have changed before each search. */
  readonly isCold: boolean;
}

interface Scenario {
  readonly name: string;
  /** Whether a seat is free, by its number in the row, and a number from 0 to 1. */
  readonly isFree: (number: number, chance: number) => boolean;
}

const scenarios: readonly Scenario[] = [
  { name: "empty", isFree: () => true },
  { name: "50 % sold", isFree: (_, chance) => chance >= 0.5 },
  { name: "90 % sold", isFree: (_, chance) => chance >= 0.9 },
  { name: "99 % sold", isFree: (_, chance) => chance >= 0.99 },
  { name: "sold out", isFree: () => false },
  { name: "checkerboard", isFree: (number) => number % 2 === 0 },
  { name: "only single seats", isFree: (number, chance) => number % 3 === 0 && chance < 0.2 },
  { name: "only stretches of 2", isFree: (number) => number % 3 !== 2 },
  { name: "only stretches of 3", isFree: (number) => number % 4 !== 3 },
  { name: "only stretches of 5", isFree: (number) => number % 6 !== 5 },
];

const base = { quantity: PARTY, category: null, zone: null, adjacent: true, accessible: false };
const queries: readonly (readonly [name: string, query: SeatQuery])[] = [
  ["4 adjacent", base],
  ["4, split if need be", { ...base, adjacent: false }],
  ["4 adjacent, a category", { ...base, category: 1 }],
  ["4 adjacent, a zone", { ...base, zone: 42 }],
];

/** Blocks around a field, in three tiers of 20 each, as in a plan of pretix. */
function arena(): Arena {
  const tiers = ["Lower", "Club", "Upper"];
  const zones = Array.from({ length: BLOCKS }, (_, block) => {
    const tier = Math.floor(block / 20);
    const rows = Array.from({ length: ROWS }, (_, row) => {
      const radius = 700 + tier * 450 + row * 18;
      const seats = Array.from({ length: SEATS_IN_ROW }, (_, number) => {
        const angle = ((block % 20) / 20 + (number / SEATS_IN_ROW) * 0.04) * 2 * Math.PI;
        const position = { x: radius * Math.cos(angle), y: radius * Math.sin(angle) };
        return { seat_guid: `${block}-${row}-${number}`, category: tiers[tier], position };
      });
      return { row_number: String(row), seats };
    });
    return { name: `Block ${block}`, rows };
  });
  const plan = { categories: tiers.map((name) => ({ name })), zones };
  const parsed = parseSeatingPlan(plan, "seatingPlan");
  assert.ok(parsed.ok);
  const { seats } = parsed.value;
  const map = decodeSeatMap(seatMapOf(parsed.value), seats.length);
  const isFirst = new Uint8Array(map.seatCount);
  for (const start of map.runStarts) isFirst[start] = 1;
  return { map, isFirst, categories: Uint8Array.from(seats, (seat) => seat.category) };
}

/** The same numbers in every run: a linear congruential generator. */
class Chances {
  #state = 42;
  next(): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#state / 2 ** 32;
  }
}

type Measured = ReturnType<typeof measure>;

/** Searches again and again; the time of each in µs, sorted. */
function measure(
  { map, categories, isFirst }: Arena,
  { isFree }: Scenario,
  { query, searches, isCold }: Load,
) {
  const chances = new Chances();
  const statuses = new Uint8Array(map.seatCount).map((_, seat) =>
    isFree(seat % SEATS_IN_ROW, chances.next()) ? FREE : SOLD,
  );
  const picker = new SeatPicker(map, categories, statuses);
  const move = (seats: readonly number[], status: number): void => {
    for (const seat of seats) {
      statuses[seat] = status;
      picker.touch(seat);
    }
  };
  const times = new Float64Array(searches);
  const held: (readonly number[])[] = [];
  let found = 0;
  for (let n = -WARM_UP_SEARCHES; n < searches; n++) {
    for (let change = 0; change < OTHER_CHANGES; change++) {
      picker.touch(Math.floor(chances.next() * map.seatCount));
    }
    if (isCold) picker.touchAll();
    const startMs = performance.now();
    const answer = picker.find(query);
    if (n >= 0) times[n] = (performance.now() - startMs) * 1000;
    check(answer, { query, map, categories, isFirst, statuses });
    if (answer.kind === "found") {
      found += n >= 0 ? 1 : 0;
      move(answer.seats, HELD);
      held.push(answer.seats);
    }
    if (held.length > HELD_MAX || answer.kind === "none") move(held.shift() ?? [], FREE);
  }
  return { times: times.sort(), found };
}

function check(
  answer: SeatAnswer,
  { query, map, categories, isFirst, statuses }: Arena & { query: SeatQuery; statuses: Uint8Array },
): void {
  const ways = answer.kind === "found" ? [answer.groups] : answer.alternatives;
  for (const groups of ways) {
    const seats = groups.flatMap((group) => group.seats);
    assert.equal(new Set(seats).size, query.quantity, "as many seats as wanted");
    for (const seat of seats) {
      assert.equal(statuses[seat], FREE, "every seat is free");
      if (query.category !== null) assert.equal(categories[seat], query.category);
    }
    for (const group of groups) {
      if (query.zone !== null) assert.equal(group.zone, query.zone);
      const at = group.seats.map((seat) => map.positions[seat] ?? -1);
      assert.ok(
        at.every((position, n) => position === (at[0] ?? 0) + n),
        "side by side",
      );
      const aisles = at.slice(1).filter((position) => isFirst[position] === 1);
      assert.equal(aisles.length, 0, "no aisle between them");
    }
  }
  if (answer.kind === "found" && query.adjacent) assert.equal(answer.groups.length, 1);
}

/** Prints a line and returns its p99. */
function report(name: string, scenario: Scenario, { times, found }: Measured): number {
  const share = `${Math.round((100 * found) / times.length)} %`.padStart(6);
  console.log(`${name.padEnd(24)} ${scenario.name.padEnd(22)} ${figuresOf(times)} ${share}`);
  return quantile(times, 0.99);
}

const quantile = (sorted: Float64Array, part: number): number =>
  sorted[Math.ceil(part * sorted.length) - 1] ?? 0;

const figuresOf = (times: Float64Array): string =>
  [0.5, 0.99, 1].map((part) => quantile(times, part).toFixed(1).padStart(6)).join(" ");

/** What the machine makes of one and the same work; µs, sorted. */
function measureMachine(times: number): Float64Array {
  let total = 0;
  const work = (): number => {
    let value = 1;
    const startMs = performance.now();
    for (let step = 0; step < MACHINE_LOOP_STEPS; step++) value = (value * 31 + step) | 0;
    const us = (performance.now() - startMs) * 1000;
    total += value;
    return us;
  };
  for (let n = 0; n < WARM_UP_SEARCHES; n++) work();
  const measured = new Float64Array(times).map(work).sort();
  assert.ok(Number.isInteger(total), "the loop was run");
  return measured;
}

function run(searches: number): void {
  const seats = arena();
  const [processor] = cpus();
  console.log(
    `machine  ${cpus().length} × ${processor?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
  );
  console.log(`node     ${process.version}`);
  console.log(`arena    ${seats.map.seatCount} seats, ${seats.map.rowCount} rows`);
  console.log(`searches ${searches} of each kind, times in µs\n`);
  console.log(`${"".padEnd(48)}   p50    p99    max  found`);
  const machine = measureMachine(searches);
  console.log(`${"the same loop, always".padEnd(47)} ${figuresOf(machine)}`);
  let worst = 0;
  for (const [name, query] of queries) {
    for (const scenario of scenarios) {
      let p99 = Number.POSITIVE_INFINITY;
      for (let tries = 0; tries < TRIES_MAX && p99 > LATENCY_US_P99_MAX; tries++) {
        p99 = report(name, scenario, measure(seats, scenario, { query, searches, isCold: false }));
      }
      worst = Math.max(worst, p99);
    }
  }
  for (const scenario of scenarios.slice(0, 4)) {
    const load = { query: base, searches: Math.ceil(searches / 10), isCold: true };
    report("all rows changed", scenario, measure(seats, scenario, load));
  }
  const isFast = worst <= LATENCY_US_P99_MAX;
  console.log(
    `\nworst p99 ${worst.toFixed(1)} µs, aim ${LATENCY_US_P99_MAX}: ${isFast ? "met" : "missed"}`,
  );
  const [p50, p99] = [quantile(machine, 0.5), quantile(machine, 0.99)];
  console.log(`machine   p99 of the same loop is ${(p99 / p50).toFixed(1)} × its p50`);
  console.log("checked   every seat was free, every group side by side");
  if (!isFast) process.exitCode = 1;
}

run(Number(process.argv[2] ?? SEARCHES_DEFAULT));
