import type { Charge } from "./charges.ts";

/**
 * A place is what a ticket admits to: one seat, or one unit of a standing area, as one integer.
 * Seats are their index (0, 1, 2 …); areas are the complement of theirs (−1, −2, −3 …).
 */
export type Place = number;

export const isSeat = (place: Place): boolean => place >= 0;
export const placeOfArea = (areaIndex: number): Place => -1 - areaIndex;
export const areaIndexOf = (place: Place): number => -1 - place;

/** One place of a hold or booking, with its category and what it costs, frozen when it was held. */
export interface PlaceItem {
  readonly place: Place;
  readonly category: number;
  /** The category's price. */
  readonly priceMinor: number;
  /** What is taken off and put on; null: nothing, the price is due. */
  readonly charge: Charge | null;
}

/** What the buyer of a place owes for it, minor units. */
export const dueMinor = ({ priceMinor, charge }: PlaceItem): number =>
  charge === null ? priceMinor : charge.dueMinor;

export function totalMinor(items: readonly PlaceItem[]): number {
  let sum = 0;
  for (const item of items) sum += dueMinor(item);
  return sum;
}
