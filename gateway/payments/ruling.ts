/**
 * What a provider's message means for an intent: the one table that makes duplicates, late and
 * reordered messages harmless. Pure, so that the table can be tested whole.
 *
 *   intent is \ says   succeeded          other amount      failed, canceled
 *   open               settle             giveBack          settle
 *   failed, canceled   settle (late)      giveBack          settle, or known
 *   succeeded          settle, or known   mismatch          outdated
 *   mismatch           mismatch           giveBack, or …    outdated
 *
 * "or known": once the actor has taken notice, saying the same again changes nothing.
 */
import type { PaymentOutcome, ProviderEvent } from "./payment-provider.ts";

export type IntentStatus = "open" | PaymentOutcome | "mismatch";

/** An intent as far as a ruling depends on it. */
export interface RuledIntent {
  readonly provider: string;
  readonly providerRef: string | null;
  readonly amountMinor: number;
  readonly currency: string;
  readonly status: IntentStatus;
  readonly isSettled: boolean;
}

/** Why a message is put away without telling the actor. */
export type PutAway =
  /** We never asked that provider for this payment: somebody else's, or another database's. */
  | "foreign"
  /** The actor knows. */
  | "known"
  /** Something later is known already. */
  | "outdated"
  /** A second amount for an intent that has had its one payment: a person has to look. */
  | "mismatch";

export type Ruling =
  | { readonly kind: "putAway"; readonly result: PutAway }
  /** The intent becomes `status`, and the actor is told so. */
  | { readonly kind: "settle"; readonly status: PaymentOutcome }
  /** Not what was asked for: it buys nothing, goes back as it came, and the booking has failed. */
  | { readonly kind: "giveBack" };

const putAway = (result: PutAway): Ruling => ({ kind: "putAway", result });

export function rulingOf(
  intent: RuledIntent | null,
  provider: string,
  event: Pick<ProviderEvent, "outcome" | "amountMinor" | "currency" | "providerRef">,
): Ruling {
  if (intent === null || intent.provider !== provider) return putAway("foreign");
  const { providerRef } = event;
  const isOther = intent.providerRef !== null && providerRef !== null;
  if (isOther && intent.providerRef !== providerRef) return putAway("foreign");
  if (event.outcome !== "succeeded") return rulingOnEnd(intent, event.outcome);
  const isRight = event.amountMinor === intent.amountMinor && event.currency === intent.currency;
  return isRight ? rulingOnPayment(intent) : rulingOnMismatch(intent);
}

function rulingOnEnd(intent: RuledIntent, outcome: "failed" | "canceled"): Ruling {
  switch (intent.status) {
    case "succeeded":
    case "mismatch":
      return putAway("outdated");
    case "failed":
    case "canceled":
      return intent.isSettled ? putAway("known") : { kind: "settle", status: intent.status };
    case "open":
      return { kind: "settle", status: outcome };
  }
}

function rulingOnPayment(intent: RuledIntent): Ruling {
  if (intent.status === "mismatch") return putAway("mismatch");
  const isKnown = intent.status === "succeeded" && intent.isSettled;
  return isKnown ? putAway("known") : { kind: "settle", status: "succeeded" };
}

function rulingOnMismatch(intent: RuledIntent): Ruling {
  if (intent.status === "succeeded") return putAway("mismatch");
  const isKnown = intent.status === "mismatch" && intent.isSettled;
  return isKnown ? putAway("mismatch") : { kind: "giveBack" };
}
