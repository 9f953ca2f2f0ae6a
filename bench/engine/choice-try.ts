import { apply } from "../../engine/apply.ts";
import type { Hold } from "../../engine/commands/hold.ts";
import { decide } from "../../engine/decide.ts";
import type { InventoryDefinition } from "../../engine/definition.ts";
import type { EventState } from "../../engine/event-state.ts";
import type { Fact, Held } from "../../engine/facts.ts";
import { FREE } from "../../engine/inventory.ts";
import type { Decision } from "../../engine/replies.ts";
import { RandomSource } from "../catalogue/random-source.ts";
import { SEATS_IN_ROW } from "../hall/arena.ts";
import { choiceFault } from "../hall/hall.ts";
import { arenaHall } from "./arena.ts";
import type { ChoiceCase, Fill } from "./choice-cases.ts";
import { configured } from "./event-run.ts";
import { buyerOf, CommandMaker, START_MS } from "./sale-plan.ts";
import { type TimesUs, TryTimes } from "./try-times.ts";

const WARM_UP_MAX = 500;
/** Parties whose seats are held at once. */
const HELD_MAX = 20;
const PLACES_IN_HOLD = 8;
/** Rows in which something changes between two choices, besides what was chosen. */
const OTHER_CHANGES = 8;

/** Choices that come before those that count. */
export const warmUpOf = (searches: number): number => Math.min(WARM_UP_MAX, searches);

export interface TryOptions {
  readonly definition: InventoryDefinition;
  readonly searches: number;
  readonly seed: number;
}

export interface ChoiceTry {
  readonly times: TimesUs;
  readonly found: number;
  /** The first answer that is not as it has to be; null: all are. */
  readonly fault: string | null;
}

/**
 * Four seats, chosen and decided upon as one command, again and again. Between two choices what was
 * chosen is held, what was held before is given back, and other seats change, too: finding that out
 * is part of the time.
 */
export function tryChoices(
  { wish, fill, isCold }: ChoiceCase,
  { definition, searches, seed }: TryOptions,
): ChoiceTry {
  const { state } = configured(definition);
  const maker = new CommandMaker();
  const random = new RandomSource(seed);
  const taken = fillUp(state, fill, { maker, random });
  const times = new TryTimes(searches);
  const open: Held[] = [];
  let found = 0;
  let fault: string | null = null;
  const warmUp = warmUpOf(searches);
  for (let n = -warmUp; n < searches; n += 1) {
    for (let change = 0; change < OTHER_CHANGES; change += 1) {
      state.picker.touch(random.integer(0, arenaHall.ids.length - 1));
    }
    if (isCold) for (const seat of arenaHall.ids.keys()) state.picker.touch(seat);
    const command: Hold = { ...maker.hold([], buyerOf(n + warmUp)), best: [wish] };
    const decision = times.take(n, () => decide(state, command, START_MS));
    fault ??= decisionFault(state, wish, decision);
    const [fact] = decision.facts;
    if (fact?.kind === "held") {
      found += n >= 0 ? 1 : 0;
      apply(state, fact);
      open.push(fact);
    }
    if (open.length > HELD_MAX || fact === undefined) giveBack(state, open.shift());
  }
  const held = open.reduce((sum, { items }) => sum + items.length, 0);
  const free = state.inventory?.free ?? 0;
  if (free + taken + held !== arenaHall.ids.length) {
    fault ??= `${free} free + ${taken} sold + ${held} held ≠ ${arenaHall.ids.length}`;
  }
  return { times: times.end(), found, fault };
}

/** What is wrong about an answer; null: nothing. */
export function decisionFault(
  state: EventState,
  wish: ChoiceCase["wish"],
  { facts, reply }: Decision,
): string | null {
  const [fact] = facts;
  if (fact?.kind === "held") {
    const seats = fact.items.map(({ place }) => place);
    const groups = (fact.terms?.chosen ?? []).map(({ from, count }) =>
      seats.slice(from, from + count),
    );
    return choiceFault(arenaHall, wish, groups) ?? takenAmong(state, seats);
  }
  if (reply.kind !== "refused") return `an answer of the kind "${reply.kind}"`;
  const { refusal } = reply;
  if (refusal.code === "too_few_places") {
    return refusal.available < wish.quantity ? null : `${refusal.available} would have done`;
  }
  if (refusal.code !== "no_adjacent_seats") return `refused as ${refusal.code}`;
  const apart = { ...wish, adjacent: false };
  const faults = refusal.alternatives.map(
    (groups) => choiceFault(arenaHall, apart, groups) ?? takenAmong(state, groups.flat()),
  );
  return faults.find((each) => each !== null) ?? null;
}

function takenAmong({ inventory }: EventState, seats: readonly number[]): string | null {
  const taken = seats.find((seat) => inventory?.statusOf(seat) !== FREE);
  return taken === undefined ? null : `seat ${arenaHall.ids[taken]}, which was taken`;
}

/** Holds stand for what is sold: the search sees no difference. Returns the number of seats. */
function fillUp(
  state: EventState,
  { isFree }: Fill,
  { maker, random }: { readonly maker: CommandMaker; readonly random: RandomSource },
): number {
  const seats = [...arenaHall.ids.keys()].filter(
    (seat) => !isFree(seat % SEATS_IN_ROW, random.next()),
  );
  for (let at = 0; at < seats.length; at += PLACES_IN_HOLD) {
    const places = seats.slice(at, at + PLACES_IN_HOLD);
    applyAll(state, decide(state, maker.hold(places, buyerOf(at)), START_MS).facts);
  }
  return seats.length;
}

function giveBack(state: EventState, held: Held | undefined): void {
  if (held === undefined) return;
  const { holdId, userId } = held;
  applyAll(state, decide(state, { kind: "release", holdId, userId }, START_MS).facts);
}

function applyAll(state: EventState, facts: readonly Fact[]): void {
  for (const fact of facts) apply(state, fact);
}
