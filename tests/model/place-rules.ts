/** Rules of what the organiser keeps from the sale, and of the areas' capacities. */
import type { PlacesChanged } from "../../engine/facts.ts";
import { areaOf, areasOf, type ModelState, seatOf } from "./model-state.ts";
import { type Must, mustMove } from "./rule.ts";

export function checkPlacesChanged(state: ModelState, fact: PlacesChanged, must: Must): void {
  const { blocks, capacities } = fact;
  must(blocks.length + capacities.length > 0, () => "nothing changes");
  const once = new Set(
    blocks.map(({ place, channel }) => (place >= 0 ? `${place}` : `${place} ${channel}`)),
  );
  must(once.size === blocks.length, () => "a place changes twice");
  for (const { place, channel, quantity } of blocks) {
    const seat = seatOf(place);
    must(state.categoryOf(place) !== undefined, () => `place ${place} does not exist`);
    if (seat === null) checkArea(state, { area: areaOf(place), channel, quantity }, must);
    else checkSeat(state, { seat, channel, quantity }, must);
  }
  const moves = state.movesIn(fact);
  const leaving = (area: number): number =>
    moves.filter(({ place, to }) => areaOf(place) === area && to === "b").length;
  const counts = areasOf(state);
  for (const [area, { free }] of counts.entries()) {
    must(leaving(area) <= free, () => `area ${area} had ${free} free, not ${leaving(area)}`);
  }
  must(new Set(capacities.map(({ area }) => area)).size === capacities.length, () => {
    return "a capacity changes twice";
  });
  for (const { area, capacity } of capacities) {
    const before = counts[area];
    must(before !== undefined, () => `area ${area} does not exist`);
    if (before === undefined) continue;
    must(capacity !== before.capacity, () => `area ${area} has ${capacity} places already`);
    const inUse = before.held + before.sold + before.blocked + leaving(area);
    must(capacity >= inUse, () => `${inUse} places of area ${area} are in use, not ${capacity}`);
  }
  mustMove(fact.moves, moves, must);
}

function checkSeat(
  state: ModelState,
  { seat, channel, quantity }: { seat: number; channel: string; quantity: number },
  must: Must,
): void {
  const letter = state.seats[seat];
  const kept = state.keptSeats.get(seat);
  if (quantity === 1) {
    must(letter === "f" && kept === undefined, () => `seat ${seat} was not free but ${letter}`);
    return;
  }
  must(quantity === 0, () => `${quantity} of seat ${seat}`);
  must(letter === "b", () => `seat ${seat} was not blocked but ${letter}`);
  must(kept === channel, () => `seat ${seat} was kept for "${kept}", not "${channel}"`);
}

function checkArea(
  state: ModelState,
  { area, channel, quantity }: { area: number; channel: string; quantity: number },
  must: Must,
): void {
  must(channel !== "", () => "an area is kept for a channel");
  const used = state.usedIn(area, channel);
  must(quantity >= used, () => `${used} places for "${channel}" are in use, not ${quantity}`);
  must(quantity !== state.keptIn(area, channel), () => `so many are kept for "${channel}" already`);
}
