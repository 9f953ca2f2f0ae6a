/**
 * A seating plan as the bench knows it, which made it: so whoever is given seats can tell what they
 * were given. Plain data, by index of a seat in the plan's order; it travels to threads.
 */
export interface Hall {
  readonly ids: readonly string[];
  readonly zoneNames: readonly string[];
  readonly categoryNames: readonly string[];
  /** Index of the zone, each. */
  readonly zones: Uint16Array;
  /** Index of the price category, each. */
  readonly categories: Uint8Array;
  /** 1: for a wheelchair. */
  readonly wheelchairs: Uint8Array;
  /** Seats side by side have spots that follow each other; between two rows one is left out. */
  readonly spots: Uint32Array;
}

/** Of a party who has the seats chosen for them, as the engine's own `BestWanted`. */
export interface Wish {
  readonly quantity: number;
  /** null: any. */
  readonly category: number | null;
  readonly zone: number | null;
  /** Only seats side by side will do. */
  readonly adjacent: boolean;
  readonly accessible: boolean;
}

/** Of the price category that seats of a plan's category belong to. */
export const categoryKey = (name: string): string => name.toLowerCase();

/** Whether the party may be given this seat. */
export function isWished(hall: Hall, { category, zone, accessible }: Wish, seat: number): boolean {
  if (category !== null && hall.categories[seat] !== category) return false;
  if (zone !== null && hall.zones[seat] !== zone) return false;
  return accessible || hall.wheelchairs[seat] === 0;
}

/** Side by side, whatever their order in the list. */
export function isTogether({ spots }: Hall, seats: readonly number[]): boolean {
  const sorted = seats.map((seat) => spots[seat] ?? 0).sort((a, b) => a - b);
  return sorted.every((spot, n) => spot === (sorted[0] ?? 0) + n);
}

/**
 * What is wrong with seats that were chosen for a party, or offered to it; null: nothing. `groups`:
 * those of one are said to sit side by side.
 */
export function choiceFault(
  hall: Hall,
  wish: Wish,
  groups: readonly (readonly number[])[],
): string | null {
  const seats = groups.flat();
  if (seats.length !== wish.quantity) return `${seats.length} seats for ${wish.quantity}`;
  if (new Set(seats).size !== seats.length) return "one seat twice";
  const other = seats.find((seat) => !isWished(hall, wish, seat));
  if (other !== undefined)
    return `seat ${hall.ids[other]}, which is not of the kind that was asked for`;
  if (wish.accessible && seats.every((seat) => hall.wheelchairs[seat] === 0)) {
    return "no seat for the wheelchair";
  }
  if (wish.adjacent && groups.length !== 1) return `${groups.length} groups that should be one`;
  const apart = groups.find((group) => !isTogether(hall, group));
  if (apart === undefined) return null;
  return `seats that are not side by side: ${apart.map((seat) => hall.ids[seat]).join(", ")}`;
}
