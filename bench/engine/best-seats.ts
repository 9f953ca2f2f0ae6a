import { spreadOf } from "../compare/comparison.ts";
import { check } from "../report/checking.ts";
import type { Check } from "../report/report.ts";
import { ARENA_SEATS, arena } from "./arena.ts";
import { CHOICE_CASES, type ChoiceCase } from "./choice-cases.ts";
import { type ChoiceTry, tryChoices, warmUpOf } from "./choice-try.ts";
import { type Finding, quantile } from "./finding.ts";
import { hallDefinition } from "./sale-plan.ts";
import { type TimesUs, TryTimes } from "./try-times.ts";

const TRIES = 3;
const CHOICE_US_P99_MAX = 100;
/** Of fewer choices a try's p99 is what happened to a few of them: they prove nothing. */
const JUDGED_SEARCHES_MIN = 1_000;
/** About 20 µs, as long as many choices. */
const LOOP_STEPS = 20_000;

export interface BestSeatsOptions {
  /** Of each try. */
  readonly searches: number;
  readonly seed: number;
}

export interface Tried {
  readonly choice: ChoiceCase;
  readonly tries: readonly ChoiceTry[];
}

/**
 * The four best seats that are free in an arena of 18,000, at any fill. Every case is tried three
 * times, and all of them before any is tried again: what the machine does to one stretch of time
 * then touches one try of a case, and not all. Every choice counts; the aim is judged by the median
 * of the tries, and without the time that the thread waited for a processor that others had.
 */
export function benchBestSeats({ searches, seed }: BestSeatsOptions): Finding {
  const definition = hallDefinition(arena());
  const tried = CHOICE_CASES.map((choice) => ({ choice, tries: [] as ChoiceTry[] }));
  const loop: TimesUs[] = [];
  for (let round = 0; round < TRIES; round += 1) {
    loop.push(timeTheLoop(searches));
    for (const { choice, tries } of tried) {
      tries.push(tryChoices(choice, { definition, searches, seed: seed + round }));
    }
  }
  const rows = tried.map(({ choice, tries }) => {
    const found = tries.reduce((sum, one) => sum + one.found, 0);
    const share = `${Math.round((100 * found) / (TRIES * searches))} %`;
    return [choice.name, share, ...timesOf(tries.map(({ times }) => times))];
  });
  const title = `best seats of ${ARENA_SEATS}, µs a choice, all ${TRIES} tries by the clock`;
  const head = ["", "found", "p50", "p90", "p99", "p99.9", "max", "p99 of each, without waits"];
  const machine = ["the same loop, always", "", ...timesOf(loop)];
  return {
    figures: [],
    checks: [answerCheck(tried), ...(searches < JUDGED_SEARCHES_MIN ? [] : [aimCheck(tried)])],
    tables: [{ title, head, rows: [...rows, machine] }],
  };
}

export function answerCheck(tried: readonly Tried[]): Check {
  const faults = tried.flatMap(({ choice, tries }) =>
    tries.flatMap(({ fault }) => (fault === null ? [] : [`${choice.name}: ${fault}`])),
  );
  const looked = tried.flatMap(({ tries }) => tries.map(({ times }) => times.clock.length));
  const count = looked.reduce((sum, length) => sum + length, 0);
  return check(
    "best seats: as was wished, free, side by side where told so, and all adds up",
    faults.length === 0,
    faults[0] ?? `${count} choices looked at`,
  );
}

/** Whatever one try had to bear. */
export function aimCheck(tried: readonly Tried[]): Check {
  const [worst] = tried
    .filter(({ choice }) => !choice.isCold)
    .map(({ choice, tries }) => {
      const p99s = tries.map(({ times }) => quantile(times.own, 0.99));
      return { name: choice.name, ...spreadOf(p99s) };
    })
    .sort((a, b) => b.median - a.median);
  const { median = Number.POSITIVE_INFINITY, min = 0, max = 0, name = "nothing" } = worst ?? {};
  return check(
    `best seats: p99 at most ${CHOICE_US_P99_MAX} µs at any fill, median of ${TRIES} tries`,
    median <= CHOICE_US_P99_MAX,
    `${median.toFixed(1)} µs (${min.toFixed(1)} to ${max.toFixed(1)}) at worst: ${name}`,
  );
}

/** Of all tries together by the clock; of each, without what it waited for a processor. */
function timesOf(tries: readonly TimesUs[]): string[] {
  const all = Float64Array.from(tries.flatMap(({ clock }) => [...clock])).sort();
  const shown = [0.5, 0.9, 0.99, 0.999, 1].map((share) => quantile(all, share).toFixed(1));
  return [...shown, tries.map(({ own }) => quantile(own, 0.99).toFixed(1)).join(" ")];
}

/** What the machine makes of one and the same work. */
function timeTheLoop(count: number): TimesUs {
  const times = new TryTimes(count);
  for (let n = -warmUpOf(count); n < count; n += 1) times.take(n, loopOnce);
  return times.end();
}

function loopOnce(): number {
  let value = 1;
  for (let step = 0; step < LOOP_STEPS; step += 1) value = (value * 31 + step) | 0;
  return value;
}
