/** When the server is killed, and as what it comes back: drawn from a seed, so that it repeats. */
import { Random } from "../../engine/testing/random.ts";
import type { Operation } from "../linearizability/history.ts";

/** The moment of a kill; all times are in ms. */
export type Moment =
  | { readonly kind: "mid-load" }
  /** In the very turn in which this answer arrives. */
  | { readonly kind: "after-answer"; readonly to: Operation["kind"]; readonly nth: number }
  /** Then once or more while it starts, so long after the process began. */
  | { readonly kind: "start-up"; readonly delaysMs: readonly number[] }
  /** Then while PostgreSQL gets what only the journal had. */
  | { readonly kind: "recovery"; readonly delayMs: number }
  /** While it finishes what it accepted before SIGTERM. */
  | { readonly kind: "drain"; readonly delayMs: number }
  /** Then again, so shortly after it was ready. */
  | { readonly kind: "twice"; readonly delayMs: number };

export interface Cycle {
  /** Load before the moment. */
  readonly loadMs: number;
  readonly moment: Moment;
  /** Of the server that comes back. */
  readonly shards: number;
  readonly workers: number;
}

export interface ScheduleOptions {
  readonly seed: number;
  readonly cycles: number;
  readonly shardsVary: boolean;
}

const LOAD_MS = { min: 100, max: 1_000 };
const START_MS_MAX = 1_500;
const SHARDS = [1, 3, 4, 16, 64];
const WORKERS = [1, 2, 3];
const KINDS = ["mid-load", "after-answer", "start-up", "recovery", "drain", "twice"] as const;
const ANSWERED = ["hold", "extend", "release", "book", "cancel"] as const;

export const FIRST_SHARDS = 16;
export const FIRST_WORKERS = 2;

export function scheduleOf({ seed, cycles, shardsVary }: ScheduleOptions): Cycle[] {
  const random = new Random(seed);
  const first = random.below(KINDS.length);
  return Array.from({ length: cycles }, (_, n) => ({
    loadMs: LOAD_MS.min + random.below(LOAD_MS.max - LOAD_MS.min),
    // In turn, so that few cycles have many kinds of moments.
    moment: momentOf(KINDS[(first + n) % KINDS.length] ?? "mid-load", random),
    shards: shardsVary ? random.pick(SHARDS) : FIRST_SHARDS,
    workers: shardsVary ? random.pick(WORKERS) : FIRST_WORKERS,
  }));
}

function momentOf(kind: (typeof KINDS)[number], random: Random): Moment {
  switch (kind) {
    case "mid-load":
      return { kind };
    case "after-answer":
      return { kind, to: random.pick(ANSWERED), nth: 1 + random.below(10) };
    case "start-up": {
      const delaysMs = Array.from({ length: 1 + random.below(3) }, () => {
        return random.below(START_MS_MAX);
      });
      return { kind, delaysMs };
    }
    case "recovery":
      return { kind, delayMs: random.below(30) };
    case "drain":
      return { kind, delayMs: random.below(120) };
    case "twice":
      return { kind, delayMs: random.below(60) };
  }
}
