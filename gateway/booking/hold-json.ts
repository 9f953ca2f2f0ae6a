import { itemIdOf } from "../../engine/ids.ts";
import type { EventEntry } from "../catalogue/event-directory.ts";
import { iso } from "./instant.ts";
import { moneyJson, placeMembers } from "./place-json.ts";
import { holdView, type ShownHold } from "./views.ts";

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
    const id = itemIdOf(holdId, ordinals === null ? index : (ordinals[index] ?? index));
    list += `${index === 0 ? "" : ","}{${placeMembers(event, id, item)}}`;
    total += item.priceMinor;
  }
  return (
    `{"id":"${holdId}","eventId":"${event.eventId}","items":[${list}],` +
    `"total":${moneyJson(event, total)},"expiresAt":"${iso(hold.expiresAtMs)}",` +
    `"status":"active","seq":${seq}}`
  );
}

const encoded = (event: EventEntry, hold: ShownHold): string =>
  JSON.stringify(holdView(event, hold));
