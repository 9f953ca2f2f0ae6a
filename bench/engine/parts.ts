import { KEYS_PER_EVENT_MAX } from "../../engine/limits.ts";
import { benchActorMemory } from "./actor-memory.ts";
import { ARENA_SEATS, arena } from "./arena.ts";
import { benchBestSeats } from "./best-seats.ts";
import { benchCodecs } from "./codecs.ts";
import { benchDecideApply } from "./decide-apply.ts";
import type { Finding } from "./finding.ts";
import { benchJournal } from "./journal-alone.ts";
import { benchKeptKeys } from "./kept-keys.ts";
import { planHolds, planSale, type SalePlan } from "./sale-plan.ts";

export interface PartOptions {
  /** Of each measurement. */
  readonly seconds: number;
  readonly searches: number;
  readonly seed: number;
  /** Where files may be, for as long as it takes. */
  readonly directory: string;
}

const FLOOR = 40_000;
/** What an event of each size knows of its holds fits the processor's caches, or does not. */
const HOLDS = [4_000, 16_000, FLOOR];
const KEYS_PER_SECOND = 550_000;

type Part = (options: PartOptions) => Finding;

const decideApply =
  (name: string, plan: (seed: number) => SalePlan): Part =>
  ({ seconds, seed }) =>
    benchDecideApply({ name, plan: plan(seed), seconds });

/** By what progress calls them, in their order. */
export const ENGINE_PARTS: ReadonlyMap<string, Part> = new Map<string, Part>([
  ["memory of actors", benchActorMemory],
  ["decide + apply", decideApply(`${ARENA_SEATS} seats`, (seed) => planSale(arena(), seed))],
  [
    "decide + apply of an area",
    decideApply("a standing area", (seed) => planSale({ seats: 0, floor: FLOOR }, seed)),
  ],
  ...HOLDS.map((places): [string, Part] => [
    `decide + apply of ${places} holds`,
    decideApply(`${places} holds of one place`, () => planHolds(places)),
  ]),
  [
    "keys",
    ({ seconds }) => {
      const count = Math.min(Math.round(seconds * KEYS_PER_SECOND), KEYS_PER_EVENT_MAX);
      return benchKeptKeys({ count });
    },
  ],
  ["best seats", benchBestSeats],
  ["encoding", ({ seconds, seed }) => benchCodecs({ seconds: seconds / 2, seed })],
  ["the journal", (options) => benchJournal({ ...options, seconds: options.seconds / 2 })],
]);
