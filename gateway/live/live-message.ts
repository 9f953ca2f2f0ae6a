/** What clients say, as far as all of it is the same; its op knows the rest. */
import Type from "typebox";
import type { ReadMessage, Said } from "../http/exchange.ts";
import { parseJsonText } from "../http/json-body.ts";
import { compileSchema } from "../http/validation.ts";

const Id = Type.Union([Type.String({ maxLength: 200 }), Type.Number()]);
export const Message = Type.Object({
  op: Type.String({ maxLength: 50 }),
  id: Type.Optional(Id),
  eventId: Type.Optional(Type.String({ maxLength: 100 })),
  token: Type.Optional(Type.String({ maxLength: 8_192 })),
  holdId: Type.Optional(Type.String({ maxLength: 100 })),
  bookingId: Type.Optional(Type.String({ maxLength: 100 })),
  ticketId: Type.Optional(Type.String({ maxLength: 100 })),
  since: Type.Optional(Type.Object({ epoch: Type.Number(), seq: Type.Number() })),
  idempotencyKey: Type.Optional(Type.String({ maxLength: 1_000 })),
  traceparent: Type.Optional(Type.String({ maxLength: 512 })),
});
export type Message = Type.Static<typeof Message>;
export const checkMessage = compileSchema(Message);

export function readMessage(said: Said): ReadMessage {
  if (typeof said !== "string") return said;
  const parsed = parseJsonText(said);
  return parsed.ok ? parsed : { ...parsed, code: "malformed_json" };
}
