import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Packr, Unpackr } from "msgpackr";
import { apply } from "../../engine/apply.ts";
import type { InventoryDefinition } from "../../engine/definition.ts";
import { EventState } from "../../engine/event-state.ts";
import { decodeFact, encodeFact } from "../../engine/fact-codec.ts";
import type { Fact } from "../../engine/facts.ts";
import type { EventId } from "../../engine/ids.ts";
import { Actor } from "../../workers/shard/actor.ts";
import { check } from "../report/checking.ts";
import { arena } from "./arena.ts";
import { configured, factsOf } from "./event-run.ts";
import type { Finding } from "./finding.ts";
import { hallDefinition, planSale, START_MS } from "./sale-plan.ts";

const ACTORS = 16;
/** Of those that weigh much. */
const SOLD_ACTORS = 4;
const CLUBS = 500;
const CLUB_PLACES = 300;
/** What the heap may differ by after everything was let go, for the check. */
const LEFT_KIB_MAX = 512;

/** What actors weigh: heap and buffers, after the collector, by their number. */
export function benchActorMemory({ seed }: { seed: number }): Finding {
  const collect = collector();
  const hall = arena();
  const fresh = factOf(hallDefinition(hall));
  const sale = planSale(hall, seed);
  const half = factsOf(sale.definition, sale.commands.slice(0, sale.commands.length / 2)).facts;
  const whole = factsOf(sale.definition, sale.commands).facts;
  const club = factOf(hallDefinition({ seats: 0, floor: CLUB_PLACES }));
  const keep: Actor[] = [];
  const weigh = (count: number, make: () => Actor): number => {
    keep.length = 0;
    const before = collect();
    for (let n = 0; n < count; n += 1) keep.push(make());
    return (collect() - before) / count;
  };
  // Once, for what the code itself keeps: as often as later, or it is compiled again then.
  weigh(SOLD_ACTORS, () => actorOf(whole, true));
  keep.length = 0;
  const beforeAll = collect();
  const weights = [
    ["nothing sold", weigh(ACTORS, () => actorOf([fresh], false))],
    ["nothing sold, asked for the best seats", weigh(ACTORS, () => actorOf([fresh], true))],
    ["half sold, with its keys", weigh(SOLD_ACTORS, () => actorOf(half, true))],
    ["sold out, with its keys", weigh(SOLD_ACTORS, () => actorOf(whole, true))],
  ] as const;
  const clubKib = weigh(CLUBS, () => actorOf([club], false));
  const isRight = keep.length === CLUBS && keep.every(({ state }) => state?.seq === 1);
  keep.length = 0;
  const leftKib = collect() - beforeAll;
  const left = `${leftKib.toFixed(1)} KiB`;
  const unit = "KiB of heap and buffers";
  return {
    figures: [
      ...weights.map(([name, kib]) => ({
        name: `actor of ${hall.seats} seats, ${name}`,
        value: kib,
        unit,
      })),
      { name: `actor of a club of ${CLUB_PLACES}`, value: clubKib, unit },
      { name: "left of all actors once they are let go", value: leftKib, unit },
    ],
    checks: [
      check("actors that are weighed are whole", isRight, `${CLUBS} clubs`),
      check("actors that are let go leave nothing", leftKib < LEFT_KIB_MAX, left),
    ],
  };
}

function factOf(definition: InventoryDefinition): Fact {
  return configured(definition).fact;
}

const packr = new Packr({ useRecords: false });
const unpackr = new Unpackr({ useRecords: false });

/** Built from facts of its own, as from a message or the journal: nothing is shared with others. */
function actorOf(facts: readonly Fact[], isAskedForBest: boolean): Actor {
  const [first] = facts;
  const eventId = first?.kind === "configured" ? first.definition.eventId : ("" as EventId);
  const actor = new Actor(eventId, START_MS);
  const state = new EventState();
  for (const fact of facts) apply(state, decodeFact(unpackr.unpack(packr.pack(encodeFact(fact)))));
  if (isAskedForBest) {
    const best = { quantity: 4, category: null, zone: null, adjacent: true, accessible: false };
    state.picker.find(best);
  }
  actor.state = state;
  return actor;
}

/** Collects, and says what is left, KiB. */
function collector(): () => number {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  return () => {
    if (typeof collect === "function") for (let n = 0; n < 3; n += 1) collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return (heapUsed + arrayBuffers) / 1_024;
  };
}
