import Type from "typebox";
import type { Allotment } from "../../engine/commands/change-places.ts";
import {
  AREA_CAPACITY_MAX,
  AREAS_PER_EVENT_MAX,
  SEATS_PER_EVENT_MAX,
} from "../../engine/limits.ts";
import type { EventEntry } from "../catalogue/event-directory.ts";
import { compileSchema, type FieldError } from "../http/validation.ts";
import { type DeskProblem, invalid } from "./desk-result.ts";
import { unknown } from "./hold-request.ts";

const Name = Type.String({ minLength: 1, maxLength: 200 });
const Seats = Type.Array(Name, { maxItems: SEATS_PER_EVENT_MAX });
const Count = Type.Integer({ minimum: 0, maximum: AREA_CAPACITY_MAX });

/** Body of PATCH /events/{id}/inventory. */
export const InventoryBody = Type.Object({
  block: Type.Optional(Seats),
  unblock: Type.Optional(Seats),
  areas: Type.Optional(
    Type.Array(Type.Object({ key: Name, capacity: Count }), { maxItems: AREAS_PER_EVENT_MAX }),
  ),
  allotments: Type.Optional(
    Type.Array(
      Type.Object({
        key: Type.String({ format: "key" }),
        seats: Type.Optional(Seats),
        areas: Type.Optional(
          Type.Array(Type.Object({ key: Name, quantity: Count }), {
            maxItems: AREAS_PER_EVENT_MAX,
          }),
        ),
      }),
      { maxItems: 100 },
    ),
  ),
});
type InventoryBody = Type.Static<typeof InventoryBody>;
const checkInventory = compileSchema(InventoryBody);

export interface WantedPlaces {
  readonly block: readonly number[];
  readonly unblock: readonly number[];
  readonly allotments: readonly Allotment[];
  readonly capacities: readonly { readonly area: number; readonly capacity: number }[];
}

/** Turns the public names of a change into the engine's terms. */
export function wantedPlacesOf(input: unknown, event: EventEntry): WantedPlaces | DeskProblem {
  const checked = checkInventory(input);
  if (!checked.ok) return invalid(checked.errors);
  const body = checked.value;
  const faults = faultsOf(body);
  if (faults.length > 0) return invalid(faults);
  const unknownSeats: string[] = [];
  const unknownAreas: string[] = [];
  const seatsOf = (names: readonly string[] = []): number[] =>
    names.flatMap((name) => {
      const seat = event.seatIndexById.get(name);
      if (seat === undefined) unknownSeats.push(name);
      return seat ?? [];
    });
  const areaOf = (key: string): number => {
    const area = event.areaIndexByKey.get(key);
    if (area === undefined) unknownAreas.push(key);
    return area ?? 0;
  };
  const wanted = {
    block: seatsOf(body.block),
    unblock: seatsOf(body.unblock),
    allotments: (body.allotments ?? []).map(({ key, seats, areas = [] }) => ({
      channel: key,
      seats: seatsOf(seats),
      areas: areas.map((area) => ({ area: areaOf(area.key), quantity: area.quantity })),
    })),
    capacities: (body.areas ?? []).map(({ key, capacity }) => ({ area: areaOf(key), capacity })),
  };
  if (unknownSeats.length > 0) return unknown("unknown_seat", "seats", unknownSeats);
  if (unknownAreas.length > 0) return unknown("unknown_area", "areas", unknownAreas);
  return wanted;
}

/** What a change says twice, or in two ways. */
function faultsOf({ block = [], unblock = [], areas = [], allotments = [] }: InventoryBody) {
  const faults: FieldError[] = [];
  const blocked = new Set(block);
  for (const [index, seat] of unblock.entries()) {
    if (!blocked.has(seat)) continue;
    faults.push({ path: `unblock[${index}]`, message: "is in block, too" });
  }
  const resized = new Set<string>();
  for (const [index, { key }] of areas.entries()) {
    if (resized.has(key)) {
      faults.push({ path: `areas[${index}].key`, message: "names an area twice" });
    }
    resized.add(key);
  }
  const channels = new Set<string>();
  for (const [index, { key, areas: parts = [] }] of allotments.entries()) {
    const path = `allotments[${index}]`;
    if (channels.has(key)) faults.push({ path: `${path}.key`, message: "names a channel twice" });
    channels.add(key);
    const named = new Set<string>();
    for (const [n, part] of parts.entries()) {
      const at = `${path}.areas[${n}].key`;
      if (named.has(part.key)) faults.push({ path: at, message: "names an area twice" });
      else if (resized.has(part.key)) faults.push({ path: at, message: "is in areas, too" });
      named.add(part.key);
    }
  }
  return faults;
}
