import { PRICE_MINOR } from "../price.ts";

const PRICE = '"price":';
const TOTAL = '"total":{"amount":';

/** The total that the body of a hold or booking tells, minor units; null: it tells none. */
export function totalOf(body: string): number | null {
  const at = body.indexOf(TOTAL);
  return at === -1 ? null : numberAt(body, at + TOTAL.length);
}

/** What is wrong about the money in a hold or booking of so many places; null: nothing. */
export function priceFault(body: string, places: number): string | null {
  const total = totalOf(body);
  const due = places * PRICE_MINOR;
  if (total !== due) return `a total of ${total} for ${places} places, which cost ${due}`;
  let count = 0;
  for (let at = body.indexOf(PRICE); at !== -1; at = body.indexOf(PRICE, at + 1)) {
    count += 1;
    const price = numberAt(body, at + PRICE.length);
    if (price !== PRICE_MINOR) return `a price of ${price} for a place that costs ${PRICE_MINOR}`;
  }
  return count === places ? null : `${count} prices for ${places} places`;
}

function numberAt(body: string, start: number): number | null {
  let end = start;
  while (end < body.length && !",}".includes(body.charAt(end))) end += 1;
  const value = Number(body.slice(start, end));
  return end === start || Number.isNaN(value) ? null : value;
}
