/** An event's log, read whole, and what follows from it without asking anybody else. */
import { PROVIDER } from "./payer.ts";
import * as ask from "./questions.ts";
import type { Stage } from "./scenery.ts";
import type { Caller, Teller } from "./teller.ts";

export interface LogEntry {
  readonly seq: number;
  readonly change: string;
  readonly bookingId: string | null;
  readonly userId: string | null;
  readonly tickets?: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly email?: string;
  readonly blocks?: readonly {
    readonly allotment: string | null;
    readonly quantity: number;
    readonly places: readonly string[];
  }[];
  readonly areas?: readonly { readonly key: string; readonly capacity: number }[];
}

/** Entries in order; a seq that does not grow is a fault. */
export async function readLog(teller: Teller, caller: Caller, stage: Stage): Promise<LogEntry[]> {
  const entries = await readPages<LogEntry>(teller, caller, (cursor) =>
    ask.log(stage.eventId, cursor),
  );
  for (const [n, { seq }] of entries.entries()) {
    const before = entries[n - 1]?.seq ?? 0;
    teller.faults.check(seq > before, () => `${stage.name}: the log has ${seq} after ${before}`);
  }
  return entries;
}

/** All pages of a list; what is refused as busy is asked again. */
export async function readPages<Item>(
  teller: Teller,
  caller: Caller,
  page: (cursor: string | null) => ask.Question,
): Promise<Item[]> {
  const all: Item[] = [];
  let cursor: string | null = null;
  do {
    const body: unknown = await read(teller, caller, page(cursor));
    if (body === null) return all;
    const { data, nextCursor } = body as { data: Item[]; nextCursor: string | null };
    all.push(...data);
    cursor = nextCursor;
  } while (cursor !== null);
  return all;
}

const TRIES_MAX = 50;

/** What a question is answered with in the end; null: it was refused, which is a fault. */
export async function read(
  teller: Teller,
  caller: Caller = PROVIDER,
  question: ask.Question,
): Promise<unknown> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const answer = await teller.ask(caller, question);
    if (answer?.status === 200) return answer.body;
    if (answer?.status !== 503) return null;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  teller.faults.add(`${question.path} is busy for ever`);
  return null;
}

/** What is kept from the sale, by the log alone. */
export class KeptPlaces {
  /** Seats with the channel that each is kept for; null: for nobody. */
  readonly seats = new Map<string, string | null>();
  /** Quantities by area, then channel. */
  readonly areas = new Map<string, Map<string, number>>();
  readonly capacities = new Map<string, number>();

  constructor(log: readonly LogEntry[], isSeat: (name: string) => boolean) {
    for (const { change, blocks = [], areas = [] } of log) {
      if (change !== "inventory_changed") continue;
      for (const { key, capacity } of areas) this.capacities.set(key, capacity);
      for (const { allotment, quantity, places } of blocks) {
        for (const place of places) {
          if (!isSeat(place)) this.#setArea(place, allotment ?? "", quantity);
          else if (quantity === 0) this.seats.delete(place);
          else this.seats.set(place, allotment);
        }
      }
    }
  }

  #setArea(area: string, channel: string, quantity: number): void {
    const channels = this.areas.get(area) ?? new Map<string, number>();
    this.areas.set(area, channels.set(channel, quantity));
  }
}
