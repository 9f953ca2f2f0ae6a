import type { Hall } from "../../hall/hall.ts";
import type { ChoiceRefusal } from "./choice-judge.ts";

type SeatIndexes = ReadonlyMap<string, number>;
type Groups = readonly (readonly number[])[];

/** A hold of seats that were chosen, as far as it is read. */
interface ToldHold {
  readonly items: readonly { readonly seat?: string }[];
  readonly bestAvailable?: readonly {
    readonly seats: readonly string[];
    readonly zone: string | null;
  }[];
}

interface ToldRefusal {
  readonly code: string;
  readonly available?: number;
  readonly seats?: readonly string[];
  readonly alternatives?: readonly (readonly { readonly seat: string; readonly group: number }[])[];
}

/** Seats of which those of one group are said to sit side by side; or what is wrong about them. */
export function readChoice(body: string, hall: Hall, indexes: SeatIndexes): Groups | string {
  const { items, bestAvailable = [] } = JSON.parse(body) as ToldHold;
  const held = items.map(({ seat = "" }) => seat);
  const grouped = bestAvailable.flatMap(({ seats }) => seats);
  if (held.toSorted().join() !== grouped.toSorted().join()) {
    return `held are ${held.join(", ")}, and chosen were ${grouped.join(", ")}`;
  }
  const groups: number[][] = [];
  for (const { seats, zone } of bestAvailable) {
    const group = seats.map((seat) => indexes.get(seat) ?? -1);
    if (group.includes(-1)) return `no seats: ${seats.join(", ")}`;
    const other = group.find((seat) => hall.zoneNames[hall.zones[seat] ?? 0] !== zone);
    if (other !== undefined) return `seat ${hall.ids[other]} is said to be in ${zone}`;
    groups.push(group);
  }
  return groups;
}

/** Seats of a hold that were asked for by name. */
export function readSeats(body: string, indexes: SeatIndexes): number[] {
  const { items } = JSON.parse(body) as ToldHold;
  return items.map(({ seat = "" }) => indexes.get(seat) ?? -1);
}

/** null: it is no refusal that such a wish may meet. */
export function readRefusal(body: string, indexes: SeatIndexes): ChoiceRefusal["told"] | null {
  const { code, available = -1, alternatives = [] } = JSON.parse(body) as ToldRefusal;
  if (code === "insufficient_capacity") return { code, available };
  if (code !== "no_adjacent_seats") return null;
  return {
    code,
    alternatives: alternatives.map((items) => {
      const groups = new Map<number, number[]>();
      for (const { seat, group } of items) {
        const seats = groups.get(group) ?? [];
        seats.push(indexes.get(seat) ?? -1);
        groups.set(group, seats);
      }
      return [...groups.values()];
    }),
  };
}

/** Seats that are refused by name; null: it says something else. */
export function readTaken(body: string, indexes: SeatIndexes): number[] | null {
  const { code, seats = [] } = JSON.parse(body) as ToldRefusal;
  return code === "seat_unavailable" ? seats.map((seat) => indexes.get(seat) ?? -1) : null;
}
