/** What is free, as live-view.ts shows it over HTTP and over the WebSocket. */
import Type from "typebox";
import { Count, Id } from "../http/answer-schemas.ts";

export const Epoch = Type.Integer({
  minimum: 0,
  description: "Counts within one `seq` hold only together with the same epoch.",
});

export const totals = { free: Count, held: Count, sold: Count, blocked: Count };

export const AreaCounts = Type.Object(
  {
    key: Type.String(),
    capacity: Count,
    free: Count,
    held: Count,
    sold: Count,
    blocked: Type.Optional({ ...Count, description: "Absent: 0." }),
  },
  { $id: "AreaCounts" },
);

export const SeatStatuses = Type.String({
  pattern: "^[fhsb]*$",
  description: "One character a seat, in index order: free, held, sold, blocked.",
});

export const Availability = Type.Object(
  {
    eventId: Id,
    epoch: Epoch,
    seq: Type.Integer({ minimum: 0, description: "The event's seq that these counts are of." }),
    status: Type.Enum(["published", "cancelled"]),
    capacity: Count,
    ...totals,
    categories: Type.Array(
      Type.Object({
        key: Type.String(),
        free: Count,
        price: Type.Integer({ minimum: 0, description: "Minor units." }),
      }),
    ),
    areas: Type.Array(AreaCounts),
    statuses: Type.Optional(SeatStatuses),
  },
  {
    $id: "Availability",
    description: "`free + held + sold + blocked = capacity`, always.",
  },
);
