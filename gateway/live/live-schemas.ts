/** What the server says over a WebSocket. */
import Type, { type TSchema } from "typebox";
import { BOOKING_EXAMPLE } from "../booking/booking-operations.ts";
import { Booking, Hold } from "../booking/booking-schemas.ts";
import { HOLD_EXAMPLE } from "../booking/hold-operations.ts";
import { Count, Id, Seq } from "../http/answer-schemas.ts";
import { EXAMPLE } from "../openapi/example-values.ts";
import { AreaCounts, Epoch, SeatStatuses, totals } from "./availability-schemas.ts";

export interface ServerMessage {
  readonly description: string;
  readonly schema: TSchema;
  readonly example: unknown;
}

/** Repeats what the question had, so that answers find theirs. */
const QuestionId = Type.Optional(Type.Union([Type.String(), Type.Number()]));
const counts = { free: 500, held: 1, sold: 1, blocked: 0 };

const availability: Readonly<Record<string, ServerMessage>> = {
  snapshot: {
    description: "The answer to `subscribe`: everything, at one seq.",
    schema: Type.Object({
      op: Type.Literal("snapshot"),
      eventId: Id,
      epoch: Epoch,
      seq: Count,
      statuses: SeatStatuses,
      areas: Type.Array(AreaCounts),
      ...totals,
    }),
    example: {
      op: "snapshot",
      eventId: EXAMPLE.event,
      epoch: 3,
      seq: 4715,
      statuses: "hf",
      areas: [{ key: "floor", capacity: 500, free: 499, held: 0, sold: 1 }],
      ...counts,
    },
  },
  delta: {
    description:
      "What changed: `from` equals the last `to`. A gap or another `epoch` means: subscribe again.",
    schema: Type.Object({
      op: Type.Literal("delta"),
      eventId: Id,
      epoch: Epoch,
      from: Count,
      to: Count,
      seats: Type.Array(
        Type.Array(Type.Union([Count, Type.Enum(["f", "h", "s", "b"])]), {
          minItems: 2,
          maxItems: 2,
          description: "Index and status.",
        }),
      ),
      areas: Type.Array(AreaCounts),
      ...totals,
    }),
    example: {
      op: "delta",
      eventId: EXAMPLE.event,
      epoch: 3,
      from: 4715,
      to: 4716,
      seats: [[0, "s"]],
      areas: [],
      ...counts,
    },
  },
  unsubscribed: {
    description: "The answer to `unsubscribe`.",
    schema: Type.Object({ op: Type.Literal("unsubscribed"), eventId: Id }),
    example: { op: "unsubscribed", eventId: EXAMPLE.event },
  },
};

const answers: Readonly<Record<string, ServerMessage>> = {
  reply: {
    description:
      "The answer to all other ops: status and body as over HTTP, but without `requestId` in " +
      "problems. `replayed`: the first outcome of a repeated request.",
    schema: Type.Object({
      op: Type.Literal("reply"),
      id: QuestionId,
      status: Type.Integer(),
      body: Type.Unknown(),
      replayed: Type.Optional(Type.Literal(true)),
    }),
    example: { op: "reply", id: 1, status: 201, body: HOLD_EXAMPLE },
  },
  error: {
    description: "What made no sense, or can't be had. The connection stays.",
    schema: Type.Object({
      op: Type.Literal("error"),
      id: QuestionId,
      code: Type.String({
        description:
          "malformed_json, malformed_msgpack, validation_failed, unsupported_frame, unknown_op, " +
          "unauthenticated, event_not_found, too_many_subscriptions, busy …",
      }),
      detail: Type.String(),
    }),
    example: { op: "error", id: 1, code: "unknown_op", detail: 'There is no op "dance".' },
  },
};

const personal: Readonly<Record<string, ServerMessage>> = {
  "hold.expired": {
    description: "To the owner: a hold ended by itself.",
    schema: Type.Object({
      op: Type.Literal("hold.expired"),
      eventId: Id,
      holdId: Id,
      reason: Type.Enum(["expired", "event_cancelled"]),
      seq: Seq,
    }),
    example: {
      op: "hold.expired",
      eventId: EXAMPLE.event,
      holdId: EXAMPLE.hold,
      reason: "expired",
      seq: 4790,
    },
  },
  "waitlist.offer": {
    description: "To who waited: places are held for them.",
    schema: Type.Object({ op: Type.Literal("waitlist.offer"), eventId: Id, hold: Hold }),
    example: {
      op: "waitlist.offer",
      eventId: EXAMPLE.event,
      hold: { ...HOLD_EXAMPLE, source: "waitlist" },
    },
  },
  "booking.updated": {
    description: "To the owner: a booking was confirmed by money, or changed in another way.",
    schema: Type.Object({ op: Type.Literal("booking.updated"), eventId: Id, booking: Booking }),
    example: { op: "booking.updated", eventId: EXAMPLE.event, booking: BOOKING_EXAMPLE },
  },
};

/** By op. */
export const SERVER_MESSAGES = { ...availability, ...answers, ...personal };
