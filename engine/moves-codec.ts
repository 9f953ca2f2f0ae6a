import { assert } from "./assert.ts";
import { array, number } from "./encoded-values.ts";
import type { Move } from "./facts.ts";
import { isSeatStatus } from "./inventory.ts";

/** `[[places, from, to, times?], …]` */
export function encodeMoves(moves: readonly Move[]): unknown[] {
  return moves.map(({ places, from, to, times }) =>
    times === undefined ? [places, from, to] : [places, from, to, times],
  );
}

export function decodeMoves(encoded: unknown): Move[] {
  return array(encoded).map((row) => {
    const [places, from, to, times] = array(row);
    const [left, reached] = [number(from), number(to)];
    assert(isSeatStatus(left) && isSeatStatus(reached), "a move is from status to status");
    const move = { places: array(places).map(number), from: left, to: reached };
    return times === undefined ? move : { ...move, times: number(times) };
  });
}
