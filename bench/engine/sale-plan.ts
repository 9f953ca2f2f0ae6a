/** A sale as commands, made before the clock runs: what is measured is deciding and applying. */
import { NO_CHARGES } from "../../engine/charges.ts";
import type { Command } from "../../engine/commands.ts";
import type { InventoryDefinition } from "../../engine/definition.ts";
import type { CommandKey } from "../../engine/facts.ts";
import { type EventId, eventTagOf, type HoldId, IdMinter, type UserId } from "../../engine/ids.ts";
import { ITEM_IDS_PER_HOLD } from "../../engine/limits.ts";
import { type Place, placeOfArea } from "../../engine/place.ts";
import { RandomSource } from "../catalogue/random-source.ts";

export const START_MS = 1_800_000_000_000;
const EVENT_ID = "018f3c9a-7b10-7000-8000-0007a4b1c2d3" as EventId;
const TAG = eventTagOf(EVENT_ID);
const PLACES_IN_HOLD_MAX = 4;
/** Holds that wait for their booking or their end. */
const OPEN_HOLDS = 1_000;
/** Of all holds: so many are booked, the others given back. */
const BOOKED_SHARE = 0.7;
const BUYERS = 5_000;

export interface HallOptions {
  readonly seats: number;
  /** Places of one standing area. */
  readonly floor: number;
  readonly seatMap?: Uint8Array;
  readonly seatCategories?: Uint8Array;
}

export function hallDefinition(options: HallOptions): InventoryDefinition {
  const { seats, floor, seatMap, seatCategories } = options;
  return {
    eventId: EVENT_ID,
    status: "published",
    currency: "EUR",
    salesOpenMs: null,
    salesCloseMs: null,
    holdTtlMs: 600_000,
    perOrderMax: 10,
    perUserMax: 100_000,
    categories: [1, 2, 3].map((n) => ({ key: `category-${n}`, priceMinor: n * 1_000 })),
    seatCategories: seatCategories ?? new Uint8Array(seats),
    areas: floor === 0 ? [] : [{ key: "floor", category: 0, capacity: floor }],
    charges: NO_CHARGES,
    promoCodes: [],
    churn: null,
    cancelUntilMs: null,
    paymentWindowMs: 900_000,
    seatMap: seatMap ?? new Uint8Array(),
  };
}

export interface SalePlan {
  readonly definition: InventoryDefinition;
  readonly commands: readonly Command[];
  /** Places that are held and sold when all is done; what they add up to. */
  readonly held: number;
  readonly sold: number;
}

interface OpenHold {
  readonly holdId: HoldId;
  readonly userId: UserId;
  readonly places: readonly Place[];
}

/** Fresh ids for commands, as a gateway makes them. */
export class CommandMaker {
  readonly #minter = new IdMinter(7);
  #keys = 0;

  hold(places: readonly Place[], userId: UserId): Extract<Command, { kind: "hold" }> {
    const holdId = this.#minter.mintHold(START_MS, TAG, ITEM_IDS_PER_HOLD);
    const plain = { best: [], promoCode: null, channel: null, key: this.#key() };
    return { kind: "hold", holdId, userId, places, ...plain };
  }

  book({ holdId, userId, places }: OpenHold): Command {
    const bookingId = this.#minter.mintBooking(START_MS, TAG);
    const ticketCodes = places.map((_, n) => `${bookingId.slice(-12)}${n}`);
    const fresh = { bookingId, code: bookingId.slice(-10), ticketCodes };
    const owed = { email: null, invoiceAllowed: true, key: this.#key() };
    return { kind: "book", holdId, userId, ...fresh, ...owed };
  }

  #key(): CommandKey {
    this.#keys += 1;
    const digits = String(this.#keys);
    return { digest: digits.padStart(22, "A"), fingerprint: digits.padStart(11, "B") };
  }
}

export const buyerOf = (index: number): UserId =>
  `018f3c9a-7b10-7000-8000-${String(index).padStart(12, "0")}` as UserId;

/** Holds of one place of the floor each, which all last: the hottest command of all, alone. */
export function planHolds(places: number): SalePlan {
  const maker = new CommandMaker();
  const commands = Array.from({ length: places }, (_, n) =>
    maker.hold([placeOfArea(0)], buyerOf(n % BUYERS)),
  );
  const definition = hallDefinition({ seats: 0, floor: places });
  return { definition, commands: asSent(commands), held: places, sold: 0 };
}

/** All seats, or all places of the floor, are held by parties of 1 to 4, who book or leave. */
export function planSale(options: HallOptions, seed: number): SalePlan {
  const random = new RandomSource(seed);
  const maker = new CommandMaker();
  const free = shuffledPlaces(options, random);
  const commands: Command[] = [];
  const open: OpenHold[] = [];
  let [held, sold] = [0, 0];
  const end = (hold: OpenHold): void => {
    held -= hold.places.length;
    if (random.next() < BOOKED_SHARE) {
      commands.push(maker.book(hold));
      sold += hold.places.length;
    } else {
      const { holdId, userId } = hold;
      commands.push({ kind: "release", holdId, userId });
    }
  };
  while (free.length > 0) {
    const places = free.splice(-1 - Math.floor(random.next() * PLACES_IN_HOLD_MAX));
    const userId = buyerOf(Math.floor(random.next() * BUYERS));
    const command = maker.hold(places, userId);
    commands.push(command);
    open.push({ holdId: command.holdId, userId, places });
    held += places.length;
    if (open.length < OPEN_HOLDS) continue;
    const [hold] = open.splice(Math.floor(random.next() * open.length), 1);
    if (hold !== undefined) end(hold);
  }
  for (const hold of open) if (random.next() < BOOKED_SHARE) end(hold);
  return { definition: hallDefinition(options), commands: asSent(commands), held, sold };
}

function shuffledPlaces({ seats, floor }: HallOptions, random: RandomSource): Place[] {
  const places = Array.from({ length: seats + floor }, (_, n) => (n < seats ? n : placeOfArea(0)));
  for (let last = places.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random.next() * (last + 1));
    const [a, b] = [places[last] ?? 0, places[other] ?? 0];
    places[last] = b;
    places[other] = a;
  }
  return places;
}

/** As they come out of a message: texts in one piece, objects of one shape. */
function asSent(commands: readonly Command[]): Command[] {
  return JSON.parse(JSON.stringify(commands)) as Command[];
}
