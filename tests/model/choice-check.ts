/** Whether it is true that no seats could be chosen. */
import type { Refusal } from "../../engine/replies.ts";
import type { Answer, Operation } from "../../workers/shard-messages.ts";
import { availableTo, seatsFor } from "./availability.ts";
import { differences } from "./differences.ts";
import type { Expected } from "./expected.ts";
import { areaOf, type ModelState } from "./model-state.ts";

type Hold = Extract<Operation, { kind: "hold" }>;
type Wish = Hold["best"][number];

/** What is wrong with an answer to who lets the engine choose; null: that is no question here. */
export function untruthsOfChoice(
  state: ModelState,
  operation: Operation,
  answer: Answer,
  expected: readonly Expected[],
): string[] | null {
  if (operation.kind !== "hold" || answer.kind !== "refused") return null;
  const choices = expected.filter((each) => each.kind === "choice");
  if (choices.length === 0) return null;
  const { refusal } = answer;
  const others = expected.flatMap((each) => (each.kind === "refused" ? [each.refusal] : []));
  const told = [...others, ...choices.flatMap(({ refusals }) => refusals)];
  if (told.some((each) => differences("it", refusal, each).length === 0)) return [];
  const tries = operation.best.map((wish, n) =>
    untruthsOfWish(state, operation, { wish, n, refusal }),
  );
  if (tries.some((untruths) => untruths.length === 0)) return [];
  return tries[0] ?? [`the refusal ${JSON.stringify(refusal)} is not true`];
}

/**
 * A wish that is not the first is met beside what was chosen before, which a refusal does not tell;
 * and who knows where the seats are keeps those for wheelchairs. Then the model takes the engine's
 * word for how many there are, as long as it says no more than there can be.
 */
function untruthsOfWish(
  state: ModelState,
  operation: Hold,
  { wish, n, refusal }: { wish: Wish; n: number; refusal: Refusal },
): string[] {
  const { places, channel } = operation;
  const { category, quantity, zone, accessible, adjacent } = wish;
  const seats = seatsFor(state, category, channel).filter((seat) => !places.includes(seat));
  const isKnown = n === 0 && zone === null && !accessible && state.definition?.seatMap.length === 0;
  const inArea = zone === null && !accessible ? mostInAnArea(state, operation, wish) : 0;
  if (refusal.code === "too_few_places") {
    if (n === 0 && inArea >= quantity) return ["an area has as many places as were wanted"];
    const { available } = refusal;
    const untruths = differences("its category", refusal.category, category);
    const most = Math.max(seats.length, inArea);
    if (available >= quantity) untruths.push(`${available} places would do for ${quantity}`);
    if (available > most) untruths.push(`only ${most} places are free`);
    if (isKnown && available !== most) untruths.push(`${most} places are free`);
    if (!Number.isInteger(available) || available < 0) untruths.push(`${available} places`);
    return untruths;
  }
  if (refusal.code !== "no_adjacent_seats") return [`${refusal.code} is not why`];
  const untruths = adjacent ? [] : ["they need not be together"];
  if (seats.length < quantity) untruths.push(`only ${seats.length} seats are free`);
  for (const alternative of refusal.alternatives) {
    const all = alternative.flat();
    if (all.length !== quantity) untruths.push(`an alternative has ${all.length} seats`);
    const isFree = all.every((seat) => seats.includes(seat)) && new Set(all).size === all.length;
    if (!isFree) untruths.push("an alternative has seats that are not to be had");
  }
  return untruths;
}

/** What the roomiest area has for the first wish, besides what is held of it by name. */
function mostInAnArea(state: ModelState, { places, channel }: Hold, wish: Wish): number {
  const areas = state.definition?.areas ?? [];
  const room = areas.map((area, index) => {
    if (wish.category !== null && area.category !== wish.category) return 0;
    const named = places.filter((place) => areaOf(place) === index).length;
    return availableTo(state, index, channel) - named;
  });
  return Math.max(0, ...room);
}
