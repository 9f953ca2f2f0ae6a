import type { MailKind } from "./mail-order.ts";

/**
 * What a reader may do without: it repeats or advertises. All else answers what its reader did
 * (booked, cancelled, waits in line, registered) or says that what they paid for has changed; who
 * could refuse that in one click, or whose mail program did, would stand before a closed door. An
 * offer of the waitlist runs out for who does not hear of it: it ends by leaving the line.
 *
 * These also come in thousands at a time, so they have connections of their own: nothing else waits
 * behind them.
 */
export const OPTIONAL_KINDS = ["reminder", "campaign"] as const satisfies readonly MailKind[];
export type OptionalKind = (typeof OPTIONAL_KINDS)[number];

export function isOptional(kind: MailKind): kind is OptionalKind {
  return OPTIONAL_KINDS.some((one) => one === kind);
}

/** In place of an organisation: all of them. */
export const ALL_ORGANIZATIONS = "00000000-0000-0000-0000-000000000000";
