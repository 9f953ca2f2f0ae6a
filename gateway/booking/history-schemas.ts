/** What happened to a booking, or to an event, as history-view.ts shows it. */
import Type from "typebox";
import { Count, Id, Instant, listSchema, Money, nullable, Seq } from "../http/answer-schemas.ts";

const PlaceName = Type.String({ description: "A seat's id or an area's key." });

/** What an entry says beyond who, when and why; which members there are depends on the change. */
const detail = {
  prices: Type.Optional(Type.Array(Type.Object({ category: Type.String(), price: Money }))),
  salesOpenAt: Type.Optional(nullable(Instant)),
  salesCloseAt: Type.Optional(nullable(Instant)),
  tickets: Type.Optional(Type.Array(Id)),
  from: Type.Optional(PlaceName),
  to: Type.Optional(PlaceName),
  email: Type.Optional(Type.String()),
  provider: Type.Optional(Type.String()),
  amount: Type.Optional(Money),
  quantity: Type.Optional(Count),
  blocks: Type.Optional(
    Type.Array(
      Type.Object({
        allotment: nullable(Type.String()),
        quantity: Type.Integer(),
        places: Type.Array(PlaceName),
      }),
    ),
  ),
  areas: Type.Optional(Type.Array(Type.Object({ key: Type.String(), capacity: Count }))),
};

const change = Type.String({
  description: "booked, cancelled, ticket_moved, transferred, checked_in, configured …",
});
const reason = nullable(Type.String());

const HistoryEntry = Type.Object(
  {
    seq: Seq,
    at: Instant,
    change,
    by: Type.Object({
      who: Type.Enum(["you", "owner", "organiser", "system"]),
      userId: nullable(Id),
    }),
    reason,
    ...detail,
  },
  { $id: "HistoryEntry" },
);
export const HistoryPage = listSchema("HistoryPage", HistoryEntry);

const LogEntry = Type.Object(
  {
    seq: Seq,
    at: Instant,
    change,
    bookingId: nullable(Id),
    userId: nullable(Id),
    reason,
    ...detail,
  },
  { $id: "LogEntry" },
);
export const LogPage = listSchema("LogPage", LogEntry);
