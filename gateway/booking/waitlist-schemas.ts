/** Places in the line, as waitlist-desk.ts shows them. */
import Type from "typebox";
import { Count, Id, Instant, nullable, Seq } from "../http/answer-schemas.ts";
import { Hold } from "./booking-schemas.ts";

const entry = {
  id: Id,
  eventId: Id,
  position: Type.Integer({ minimum: 0, description: "From 1; 0: nobody waits here any more." }),
  quantity: Type.Integer({ minimum: 1 }),
};
const wish = {
  categories: nullable(Type.Array(Type.String(), { description: "null: any." })),
  priority: Type.Integer({ minimum: 0, maximum: 100 }),
  joinedAt: Instant,
};

/** Once places are offered, the hold takes the wish's place. */
export const WaitlistEntry = Type.Object(
  {
    ...entry,
    categories: Type.Optional(wish.categories),
    priority: Type.Optional(wish.priority),
    joinedAt: Type.Optional(wish.joinedAt),
    status: Type.Enum(["waiting", "offered", "over"]),
    offer: Type.Optional(Hold),
    seq: Seq,
  },
  { $id: "WaitlistEntry" },
);

const WaitingParty = Type.Object(
  {
    ...entry,
    ...wish,
    status: Type.Literal("waiting"),
    seq: Seq,
    userId: Id,
    skips: Type.Integer({ minimum: 0, description: "How often later ones were served first." }),
    reason: Type.Enum([
      "event_cancelled",
      "sales_not_open",
      "sales_closed",
      "limit_exceeded",
      "too_few_places",
      "after_others",
    ]),
  },
  { $id: "WaitingParty" },
);

export const WaitlistPage = Type.Object(
  {
    data: Type.Array(WaitingParty),
    nextCursor: nullable(Type.String()),
    count: Count,
    seq: Seq,
  },
  { $id: "WaitlistPage" },
);
