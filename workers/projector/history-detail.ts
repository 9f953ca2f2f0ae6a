/** Which facts an event's history keeps, and what of them. */
import { ticketIdOf } from "../../engine/booking.ts";
import type { InventoryDefinition } from "../../engine/definition.ts";
import type { BookingChanged, Fact, PlacesChanged } from "../../engine/facts.ts";
import type { Place } from "../../engine/place.ts";

export type HistoryFact = Exclude<
  Fact,
  { readonly kind: "held" | "extended" | "holdChanged" | "holdEnded" }
>;

/**
 * Holds are left out, and bookings that were confirmed at once: a row for each would double what a
 * sale writes.
 */
export function isHistory(fact: Fact): fact is HistoryFact {
  switch (fact.kind) {
    case "held":
    case "extended":
    case "holdChanged":
    case "holdEnded":
      return false;
    case "booked":
      return fact.booking.later !== null;
    default:
      return true;
  }
}

/**
 * What the other columns of the fact's row don't say, by kind:
 *
 *   configured              {status, salesOpenMs, salesCloseMs, prices: [{key, priceMinor}]}
 *   paymentStarted, booked  {provider, intentId, amountMinor}
 *   bookingChanged          {tickets: ids}, and by change:
 *     ticket_moved          {from, to}: seats' indexes; {priceMinor}: of the new one
 *     transferred           {userId, email}: of the new owner
 *     with a payment        {refunds}: all so far
 *   placesChanged           {blocks: [{channel, quantity, places}], capacities}
 *   queued                  {entryId, quantity, categories, priority}
 *   unqueued                {entryId}
 */
export function detailOf(fact: HistoryFact): Readonly<Record<string, unknown>> {
  switch (fact.kind) {
    case "configured":
      return detailOfTerms(fact.definition);
    case "paymentStarted":
    case "booked": {
      const payment = fact.booking.later?.payment;
      const { provider, intentId, amountMinor } = payment ?? {};
      return { provider, intentId, amountMinor };
    }
    case "bookingChanged":
      return detailOfChange(fact);
    case "placesChanged":
      return { blocks: blocksByChannel(fact), capacities: fact.capacities };
    case "queued": {
      const { entryId, quantity, categories, priority } = fact.entry;
      return { entryId, quantity, categories, priority };
    }
    case "unqueued":
      return { entryId: fact.entryId };
  }
}

/** What of a sale's terms buyers notice. */
function detailOfTerms({ status, salesOpenMs, salesCloseMs, categories }: InventoryDefinition) {
  const prices = categories.map(({ key, priceMinor }) => ({ key, priceMinor }));
  return { status, salesOpenMs, salesCloseMs, prices };
}

function detailOfChange({ booking, change, tickets, moves }: BookingChanged) {
  const detail: Record<string, unknown> = {
    tickets: tickets.map((index) => ticketIdOf(booking, index)),
  };
  if (change === "ticket_moved") {
    const item = booking.items[tickets[0] ?? -1];
    detail.from = moves[0]?.places[0];
    detail.to = item?.place;
    detail.priceMinor = item?.priceMinor;
  }
  if (change === "transferred") {
    detail.userId = booking.userId;
    detail.email = booking.email;
  }
  const refunds = booking.later?.payment?.refunds ?? [];
  if (refunds.length > 0) detail.refunds = refunds;
  return detail;
}

/** Thousands of seats may be blocked at once: each is one number. */
function blocksByChannel({ blocks }: PlacesChanged) {
  const groups = new Map<string, { channel: string; quantity: number; places: Place[] }>();
  for (const { place, channel, quantity } of blocks) {
    const name = `${quantity} ${channel}`;
    const group = groups.get(name) ?? { channel, quantity, places: [] };
    group.places.push(place);
    groups.set(name, group);
  }
  return [...groups.values()];
}

/** Who asked for it; null: nobody did, or it is not known. */
export function requesterOf(fact: HistoryFact): string | null {
  switch (fact.kind) {
    case "booked":
      return null;
    case "configured":
      return fact.by;
    case "paymentStarted":
      return fact.booking.userId;
    case "bookingChanged":
    case "placesChanged":
      return fact.by;
    case "queued":
      return fact.entry.userId;
    case "unqueued":
      return fact.reason === "left" ? fact.userId : null;
  }
}

export function reasonOf(fact: HistoryFact): string | null {
  return fact.kind === "bookingChanged" || fact.kind === "unqueued" ? fact.reason : null;
}
