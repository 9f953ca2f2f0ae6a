import type { HoldId, IntentId, ItemId, RefundId, WaitlistEntryId } from "../../engine/ids.ts";

/**
 * The id that comes n after this one. Time and counter are 60 bits, with the version's digit
 * between their last twelve and the rest; what follows them stays.
 */
function idAfter(id: string, n: number): string {
  const [high = "", middle = "", low = "", ...tail] = id.split("-");
  const count = BigInt(`0x${high}${middle}${low.slice(1)}`) + BigInt(n);
  const hex = count.toString(16).padStart(15, "0");
  return [hex.slice(0, 8), hex.slice(8, 12), `7${hex.slice(12)}`, ...tail].join("-");
}

/** A hold's items, tickets later, have the ids after its own. */
export const itemIdIn = (holdId: HoldId, ordinal: number): ItemId =>
  idAfter(holdId, ordinal + 1) as ItemId;

/** So have the refunds of a payment. */
export const refundIdIn = (intentId: IntentId, ordinal: number): RefundId =>
  idAfter(intentId, ordinal + 1) as RefundId;

/** What is offered to who waits has the id after theirs. */
export const offerIdIn = (entryId: WaitlistEntryId): HoldId => idAfter(entryId, 1) as HoldId;
