import type { Fact } from "../../engine/facts.ts";
import type { ActiveHold } from "../../engine/hold-book.ts";
import type { Refusal } from "../../engine/replies.ts";
import type { WaitlistEntry } from "../../engine/waitlist.ts";
import type { WaitingReport } from "../../workers/shard-messages.ts";
import type { ModelBooking } from "./model-state.ts";

/** What is known of the instant at which an operation was decided. */
export interface Circumstances {
  /** The shard's logical time at the decision lay in [fromMs, toMs], both inclusive, Unix ms. */
  readonly fromMs: number;
  readonly toMs: number;
  /**
   * seq of the event's last fact before the operation. With it, `check` also knows what the
   * operation changed. Default: unknown.
   */
  readonly beforeSeq?: number;
  /** True when the actor may have been built again just before, see `reloaded`. Default: false. */
  readonly forgetful?: boolean;
}

/** One answer that would be true. */
export type Expected =
  /** The operation has to be accepted: the fact that it causes is missing. */
  | { readonly kind: "accepted" }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  /**
   * Seats are to be chosen: it is accepted, or refused in one of these ways, or because of what the
   * chooser finds free.
   */
  | { readonly kind: "choice"; readonly refusals: readonly Refusal[] }
  | { readonly kind: "unchanged" }
  /** The outcome of the first request with this key. */
  | { readonly kind: "replay"; readonly fact: Fact }
  /** The booking is as it is to become. */
  | { readonly kind: "booking"; readonly booking: Pick<ModelBooking, "record" | "seq"> }
  | { readonly kind: "waiting"; readonly entry: WaitlistEntry; readonly position: number }
  /** Any of the reasons of each in the line would be true. */
  | {
      readonly kind: "waitlist";
      readonly count: number;
      readonly line: readonly (Omit<WaitingReport, "reason"> & {
        readonly reasons: readonly string[];
      })[];
    }
  | { readonly kind: "hold"; readonly hold: ActiveHold }
  /** The inventory as it is; its text is compared field by field. */
  | { readonly kind: "view" }
  | { readonly kind: "actor" }
  | { readonly kind: "audit" };
