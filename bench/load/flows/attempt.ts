import type { Check } from "../../report/report.ts";

/**
 * One request for places, and what becomes of it: what its buyers know of their event, it tells
 * them, and what they are told, it looks at. Times are those of `performance.now()`.
 */
export interface Attempt {
  /** Index among the streams of holds: see `PlaceHunt`. */
  readonly stream: number;
  /** JSON of the hold's items. */
  readonly items: string;
  /** Places that are asked for. */
  readonly count: number;
  /** When it was sent first: nothing was held before. */
  readonly askedMs: number;
  /** Returns the places that the answer gives: indexes of seats, -1 for a place of the area. */
  held(id: string, body: string): readonly number[];
  /** Whether its buyer tries again. */
  refused(body: string): boolean;
  /** What they try then; null: there is nothing to be had at the moment. */
  again(): Attempt | null;
  /** A booking of what is held is about to be sent, or a release. */
  booking(): void;
  releasing(): void;
  booked(): void;
  released(): void;
  /** The hold has ended by itself. */
  expired(): void;
  /** Nobody knows whether it holds anything. */
  lost(): void;
}

/** How the buyers of one event come to their places. */
export interface PlaceHunt {
  /** Of a party, from a number from 0 to 1. */
  sizeOf(chance: number): number;
  /** null: there is nothing to be had at the moment. */
  attempt(size: number): Attempt | null;
  /** What was looked at besides single answers, once all of them have come. */
  checks(): readonly Check[];
}

/** A hold ends within a second of its time; what comes of it is seen a little later. */
export const HOLD_END_MORE_MS = 2_000;
/** A server's clock may be set a little while a hold lasts. */
export const CLOCK_SLACK_MS = 250;

/** Half come in pairs. */
export function partySize(chance: number): number {
  if (chance < 0.2) return 1;
  if (chance < 0.7) return 2;
  return chance < 0.82 ? 3 : 4;
}
