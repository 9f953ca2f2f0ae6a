import { apply } from "../../engine/apply.ts";
import type { Hold } from "../../engine/commands/hold.ts";
import { decide } from "../../engine/decide.ts";
import type { EventState } from "../../engine/event-state.ts";
import type { Fact, Held } from "../../engine/facts.ts";
import { FREE } from "../../engine/inventory.ts";
import { RandomSource } from "../catalogue/random-source.ts";
import { check } from "../report/checking.ts";
import { arenaDefinition } from "./arena.ts";
import { configured } from "./event-run.ts";
import { type Finding, quantile } from "./finding.ts";
import { buyerOf, CommandMaker, START_MS } from "./sale-plan.ts";

const FILLS = [0, 0.5, 0.9, 0.99];
const PARTY = 4;
const WARM_UP = 500;
/** Parties whose seats are held at once. */
const HELD_MAX = 20;
const PLACES_IN_HOLD = 8;
/** Whether the four must sit together: otherwise they are split where they can't. */
const TOGETHER = [true, false];

export interface BestSeatsOptions {
  readonly searches: number;
  readonly seed: number;
}

/**
 * The four best seats that are free, chosen and decided upon as one command, in an arena of 18,000
 * that is sold to a part, evenly. Between two choices what was chosen before is given back.
 */
export function benchBestSeats({ searches, seed }: BestSeatsOptions): Finding {
  const found = TOGETHER.flatMap((adjacent) =>
    FILLS.map((fill) => measure({ fill, adjacent }, { searches, seed })),
  );
  return {
    figures: found.flatMap(({ figures }) => figures),
    checks: found.flatMap(({ checks }) => checks),
  };
}

interface Hall {
  /** Part of the seats that is taken, 0 to 1. */
  readonly fill: number;
  readonly adjacent: boolean;
}

function measure({ fill, adjacent }: Hall, { searches, seed }: BestSeatsOptions): Finding {
  const { state } = configured(arenaDefinition());
  const wanted = { quantity: PARTY, category: null, zone: null, adjacent, accessible: false };
  const maker = new CommandMaker();
  const taken = fillUp(state, fill, { maker, random: new RandomSource(seed) });
  const capacity = state.inventory?.capacity ?? 0;
  const timesUs = new Float64Array(searches);
  const open: Held[] = [];
  let [found, wrong] = [0, 0];
  for (let n = -WARM_UP; n < searches; n += 1) {
    const userId = buyerOf(n + WARM_UP);
    const command: Hold = { ...maker.hold([], userId), best: [wanted] };
    const startMs = performance.now();
    const { facts, reply } = decide(state, command, START_MS);
    if (n >= 0) timesUs[n] = (performance.now() - startMs) * 1_000;
    const [fact] = facts;
    if (fact?.kind === "held") {
      found += n >= 0 ? 1 : 0;
      if (!isRight(state, fact)) wrong += 1;
      apply(state, fact);
      open.push(fact);
    } else if (reply.kind !== "refused" || reply.refusal.code !== "no_adjacent_seats") {
      wrong += 1;
    }
    if (open.length > HELD_MAX || fact === undefined) giveBack(state, open.shift());
  }
  const held = open.length * PARTY;
  const inventory = state.inventory;
  const adds = inventory !== null && inventory.free + taken + held === capacity;
  timesUs.sort();
  const how = adjacent ? "together" : "split if need be";
  const name = `4 best seats of ${capacity}, ${how}, ${fill * 100} % sold`;
  const share = `${Math.round((found * 100) / searches)} % found`;
  return {
    figures: [
      { name: `${name}, p50`, value: quantile(timesUs, 0.5), unit: `µs a choice, ${share}` },
      { name: `${name}, p99`, value: quantile(timesUs, 0.99), unit: `µs a choice, ${share}` },
    ],
    checks: [
      check(`${name}: all chosen are free and distinct`, wrong === 0, `${wrong} wrong`),
      check(`${name}: free, held and sold add up`, adds, `${taken} sold, ${held} held`),
    ],
  };
}

function isRight(state: EventState, { items }: Held): boolean {
  const seats = new Set(items.map(({ place }) => place));
  return (
    seats.size === PARTY && [...seats].every((seat) => state.inventory?.statusOf(seat) === FREE)
  );
}

/** Holds stand for what is sold: the search sees no difference. Returns the number of seats. */
function fillUp(
  state: EventState,
  fill: number,
  { maker, random }: { readonly maker: CommandMaker; readonly random: RandomSource },
): number {
  const seats = Array.from({ length: state.inventory?.capacity ?? 0 }, (_, seat) => seat).filter(
    () => random.chance(fill),
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
