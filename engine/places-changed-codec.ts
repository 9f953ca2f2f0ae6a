/**
 * Changes of what is for sale as positional arrays.
 *
 *   [13, seq, atMs, key, by, runs, capacities, moves]
 *   [10, seq, atMs, key, by, blocks, capacities, moves]    as it was written before
 *
 *   runs        [channel, [place, quantity, …], channel, …]: all seats of an event may return to
 *               sale at once, and a channel's key is longer than a place
 *   blocks      [place, channel, quantity, …]
 *   capacities  [area, capacity, …]
 */
import { array, number, string } from "./encoded-values.ts";
import type { Block, FactHead, PlacesChanged } from "./facts.ts";
import type { UserId } from "./ids.ts";
import { decodeMoves, encodeMoves } from "./moves-codec.ts";

const IN_RUNS = 13;
const EACH_ALONE = 10;

export const isPlacesChanged = (kind: unknown): boolean => kind === IN_RUNS || kind === EACH_ALONE;

export function encodePlacesChanged(fact: PlacesChanged, key: readonly string[] | null): unknown[] {
  const { seq, atMs, by } = fact;
  const runs: (string | number[])[] = [];
  let [channel, run]: [string | null, number[]] = [null, []];
  for (const block of fact.blocks) {
    if (block.channel !== channel) {
      channel = block.channel;
      run = [];
      runs.push(channel, run);
    }
    run.push(block.place, block.quantity);
  }
  const capacities = fact.capacities.flatMap(({ area, capacity }) => [area, capacity]);
  return [IN_RUNS, seq, atMs, key, by, runs, capacities, encodeMoves(fact.moves)];
}

export function decodePlacesChanged(head: FactHead, row: readonly unknown[]): PlacesChanged {
  const blocks = row[0] === EACH_ALONE ? blocksOf(array(row[5])) : blocksInRuns(array(row[5]));
  const pairs = array(row[6]).map(number);
  const capacities: { area: number; capacity: number }[] = [];
  for (let at = 0; at < pairs.length; at += 2) {
    capacities.push({ area: pairs[at] ?? 0, capacity: pairs[at + 1] ?? 0 });
  }
  const by = string(row[4]) as UserId;
  return { kind: "placesChanged", ...head, by, blocks, capacities, moves: decodeMoves(row[7]) };
}

function blocksInRuns(runs: readonly unknown[]): Block[] {
  const blocks: Block[] = [];
  for (let at = 0; at < runs.length; at += 2) {
    const channel = string(runs[at]);
    const run = array(runs[at + 1]);
    for (let n = 0; n < run.length; n += 2) {
      blocks.push({ place: number(run[n]), channel, quantity: number(run[n + 1]) });
    }
  }
  return blocks;
}

function blocksOf(flat: readonly unknown[]): Block[] {
  const blocks: Block[] = [];
  for (let at = 0; at < flat.length; at += 3) {
    const [place, channel, quantity] = [flat[at], flat[at + 1], flat[at + 2]];
    blocks.push({ place: number(place), channel: string(channel), quantity: number(quantity) });
  }
  return blocks;
}
