/** What is asked of web push, and what is answered. */
import Type from "typebox";
import { PUSH_ENDPOINT_CHARS_MAX } from "../../engine/push-limits.ts";
import { Id, Instant, listSchema, nullable } from "../http/answer-schemas.ts";
import { optional } from "../http/validation.ts";

/** Body of POST …/push-subscriptions: what a browser's `subscription.toJSON()` is. */
export const NewSubscriptionBody = Type.Object({
  endpoint: Type.String({
    format: "line",
    maxLength: PUSH_ENDPOINT_CHARS_MAX,
    description: "Where the browser's push service takes messages: https, at a public address.",
  }),
  keys: Type.Object({
    p256dh: Type.String({
      maxLength: 100,
      description: "The browser's public key: 65 bytes, base64url.",
    }),
    auth: Type.String({ maxLength: 100, description: "16 bytes, base64url." }),
  }),
  expirationTime: optional(
    Type.Number({ description: "Unix ms; null: until the push service says so." }),
  ),
});

export const PushKeyShape = Type.Object(
  { publicKey: Type.String({ description: "For `applicationServerKey`: base64url." }) },
  { $id: "PushKey" },
);

export const SubscriptionShape = Type.Object(
  {
    id: Id,
    endpoint: Type.String(),
    expiresAt: nullable(Instant),
    createdAt: Instant,
    subscribedAt: Instant,
  },
  { $id: "PushSubscription" },
);
export const SubscriptionPage = listSchema("PushSubscriptionPage", SubscriptionShape);
