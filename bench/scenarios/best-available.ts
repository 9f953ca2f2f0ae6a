import assert from "node:assert/strict";
import { type SeatAnswer, SeatPicker, type SeatQuery } from "../../engine/best-available.ts";
import { FREE, HELD, SOLD } from "../../engine/inventory.ts";
import { decodeSeatMap, type SeatMap } from "../../engine/seat-map.ts";
import { seatMapOf } from "../../gateway/catalogue/plan-geometry.ts";
import { parseSeatingPlan } from "../../gateway/catalogue/seating-plan.ts";
import { wholeExtra } from "../command-line.ts";
import type { Stream } from "../report/report.ts";
import type { BenchOptions, Findings, Progress, Scenario } from "../scenario.ts";

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

interface Fill {
  readonly name: string;
  /** Whether a seat is free, by its number in the row, and a number from 0 to 1. */
  readonly isFree: (number: number, chance: number) => boolean;
}

const fills: readonly Fill[] = [
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

/** Searches again and again; the time of each in µs, sorted. */
function measure(
  { map, categories, isFirst }: Arena,
  { isFree }: Fill,
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
      move(answer.seats, HELD);
      held.push(answer.seats);
    }
    if (held.length > HELD_MAX || answer.kind === "none") move(held.shift() ?? [], FREE);
  }
  return times.sort();
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

const quantile = (sorted: Float64Array, part: number): number =>
  sorted[Math.ceil(part * sorted.length) - 1] ?? 0;

/** `times`: µs, sorted. */
function streamOf(name: string, times: Float64Array): Stream {
  const ms = (part: number): number => quantile(times, part) / 1_000;
  const [p50, p90, p99, p999, max] = [ms(0.5), ms(0.9), ms(0.99), ms(0.999), ms(1)];
  return {
    name,
    count: times.length,
    seconds: times.reduce((sum, us) => sum + us, 0) / 1e6,
    latencyMs: { p50, p90, p99, p999, max },
    isCorrected: false,
    statuses: {},
    perSecond: [],
  };
}

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

/** All kinds of searches in all fills; the last, without an aim, after a change in every row. */
function measureAll(searches: number, progress: Progress): { streams: Stream[]; worst: Stream } {
  const seats = arena();
  const streams: Stream[] = [];
  for (const [name, query] of queries) {
    for (const fill of fills) {
      progress(`${name}, ${fill.name}`);
      streams.push(bestOf(seats, `${name}, ${fill.name}`, { fill, query, searches }));
    }
  }
  const worst = streams.reduce((a, b) => (a.latencyMs.p99 > b.latencyMs.p99 ? a : b));
  for (const fill of fills.slice(0, 4)) {
    const load = { query: base, searches: Math.ceil(searches / 10), isCold: true };
    streams.push(streamOf(`all rows changed, ${fill.name}`, measure(seats, fill, load)));
  }
  return { streams, worst };
}

/** Others on the machine cost time, too: the first try that meets the aim, or the last one. */
function bestOf(
  seats: Arena,
  name: string,
  { fill, query, searches }: { fill: Fill; query: SeatQuery; searches: number },
): Stream {
  const attempt = (): Stream =>
    streamOf(name, measure(seats, fill, { query, searches, isCold: false }));
  let stream = attempt();
  for (let tries = 1; tries < TRIES_MAX && !meetsAim(stream); tries++) stream = attempt();
  return stream;
}

const meetsAim = ({ latencyMs }: Stream): boolean => latencyMs.p99 * 1_000 <= LATENCY_US_P99_MAX;

/**
 * How long the search for the best seats takes in an arena of 18,000, in this process. Between two
 * searches what was found is held and what was held before is released, and other seats change,
 * too; the search has to find that out, which is part of its time. Every result is checked: its
 * seats are free, as many as wanted, and side by side in their groups.
 */
export const bestAvailable: Scenario = {
  name: "best-available",
  summary: "the search for the best seats among 18,000, in process, at any fill",
  extras: [{ name: "searches", value: "N", help: "of each kind; default: 5000" }],
  async run(options: BenchOptions, progress: Progress): Promise<Findings> {
    const searches = wholeExtra(options.extra, "searches", SEARCHES_DEFAULT);
    const machine = streamOf("the same loop, always", measureMachine(searches));
    const { streams, worst } = measureAll(searches, progress);
    const worstUs = worst.latencyMs.p99 * 1_000;
    const { p50, p99 } = machine.latencyMs;
    return {
      server: "the engine, in process",
      streams: [machine, ...streams],
      figures: [
        { name: "worst p99", value: worstUs, unit: "µs" },
        { name: "p99 of the same loop", value: p99 / p50, unit: "times its p50" },
      ],
      serverFigures: null,
      journal: null,
      checks: [
        {
          name: "every seat found was free, every group side by side",
          ok: true,
          detail: `${streams.reduce((sum, { count }) => sum + count, 0)} searches looked at`,
        },
        {
          name: `p99 is at most ${LATENCY_US_P99_MAX} µs, in one of ${TRIES_MAX} tries`,
          ok: meetsAim(worst),
          detail: `${worstUs.toFixed(1)} µs at worst: ${worst.name}`,
        },
      ],
      chosen: { searches },
    };
  },
};
