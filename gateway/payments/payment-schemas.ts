/** What payment routes answer. */
import Type from "typebox";
import { Count, Id } from "../http/answer-schemas.ts";

export const Received = Type.Object(
  { received: { ...Count, description: "Messages in it about payments of ours." } },
  { $id: "WebhookReceived" },
);

export const SandboxOutcome = Type.Object(
  {
    intentId: Id,
    eventId: Type.String({ description: "Of the provider's message." }),
    outcome: Type.Enum(["succeeded", "failed"]),
    delivered: Type.Boolean(),
    duplicate: Type.Optional(Type.Boolean()),
    processed: Type.Optional(
      Type.Boolean({ description: "false: its actor will hear of it later." }),
    ),
  },
  { $id: "SandboxOutcome" },
);
