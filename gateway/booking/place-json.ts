/** The parts that the JSON of holds and of bookings has in common, written down without a view. */
import type { ItemId } from "../../engine/ids.ts";
import { areaIndexOf, isSeat, type PlaceItem } from "../../engine/place.ts";
import type { EventEntry } from "../catalogue/event-directory.ts";

/** Text that is the same in JSON as it is. */
const PLAIN = /^[\w .:@+-]*$/;

export const quoted = (text = ""): string =>
  PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);

/** How an item's object begins: its id, what it is, and its price before any charge. */
export function placeMembers(event: EventEntry, id: ItemId, item: PlaceItem): string {
  const { place } = item;
  const name = isSeat(place)
    ? `"seat":${quoted(event.seatIds[place])}`
    : `"area":${quoted(event.areaKeys[areaIndexOf(place)])}`;
  const category = quoted(event.categoryKeys[item.category]);
  return `"id":"${id}",${name},"category":${category},"price":${item.priceMinor}`;
}

export const moneyJson = ({ currency }: EventEntry, amount: number): string =>
  `{"amount":${amount},"currency":${quoted(currency)}}`;
