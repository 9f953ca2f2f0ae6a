import { setImmediate as turn } from "node:timers/promises";
import { benchActorMemory } from "../engine/actor-memory.ts";
import { ARENA_SEATS, arena } from "../engine/arena.ts";
import { benchBestSeats } from "../engine/best-seats.ts";
import { benchCodecs } from "../engine/codecs.ts";
import { benchDecideApply } from "../engine/decide-apply.ts";
import type { Finding } from "../engine/finding.ts";
import { benchJournal } from "../engine/journal-alone.ts";
import { benchKeptKeys } from "../engine/kept-keys.ts";
import { planHolds, planSale, type SalePlan } from "../engine/sale-plan.ts";
import type { BenchOptions, Findings, Progress, Scenario } from "../scenario.ts";

/** Of each measurement. */
const SECONDS_DEFAULT = 2;
const FLOOR = 40_000;
/** What an event of each size knows of its holds fits the processor's caches, or does not. */
const HOLDS = [4_000, 16_000, FLOOR];
const KEYS_PER_SECOND = 550_000;
const SEARCHES_PER_SECOND = 5_000;
const SEARCHES_MIN = 1_000;

type Part = readonly [name: string, bench: () => Finding];

export const engine: Scenario = {
  name: "engine",
  summary: "in process, no server: decide + apply, best seats, encoding, the journal alone, memory",
  run,
};

async function run(options: BenchOptions, progress: Progress): Promise<Findings> {
  const seconds = options.durationSeconds ?? SECONDS_DEFAULT;
  const { seed } = options;
  const searches = Math.max(SEARCHES_MIN, Math.round(seconds * SEARCHES_PER_SECOND));
  const decideApply = (name: string, plan: () => SalePlan): Finding =>
    benchDecideApply({ name, plan: plan(), seconds });
  const parts: readonly Part[] = [
    // First, while the heap has nothing else in it.
    ["memory of actors", () => benchActorMemory({ seed })],
    ["decide + apply", () => decideApply(`${ARENA_SEATS} seats`, () => planSale(arena(), seed))],
    [
      "decide + apply of an area",
      () => decideApply("a standing area", () => planSale({ seats: 0, floor: FLOOR }, seed)),
    ],
    ...HOLDS.map(
      (places): Part => [
        `decide + apply of ${places} holds`,
        () => decideApply(`${places} holds of one place`, () => planHolds(places)),
      ],
    ),
    ["keys", () => benchKeptKeys({ count: Math.round(seconds * KEYS_PER_SECOND) })],
    ["best seats", () => benchBestSeats({ searches, seed })],
    ["encoding", () => benchCodecs({ seconds: seconds / 2, seed })],
    ["the journal", () => benchJournal({ seconds: seconds / 2, seed })],
  ];
  const findings: Finding[] = [];
  for (const [name, bench] of parts) {
    progress(name);
    // An interrupt is heard between two parts.
    await turn();
    findings.push(bench());
  }
  return {
    server: "evently",
    streams: [],
    figures: findings.flatMap(({ figures }) => figures),
    serverFigures: null,
    journal: null,
    checks: findings.flatMap(({ checks }) => checks),
    chosen: { durationSeconds: seconds, searches },
  };
}
