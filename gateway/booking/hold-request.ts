import Type from "typebox";
import type { BestWanted } from "../../engine/commands/best-seats.ts";
import { type ItemId, parseItemId } from "../../engine/ids.ts";
import {
  AREA_CAPACITY_MAX,
  PLACES_PER_HOLD_MAX,
  PROMO_CODE_CHARS_MAX,
} from "../../engine/limits.ts";
import type { Place } from "../../engine/place.ts";
import { placeOfArea } from "../../engine/place.ts";
import { normalizePromoCode } from "../../engine/promo-codes.ts";
import type { EventEntry } from "../catalogue/event-directory.ts";
import { compileSchema, type FieldError, optional } from "../http/validation.ts";
import { type DeskProblem, invalid, problem } from "./desk-result.ts";
import { limitExceeded } from "./refusals.ts";

const Name = Type.String({ minLength: 1, maxLength: 200 });
/** More than an order may have is no mistake of form: the refusal names the limit. */
export const Quantity = Type.Integer({ minimum: 1, maximum: AREA_CAPACITY_MAX });

export const BestAvailable = Type.Object({
  quantity: Quantity,
  category: optional(Name),
  zone: optional(Name),
  adjacent: optional(Type.Boolean()),
  accessible: optional(Type.Boolean()),
});
type BestAvailable = Type.Static<typeof BestAvailable>;

const Item = Type.Object({
  seat: optional(Name),
  area: optional(Name),
  quantity: optional(Quantity),
  bestAvailable: optional(BestAvailable),
});
type Item = Type.Static<typeof Item>;

/** Body of POST /events/{id}/holds. */
export const HoldBody = Type.Object({
  items: Type.Array(Item, { minItems: 1, maxItems: PLACES_PER_HOLD_MAX }),
  promoCode: optional(Type.String({ maxLength: 8 * PROMO_CODE_CHARS_MAX })),
  /** Key of an allotment. */
  channel: optional(Type.String({ format: "key" })),
});
export type HoldBody = Type.Static<typeof HoldBody>;
export const holdBody = compileSchema(HoldBody);

/** Body of PATCH /holds/{id}. */
export const ChangeHoldBody = Type.Object({
  add: optional(Type.Array(Item, { maxItems: PLACES_PER_HOLD_MAX })),
  remove: optional(Type.Array(Type.String({ maxLength: 100 }), { maxItems: PLACES_PER_HOLD_MAX })),
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
  const { promoCode: typed = null, channel = null } = body;
  const promoCode = typed === null ? null : normalizePromoCode(typed);
  if (typed !== null && promoCode === null) {
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
  body: ChangeHoldBody,
  event: EventEntry,
): WantedChange | DeskProblem {
  const add = body.add ?? [];
  const remove = body.remove ?? [];
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

/** Zones that are named to who asks for one that there is not. */
const ZONES_NAMED_MAX = 10;
const NO_WISHES: readonly BestWanted[] = [];
const NAMED_KIND = "must be a seat, or an area with a quantity";
const ANY_KIND = "must be a seat, an area with a quantity, or bestAvailable";

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
  /** Places wanted so far. */
  #count = 0;

  constructor(event: EventEntry, path: string) {
    this.#event = event;
    this.#path = path;
  }

  /** A seat, an area with a quantity, or a wish. */
  read(item: Item): void {
    const { seat = null, area = null, quantity = null, bestAvailable = null } = item;
    if (bestAvailable === null) return this.readNamed(item, ANY_KIND);
    if (seat !== null || area !== null || quantity !== null) {
      this.#fault("", ANY_KIND);
    } else {
      this.#readWish(bestAvailable);
    }
    this.#index += 1;
  }

  /** A seat, or an area with a quantity. */
  readNamed(item: Item, kinds = NAMED_KIND): void {
    const { seat = null, area = null, quantity = null, bestAvailable = null } = item;
    if (bestAvailable !== null) {
      this.#fault(".bestAvailable", "can't be added to a hold; name the seats");
    } else if (seat !== null && area === null) {
      if (quantity === null || quantity === 1) this.#readSeat(seat);
      else this.#fault(".quantity", "must be 1: a seat is one place");
    } else if (area !== null && seat === null) {
      if (quantity !== null) this.#readArea(area, quantity);
      else this.#fault(".quantity", "is missing: an area needs a quantity");
    } else {
      this.#fault("", kinds);
    }
    this.#index += 1;
  }

  /** null: everything makes sense. */
  refusal(): DeskProblem | null {
    if (this.faults.length > 0) return invalid(this.faults);
    if (this.#unknownSeats !== null) {
      return unknown("unknown_seat", "seats", this.#unknownSeats);
    }
    if (this.#unknownAreas !== null) {
      return unknown("unknown_area", "areas", this.#unknownAreas);
    }
    if (this.#unknownCategories !== null) {
      return unknown("unknown_category", "categories", this.#unknownCategories);
    }
    if (this.#count <= PLACES_PER_HOLD_MAX) return null;
    const limit = Math.min(this.#event.perOrderMax, PLACES_PER_HOLD_MAX);
    return limitExceeded({ scope: "perOrder", limit, current: this.#count });
  }

  #readSeat(id: string): void {
    const seat = this.#event.seatIndexById.get(id);
    if (seat === undefined) {
      this.#unknownSeats = [...(this.#unknownSeats ?? []), id];
    } else if (this.places.includes(seat)) {
      this.#fault(".seat", "names a seat twice");
    } else {
      this.places.push(seat);
      this.#count += 1;
    }
  }

  #readArea(key: string, quantity: number): void {
    const area = this.#event.areaIndexByKey.get(key);
    if (area === undefined) this.#unknownAreas = [...(this.#unknownAreas ?? []), key];
    else this.#pushArea(placeOfArea(area), quantity);
  }

  /** What is more than any order may have is counted, but not written out. */
  #pushArea(place: Place, quantity: number): void {
    this.#count += quantity;
    if (this.#count > PLACES_PER_HOLD_MAX) return;
    for (let n = 0; n < quantity; n += 1) this.places.push(place);
  }

  #readWish(wish: BestAvailable): void {
    const { zoneNames, categoryIndexByKey } = this.#event;
    const { quantity } = wish;
    const adjacent = wish.adjacent ?? true;
    const accessible = wish.accessible ?? false;
    const zone = wish.zone == null ? null : zoneNames.indexOf(wish.zone);
    if (zone === -1) {
      const named = zoneNames.slice(0, ZONES_NAMED_MAX).join(", ");
      const message = named === "" ? "is of no use: there are no seats" : `must be one of ${named}`;
      this.#fault(".bestAvailable.zone", message);
    }
    const category = wish.category == null ? null : categoryIndexByKey.get(wish.category);
    if (category === undefined) {
      this.#unknownCategories = [...(this.#unknownCategories ?? []), wish.category ?? ""];
    } else {
      this.#count += quantity;
      this.best = [...this.best, { quantity, category, zone, adjacent, accessible }];
    }
  }

  #fault(path: string, message: string): void {
    this.faults.push({ path: `${this.#path}[${this.#index}]${path}`, message });
  }
}

/** Names that the event does not have. */
export function unknown(
  code: "unknown_seat" | "unknown_area" | "unknown_category",
  member: string,
  names: readonly string[],
): DeskProblem {
  const detail = `This event has no ${names.map((name) => JSON.stringify(name)).join(", ")}`;
  return problem(code, { [member]: names, detail });
}
