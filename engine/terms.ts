import type { WaitlistEntryId } from "./ids.ts";
import type { Place } from "./place.ts";

/** Under which terms places are held or owned, where these are not the plain ones. */
export interface HoldTerms {
  /** Whose idea it was. */
  readonly source: "buyer" | "waitlist";
  /** The offer's entry in the waitlist; null: the hold is no offer. */
  readonly entryId: WaitlistEntryId | null;
  /** A use of this code is reserved; null: none. */
  readonly promoCode: string | null;
  /** The channel that it came by; null: none. */
  readonly channel: string | null;
  /** Its seats that are the channel's allotment, and areas of which all its places are. */
  readonly kept: readonly Place[];
  /** Why these seats, where the engine chose them. */
  readonly chosen: readonly ChosenGroup[];
}

/** Neighbouring seats that the engine chose: positions [from, from + count) of the hold's items. */
export interface ChosenGroup {
  readonly from: number;
  readonly count: number;
  /** Mean distance to the plan's focus, in its units. */
  readonly distance: number;
  /** Single free seats that the choice left behind. */
  readonly orphans: number;
}

/** Whether the places are, or were, a waitlist's offer. */
export const isOffer = (terms: HoldTerms | null): boolean => terms?.source === "waitlist";

export const PLAIN_TERMS: HoldTerms = {
  source: "buyer",
  entryId: null,
  promoCode: null,
  channel: null,
  kept: [],
  chosen: [],
};
