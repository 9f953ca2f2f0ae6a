/** What is asked of webhooks, and what is answered. */
import Type from "typebox";
import {
  WEBHOOK_DESCRIPTION_CHARS_MAX,
  WEBHOOK_URL_CHARS_MAX,
} from "../../engine/notifier-limits.ts";
import { Count, Id, Instant, listSchema, nullable } from "../http/answer-schemas.ts";
import { optional } from "../http/validation.ts";
import { WEBHOOK_TYPES } from "./webhook-types.ts";

const Url = Type.String({
  format: "line",
  maxLength: WEBHOOK_URL_CHARS_MAX,
  description: "Where messages are posted: https, at a public address.",
});
const Description = Type.String({ format: "text", maxLength: WEBHOOK_DESCRIPTION_CHARS_MAX });
const Types = Type.Array(Type.Enum([...WEBHOOK_TYPES]), { minItems: 1, maxItems: 50 });
const terms = {
  description: Type.Optional(Description),
  types: optional(Types),
  enabled: Type.Optional(Type.Boolean()),
};

/** Body of POST …/webhooks. */
export const NewWebhookBody = Type.Object({ url: Url, ...terms });
/** Body of PATCH …/webhooks/{id}: what is absent stays; types null: all of them. */
export const WebhookChangesBody = Type.Object({ url: Type.Optional(Url), ...terms });
/** Body of POST …/webhooks/{id}/replay. */
export const ReplayBody = Type.Object({
  eventId: Type.String({ format: "id" }),
  fromSeq: Type.Integer({
    minimum: 1,
    maximum: Number.MAX_SAFE_INTEGER,
    description: "The first message is the one with this seq, or the next one after it.",
  }),
});

const members = {
  id: Id,
  url: Type.String(),
  description: Type.String(),
  types: nullable(
    Type.Array(Type.String(), { description: "What it is told of; null: everything." }),
  ),
  enabled: Type.Boolean(),
  disabledAt: nullable(Instant),
  disabledReason: nullable(
    Type.Enum(["gone", "failing"], {
      description: "Why it was disabled: its receiver said 410, or failed for three days.",
    }),
  ),
  oldSecretUntil: nullable(Instant),
  createdAt: Instant,
};
const Secret = Type.String({ description: "Signs the messages. It is told this once." });

export const WebhookShape = Type.Object(members, { $id: "Webhook" });
export const WebhookPage = listSchema("WebhookPage", WebhookShape);
export const WebhookWithSecret = Type.Object(
  { ...members, secret: Secret },
  { $id: "WebhookWithSecret" },
);

const tryMembers = {
  durationMs: Count,
  status: nullable(Type.Integer({ description: "Of the answer; null: there was none." })),
  error: nullable(
    Type.String({ description: "Why there was no answer: `timeout`, `address_refused` …" }),
  ),
  answer: nullable(Type.String({ description: "Its first characters." })),
};

export const TestOutcome = Type.Object(
  { messageId: Type.String(), delivered: Type.Boolean(), ...tryMembers },
  { $id: "WebhookTest" },
);

export const ReplayShape = Type.Object(
  { eventId: Id, fromSeq: Type.Integer({ minimum: 1 }) },
  { $id: "WebhookReplayStarted" },
);

const DeliveryShape = Type.Object(
  {
    messageId: Type.String(),
    type: Type.String(),
    eventId: Id,
    seq: Type.Integer({ minimum: 1 }),
    status: Type.Enum(["delivered", "failing"]),
    tries: Type.Integer({ minimum: 1 }),
    attempts: Type.Array(Type.Object({ at: Instant, ...tryMembers }), {
      description: "The last ones, newest first.",
    }),
    nextTryAt: nullable(Instant),
  },
  { $id: "WebhookDelivery" },
);
export const DeliveryPage = listSchema("WebhookDeliveryPage", DeliveryShape);
