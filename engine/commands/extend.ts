import type { EventState } from "../event-state.ts";
import type { CommandKey } from "../facts.ts";
import { findHold } from "../holds.ts";
import type { HoldId, UserId } from "../ids.ts";
import { HOLD_LIFETIME_TTLS_MAX } from "../limits.ts";
import type { Decision } from "../replies.ts";
import { accept, nextFact, refuse } from "./outcome.ts";

/** Gives a hold the event's time once more, never past twice that from its creation. */
export interface Extend {
  readonly kind: "extend";
  readonly holdId: HoldId;
  readonly userId: UserId;
  readonly key: CommandKey | null;
}

export function extend(state: EventState, command: Extend, nowMs: number): Decision {
  const found = findHold(state, command.holdId, command.userId);
  if ("code" in found) return refuse(found);
  const ttlMs = state.definition?.holdTtlMs ?? 0;
  const capMs = found.createdAtMs + HOLD_LIFETIME_TTLS_MAX * ttlMs;
  const expiresAtMs = Math.min(found.expiresAtMs + ttlMs, capMs);
  if (state.definition?.status === "cancelled") return refuse({ code: "event_cancelled" });
  if (found.extended || found.paying !== null || expiresAtMs <= found.expiresAtMs) {
    return refuse({ code: "hold_not_extendable" });
  }
  const { holdId, userId, items, ordinals, terms } = found;
  const hold = { holdId, userId, items, ordinals, terms, expiresAtMs };
  return accept({ kind: "extended", ...nextFact(state, nowMs, command.key), ...hold });
}
