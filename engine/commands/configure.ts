import { assertDefinition, type InventoryDefinition } from "../definition.ts";
import type { EventState } from "../event-state.ts";
import type { UserId } from "../ids.ts";
import type { Decision } from "../replies.ts";
import { accept, nextFact, refuse } from "./outcome.ts";

/**
 * Creates the event's inventory, or changes its sale rules. The places themselves are fixed from
 * then on, and an area's capacity is the actor's own (see change-places.ts).
 */
export interface Configure {
  readonly kind: "configure";
  readonly definition: InventoryDefinition;
  /** Default: the platform itself. */
  readonly by?: UserId;
}

export function configure(state: EventState, command: Configure, nowMs: number): Decision {
  assertDefinition(command.definition);
  const before = state.definition;
  const { by = null } = command;
  if (before === null) {
    const { definition } = command;
    return accept({ kind: "configured", ...nextFact(state, nowMs), definition, by });
  }
  if (!hasSamePlaces(before, command.definition)) return refuse({ code: "inventory_fixed" });
  const { areas, seatCategories, seatMap } = before;
  const definition = { ...command.definition, areas, seatCategories, seatMap };
  return accept({ kind: "configured", ...nextFact(state, nowMs), definition, by });
}

function hasSamePlaces(a: InventoryDefinition, b: InventoryDefinition): boolean {
  return (
    a.categories.length === b.categories.length &&
    a.seatCategories.length === b.seatCategories.length &&
    a.seatCategories.every((category, seat) => category === b.seatCategories[seat]) &&
    a.areas.length === b.areas.length &&
    a.areas.every((area, index) => {
      const other = b.areas[index];
      return other !== undefined && area.key === other.key && area.category === other.category;
    })
  );
}
