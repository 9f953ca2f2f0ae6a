/** What rules of several facts ask of a hold. */
import type { HoldEnded } from "../../engine/facts.ts";
import type { ActiveHold } from "../../engine/hold-book.ts";
import type { EventId, HoldId } from "../../engine/ids.ts";
import { differences } from "./differences.ts";
import type { ModelState } from "./model-state.ts";
import { type Must, mustEqual } from "./rule.ts";

/** An id ends in the last ten hex digits of its event's: that is how requests find the event. */
export function checkFreshId(eventId: EventId, id: string, must: Must): void {
  must(id.slice(-10) === eventId.slice(-10), () => `id ${id} does not lead to the event`);
}

/** The hold, when it has not ended by a fact, whatever the time. */
export function heldHold(state: ModelState, holdId: HoldId, must: Must): ActiveHold | null {
  const hold = state.holds.get(holdId);
  const end = state.ends.get(holdId);
  must(hold !== undefined || end !== undefined, () => `hold ${holdId} never was`);
  must(hold !== undefined || end === undefined, () => {
    return `hold ${holdId} was ${end?.end} at seq ${end?.seq}`;
  });
  return hold ?? null;
}

export function liveHold(
  state: ModelState,
  { holdId }: { readonly holdId: HoldId },
  atMs: number,
  must: Must,
): ActiveHold | null {
  const hold = heldHold(state, holdId, must);
  if (hold === null) return null;
  must(atMs < hold.expiresAtMs, () => `hold ${holdId} was over at ${hold.expiresAtMs}`);
  return hold;
}

/** A fact repeats whose hold it is and what is in it. */
export function checkSameHold(
  hold: ActiveHold,
  said: Pick<ActiveHold, "userId" | "items" | "ordinals" | "terms">,
  must: Must,
): void {
  must(said.userId === hold.userId, () => `hold ${hold.holdId} is not of ${said.userId}`);
  const differ = differences("items", said.items, hold.items);
  must(differ.length === 0, () => differ.join(", "));
  mustEqual("ordinals", said.ordinals, hold.ordinals, must);
  mustEqual("terms", said.terms, hold.terms, must);
}

/** Why a hold may end at a moment without being booked. */
export function checkReason(
  state: ModelState,
  hold: ActiveHold,
  { reason, atMs }: { readonly reason: HoldEnded["reason"]; readonly atMs: number },
  must: Must,
): void {
  if (reason === "cancelled") {
    must(state.definition?.status === "cancelled", () => "the event is not cancelled");
  }
  if (reason === "released") {
    must(atMs < hold.expiresAtMs, () => `hold ${hold.holdId} was over at ${hold.expiresAtMs}`);
  }
  if (reason !== "expired") return;
  must(atMs >= hold.expiresAtMs, () => `it was due at ${hold.expiresAtMs}, not ${atMs}`);
  must(hold.expiresAtMs === state.due.firstMs, () => {
    return `it was due at ${hold.expiresAtMs}, but another at ${state.due.firstMs}`;
  });
}
