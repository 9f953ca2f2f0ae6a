import type { EventState } from "../event-state.ts";
import { endOf, findHold } from "../holds.ts";
import type { HoldId, UserId } from "../ids.ts";
import type { Decision } from "../replies.ts";
import { accept, answer, refuse } from "./outcome.ts";

/** Gives a hold back. */
export interface Release {
  readonly kind: "release";
  readonly holdId: HoldId;
  readonly userId: UserId;
}

export function release(state: EventState, command: Release, nowMs: number): Decision {
  const found = findHold(state, command.holdId, command.userId);
  if (!("code" in found)) return accept(endOf(state, found, "released", nowMs));
  return found.code === "hold_released" ? answer({ kind: "unchanged" }) : refuse(found);
}
