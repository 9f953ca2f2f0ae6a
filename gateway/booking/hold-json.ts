import { itemIdOf } from "../../engine/ids.ts";
import { areaIndexOf, isSeat } from "../../engine/place.ts";
import type { EventEntry } from "../catalogue/event-directory.ts";
import { iso } from "./instant.ts";
import { holdView, type ShownHold } from "./views.ts";

/** Text that is the same in JSON as it is. */
const PLAIN = /^[\w .:-]*$/;

const quoted = (text = ""): string => (PLAIN.test(text) ? `"${text}"` : JSON.stringify(text));

/**
 * The JSON of `holdView`. A hold that is nothing but places and prices, as nearly all are, is
 * written down at once: half of what it takes to make the view and to encode it.
 */
export function holdJson(event: EventEntry, hold: ShownHold): string {
  const { holdId, items, ordinals, terms, seq } = hold;
  if (terms !== null || ("paying" in hold && hold.paying !== null)) return encoded(event, hold);
  let total = 0;
  let list = "";
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index];
    if (item === undefined || item.charge !== null) return encoded(event, hold);
    const { place, category, priceMinor: price } = item;
    const id = itemIdOf(holdId, ordinals === null ? index : (ordinals[index] ?? index));
    const name = isSeat(place)
      ? `"seat":${quoted(event.seatIds[place])}`
      : `"area":${quoted(event.areaKeys[areaIndexOf(place)])}`;
    const key = quoted(event.categoryKeys[category]);
    list += `${index === 0 ? "" : ","}{"id":"${id}",${name},"category":${key},"price":${price}}`;
    total += price;
  }
  const money = `{"amount":${total},"currency":${quoted(event.currency)}}`;
  return (
    `{"id":"${holdId}","eventId":"${event.eventId}","items":[${list}],"total":${money},` +
    `"expiresAt":"${iso(hold.expiresAtMs)}","status":"active","seq":${seq}}`
  );
}

const encoded = (event: EventEntry, hold: ShownHold): string =>
  JSON.stringify(holdView(event, hold));
