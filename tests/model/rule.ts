import type { Move } from "../../engine/facts.ts";
import { differences } from "./differences.ts";
import type { ModelMove } from "./model-state.ts";

/** Notes the sentence of a rule that is not kept. */
export type Must = (kept: boolean, brokenIf: () => string) => void;

export function mustEqual(name: string, actual: unknown, expected: unknown, must: Must): void {
  const differ = differences(name, actual, expected);
  must(differ.length === 0, () => differ.join(", "));
}

/** A fact's moves are those that it means, in whatever order and grouping. */
export function mustMove(told: readonly Move[], meant: readonly ModelMove[], must: Must): void {
  const letter = (byte: number): string => String.fromCharCode(byte);
  const line = (place: number, from: string, to: string): string => `${place}: ${from} to ${to}`;
  const toldLines = told.flatMap(({ places, from, to, times = 1 }) =>
    places.flatMap((place) => new Array(times).fill(line(place, letter(from), letter(to)))),
  );
  const meantLines = meant.map(({ place, from, to }: ModelMove) => line(place, from, to));
  mustEqual("its moves", toldLines.sort(), meantLines.sort(), must);
  must(
    told.every(({ places }) => places.length > 0),
    () => "a move of nothing",
  );
}
