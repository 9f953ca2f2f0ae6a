import Type from "typebox";
import { PLACES_PER_HOLD_MAX } from "../../engine/limits.ts";
import type { Place } from "../../engine/place.ts";
import { placeOfArea } from "../../engine/place.ts";
import type { EventEntry } from "../catalogue/event-directory.ts";
import { compileSchema, type FieldError, validationFailed } from "../http/validation.ts";
import type { DeskProblem } from "./desk-result.ts";

const SeatItem = Type.Object({ seat: Type.String({ minLength: 1, maxLength: 200 }) });
const AreaItem = Type.Object({
  area: Type.String({ minLength: 1, maxLength: 200 }),
  quantity: Type.Integer({ minimum: 1, maximum: PLACES_PER_HOLD_MAX }),
});

/** Body of POST /events/{id}/holds. */
export const HoldBody = Type.Object({
  items: Type.Array(
    Type.Object({
      seat: Type.Optional(SeatItem.properties.seat),
      area: Type.Optional(AreaItem.properties.area),
      quantity: Type.Optional(AreaItem.properties.quantity),
      bestAvailable: Type.Optional(Type.Unknown()),
    }),
    { minItems: 1, maxItems: PLACES_PER_HOLD_MAX },
  ),
  promoCode: Type.Optional(Type.Unknown()),
});
export type HoldBody = Type.Static<typeof HoldBody>;
export const holdBody = compileSchema(HoldBody);

/** Turns the public names of a hold's items into places; a quantity becomes that many places. */
export function placesOf(body: HoldBody, event: EventEntry): Place[] | DeskProblem {
  const places: Place[] = [];
  const faults: FieldError[] = [];
  const unknownSeats: string[] = [];
  const unknownAreas: string[] = [];
  const seats = new Set<number>();
  if (body.promoCode !== undefined) {
    faults.push({ path: "promoCode", message: "is not available yet" });
  }
  for (const [index, item] of body.items.entries()) {
    const fault = faultOf(item);
    if (fault !== null) {
      faults.push({ path: `items[${index}]${fault.path}`, message: fault.message });
    } else if (item.seat !== undefined) {
      const seat = event.seatIndexById.get(item.seat);
      if (seat === undefined) unknownSeats.push(item.seat);
      else if (seats.has(seat)) {
        faults.push({ path: `items[${index}].seat`, message: "names a seat twice" });
      } else {
        seats.add(seat);
        places.push(seat);
      }
    } else if (item.area !== undefined) {
      const area = event.areaIndexByKey.get(item.area);
      if (area === undefined) unknownAreas.push(item.area);
      else for (let n = 0; n < (item.quantity ?? 1); n += 1) places.push(placeOfArea(area));
    }
  }
  if (faults.length > 0) return problem("validation_failed", validationFailed(faults).members);
  if (unknownSeats.length > 0) return problem("unknown_seat", { seats: unknownSeats });
  if (unknownAreas.length > 0) return problem("unknown_area", { areas: unknownAreas });
  if (places.length > PLACES_PER_HOLD_MAX) {
    return problem("limit_exceeded", { limit: PLACES_PER_HOLD_MAX, current: places.length });
  }
  return places;
}

/** An item is a seat, or an area with a quantity. */
function faultOf(item: HoldBody["items"][number]): FieldError | null {
  if (item.bestAvailable !== undefined) {
    return { path: ".bestAvailable", message: "is not available yet" };
  }
  if (item.seat !== undefined && item.area === undefined) {
    const single = item.quantity === undefined || item.quantity === 1;
    return single ? null : { path: ".quantity", message: "must be 1: a seat is one place" };
  }
  if (item.area !== undefined && item.seat === undefined) {
    if (item.quantity !== undefined) return null;
    return { path: ".quantity", message: "is missing: an area needs a quantity" };
  }
  return { path: "", message: "must be a seat, or an area with a quantity" };
}

function problem(code: DeskProblem["code"], members: DeskProblem["members"]): DeskProblem {
  return { kind: "problem", code, members };
}
