/** Venues and seating plans as they are kept, and the names that events are found by. */
import Type from "typebox";
import { Count, Id, Instant, listSchema } from "../http/answer-schemas.ts";
import { venueMembers } from "./event-schemas.ts";

const kept = { createdAt: Instant, updatedAt: Instant };

export const KeptVenue = Type.Object({ id: Id, ...venueMembers, ...kept }, { $id: "KeptVenue" });
export const KeptVenuePage = listSchema("KeptVenuePage", KeptVenue);

const planMembers = {
  id: Id,
  name: Type.String(),
  seatCount: Count,
  categories: Type.Array(Type.String(), { description: "Those of the plan, by name." }),
  ...kept,
};
export const PlanEntry = Type.Object(planMembers, { $id: "SeatingPlanEntry" });
export const PlanEntryPage = listSchema("SeatingPlanPage", PlanEntry);
export const KeptPlan = Type.Object(
  { ...planMembers, plan: Type.Unknown({ description: "In the pretix format, as it was given." }) },
  { $id: "SeatingPlan" },
);

const NameCount = Type.Object(
  {
    name: Type.String(),
    events: Type.Integer({ minimum: 1, description: "Published events that have it." }),
  },
  { $id: "NameCount" },
);
export const NameCountPage = listSchema("NameCountPage", NameCount);
