/** What a customer may ask for: named seats, places, the best ones, with codes and channels. */
import type { Random } from "../../engine/testing/random.ts";
import type { Stage } from "./scenery.ts";

/** One to `max`, mostly few. */
const few = (random: Random, max: number): number => 1 + Math.floor(random.next() ** 2 * max);

/** A seat that looks free, or any: some are too late. */
export function anySeat(stage: Stage, random: Random): string | null {
  const { seats, watchers } = stage;
  if (seats.length === 0) return null;
  const from = random.below(seats.length);
  const [watcher] = watchers;
  if (watcher !== undefined && random.next() < 0.8) {
    for (let n = 0; n < seats.length; n += 1) {
      const index = (from + n) % seats.length;
      const seat = seats[index];
      if (watcher.isFree(index) && seat !== undefined) return seat.id;
    }
  }
  return seats[from]?.id ?? null;
}

export function someSeats(stage: Stage, random: Random, max: number): { seat: string }[] {
  const count = few(random, max);
  const ids = new Set(Array.from({ length: count }, () => anySeat(stage, random)));
  return [...ids].flatMap((seat) => (seat === null ? [] : [{ seat }]));
}

export function somePlaces(stage: Stage, random: Random, max: number): object {
  return { area: random.pick(stage.areas), quantity: few(random, max) };
}

function best(stage: Stage, random: Random): object {
  const mood = random.next();
  const bestAvailable = {
    quantity: few(random, 5),
    ...(mood < 0.5 ? { category: random.pick(["stalls", "balcony"]) } : {}),
    ...(random.next() < 0.3 ? { zone: random.pick(stage.zones) } : {}),
    ...(random.next() < 0.3 ? { adjacent: false } : {}),
    ...(random.next() < 0.06 ? { accessible: true } : {}),
  };
  return { bestAvailable };
}

function itemsOf(stage: Stage, random: Random): object[] {
  const mood = random.next();
  if (stage.seats.length === 0) {
    return mood < 0.15 && stage.areas.length > 1
      ? stage.areas.map((area) => ({ area, quantity: few(random, 2) }))
      : [somePlaces(stage, random, 5)];
  }
  if (stage.areas.length > 0) {
    if (mood < 0.35) return [somePlaces(stage, random, 5)];
    if (mood < 0.5) return [somePlaces(stage, random, 2), ...someSeats(stage, random, 2)];
    if (mood < 0.6) return [somePlaces(stage, random, 2), best(stage, random)];
  }
  if (mood < 0.68) return someSeats(stage, random, 4);
  if (mood < 0.72) return [best(stage, random), ...someSeats(stage, random, 2)];
  if (mood < 0.75) return [best(stage, random), best(stage, random)];
  return [best(stage, random)];
}

export interface Wish {
  readonly items: readonly object[];
  readonly promoCode?: string;
  readonly channel?: string;
}

export function wishOf(stage: Stage, random: Random): Wish {
  const { promoCodes, allotments } = stage;
  const codes = ["TENTH", "tenth ", "FIVER", "GIFT", "LATER", "NONE"];
  const withCode = promoCodes.length > 0 && random.next() < 0.35;
  const channel = random.pick(["club", "club", "press", "nobody"]);
  const withChannel = allotments.length > 0 && random.next() < 0.3;
  // Of an allotment's seats one has to know.
  const items = withChannel && random.next() < 0.5 ? keptSeats(stage, random) : null;
  return {
    items: items ?? itemsOf(stage, random),
    ...(withCode ? { promoCode: random.pick(codes) } : {}),
    ...(withChannel ? { channel } : {}),
  };
}

function keptSeats(stage: Stage, random: Random): object[] | null {
  const seats = stage.allotments.flatMap((allotment) => {
    const { seats: ids } = allotment as { seats: string[] };
    return ids;
  });
  return seats.length === 0 ? null : [{ seat: random.pick(seats) }];
}
