import Type from "typebox";
import type { BestWanted } from "../../engine/commands/best-seats.ts";
import { type ItemId, parseItemId } from "../../engine/ids.ts";
import { PLACES_PER_HOLD_MAX, PROMO_CODE_CHARS_MAX } from "../../engine/limits.ts";
import type { Place } from "../../engine/place.ts";
import { placeOfArea } from "../../engine/place.ts";
import { normalizePromoCode } from "../../engine/promo-codes.ts";
import type { EventEntry } from "../catalogue/event-directory.ts";
import { compileSchema, type FieldError } from "../http/validation.ts";
import { type DeskProblem, invalid, problem } from "./desk-result.ts";

const Name = Type.String({ minLength: 1, maxLength: 200 });
const Quantity = Type.Integer({ minimum: 1, maximum: PLACES_PER_HOLD_MAX });

export const BestAvailable = Type.Object({
  quantity: Quantity,
  category: Type.Optional(Name),
  zone: Type.Optional(Name),
  adjacent: Type.Optional(Type.Boolean()),
  accessible: Type.Optional(Type.Boolean()),
});
type BestAvailable = Type.Static<typeof BestAvailable>;

const Item = Type.Object({
  seat: Type.Optional(Name),
  area: Type.Optional(Name),
  quantity: Type.Optional(Quantity),
  bestAvailable: Type.Optional(BestAvailable),
});
type Item = Type.Static<typeof Item>;

/** Body of POST /events/{id}/holds. */
export const HoldBody = Type.Object({
  items: Type.Array(Item, { minItems: 1, maxItems: PLACES_PER_HOLD_MAX }),
  promoCode: Type.Optional(Type.String({ maxLength: 8 * PROMO_CODE_CHARS_MAX })),
  /** Key of an allotment. */
  channel: Type.Optional(Type.String({ format: "key" })),
});
export type HoldBody = Type.Static<typeof HoldBody>;
export const holdBody = compileSchema(HoldBody);

/** Body of PATCH /holds/{id}. */
export const ChangeHoldBody = Type.Object({
  add: Type.Optional(Type.Array(Item, { maxItems: PLACES_PER_HOLD_MAX })),
  remove: Type.Optional(
    Type.Array(Type.String({ maxLength: 100 }), { maxItems: PLACES_PER_HOLD_MAX }),
  ),
});
export type ChangeHoldBody = Type.Static<typeof ChangeHoldBody>;
export const changeHoldBody = compileSchema(ChangeHoldBody);

/** What a hold is asked for, in the engine's terms. A quantity has become that many places. */
export interface WantedHold {
  readonly places: readonly Place[];
  readonly best: readonly BestWanted[];
  readonly promoCode: string | null;
  readonly channel: string | null;
}

/** Turns the public names of a hold's items into places and wishes. */
export function wantedOf(body: HoldBody, event: EventEntry): WantedHold | DeskProblem {
  const reader = new ItemReader(event, "items");
  for (const item of body.items) reader.read(item);
  const { promoCode: typed, channel = null } = body;
  const promoCode = typed === undefined ? null : normalizePromoCode(typed);
  if (typed !== undefined && promoCode === null) {
    const message = `must be 1 to ${PROMO_CODE_CHARS_MAX} visible characters`;
    reader.faults.push({ path: "promoCode", message });
  }
  const { places, best } = reader;
  return reader.refusal() ?? { places, best, promoCode, channel };
}

export interface WantedChange {
  readonly add: readonly Place[];
  readonly drop: readonly ItemId[];
}

export function wantedChangeOf(
  { add = [], remove = [] }: ChangeHoldBody,
  event: EventEntry,
): WantedChange | DeskProblem {
  if (add.length + remove.length === 0) {
    return invalid([{ path: "", message: "must add or remove something" }]);
  }
  const reader = new ItemReader(event, "add");
  for (const item of add) reader.readNamed(item);
  const refusal = reader.refusal();
  if (refusal !== null) return refusal;
  const drop: ItemId[] = [];
  const unknown: string[] = [];
  for (const text of remove) {
    const id = parseItemId(text);
    if (id === null) unknown.push(text);
    else drop.push(id);
  }
  return unknown.length > 0
    ? problem("item_not_found", { items: unknown })
    : { add: reader.places, drop };
}

const NO_WISHES: readonly BestWanted[] = [];

/** Reads items one by one, and collects what is wrong with them. */
class ItemReader {
  readonly places: Place[] = [];
  readonly faults: FieldError[] = [];
  best = NO_WISHES;
  readonly #event: EventEntry;
  readonly #path: string;
  /** Names of what there is not; null, as nearly always: there is nothing of the kind. */
  #unknownSeats: string[] | null = null;
  #unknownAreas: string[] | null = null;
  #unknownCategories: string[] | null = null;
  #index = 0;

  constructor(event: EventEntry, path: string) {
    this.#event = event;
    this.#path = path;
  }

  /** A seat, an area with a quantity, or a wish. */
  read(item: Item): void {
    const { bestAvailable } = item;
    if (bestAvailable === undefined) return this.readNamed(item);
    if (item.seat !== undefined || item.area !== undefined || item.quantity !== undefined) {
      this.#fault("", "must be a seat, an area with a quantity, or bestAvailable");
    } else {
      this.#readWish(bestAvailable);
    }
    this.#index += 1;
  }

  /** A seat, or an area with a quantity. */
  readNamed({ seat, area, quantity, bestAvailable }: Item): void {
    if (bestAvailable !== undefined) {
      this.#fault(".bestAvailable", "can't be added to a hold; name the seats");
    } else if (seat !== undefined && area === undefined) {
      if (quantity === undefined || quantity === 1) this.#readSeat(seat);
      else this.#fault(".quantity", "must be 1: a seat is one place");
    } else if (area !== undefined && seat === undefined) {
      if (quantity !== undefined) this.#readArea(area, quantity);
      else this.#fault(".quantity", "is missing: an area needs a quantity");
    } else {
      this.#fault("", "must be a seat, or an area with a quantity");
    }
    this.#index += 1;
  }

  /** null: everything makes sense. */
  refusal(): DeskProblem | null {
    if (this.faults.length > 0) return invalid(this.faults);
    if (this.#unknownSeats !== null) {
      return problem("unknown_seat", { seats: this.#unknownSeats });
    }
    if (this.#unknownAreas !== null) {
      return problem("unknown_area", { areas: this.#unknownAreas });
    }
    if (this.#unknownCategories !== null) {
      return problem("unknown_category", { categories: this.#unknownCategories });
    }
    let count = this.places.length;
    for (const { quantity } of this.best) count += quantity;
    if (count <= PLACES_PER_HOLD_MAX) return null;
    return problem("limit_exceeded", {
      scope: "perOrder",
      limit: PLACES_PER_HOLD_MAX,
      current: count,
    });
  }

  #readSeat(id: string): void {
    const seat = this.#event.seatIndexById.get(id);
    if (seat === undefined) {
      this.#unknownSeats = [...(this.#unknownSeats ?? []), id];
    } else if (this.places.includes(seat)) {
      this.#fault(".seat", "names a seat twice");
    } else {
      this.places.push(seat);
    }
  }

  #readArea(key: string, quantity: number): void {
    const area = this.#event.areaIndexByKey.get(key);
    if (area === undefined) this.#unknownAreas = [...(this.#unknownAreas ?? []), key];
    else for (let n = 0; n < quantity; n += 1) this.places.push(placeOfArea(area));
  }

  #readWish(wish: BestAvailable): void {
    const { zoneNames, categoryIndexByKey } = this.#event;
    const { quantity, adjacent = true, accessible = false } = wish;
    const zone = wish.zone === undefined ? null : zoneNames.indexOf(wish.zone);
    if (zone === -1) this.#fault(".bestAvailable.zone", "is no zone of this event");
    const category = wish.category === undefined ? null : categoryIndexByKey.get(wish.category);
    if (category === undefined) {
      this.#unknownCategories = [...(this.#unknownCategories ?? []), wish.category ?? ""];
    } else {
      this.best = [...this.best, { quantity, category, zone, adjacent, accessible }];
    }
  }

  #fault(path: string, message: string): void {
    this.faults.push({ path: `${this.#path}[${this.#index}]${path}`, message });
  }
}
