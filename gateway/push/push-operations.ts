import { EXAMPLE } from "../openapi/example-values.ts";
import type { AnswerBody, Operations } from "../openapi/operation.ts";
import {
  NewSubscriptionBody,
  PushKeyShape,
  SubscriptionPage,
  SubscriptionShape,
} from "./push-schemas.ts";

const tag = "Web push";
const PATH = "/api/v1/users/me/push-subscriptions";
const endpoint = "https://push.example.org/send/dJ1Fz7";
const p256dh =
  "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const publicKey =
  "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";
const subscription = {
  id: EXAMPLE.subscription,
  endpoint,
  expiresAt: null,
  createdAt: EXAMPLE.past,
  subscribedAt: EXAMPLE.now,
};
const one = (description: string): AnswerBody => ({
  description,
  schema: SubscriptionShape,
  example: subscription,
});

export const pushOperations: Operations = {
  "GET /api/v1/push/vapid-key": {
    id: "getPushKey",
    tag,
    summary: "The key that browsers subscribe with",
    description: "For the browser's `pushManager.subscribe`. It stays the same.",
    access: "public",
    answers: { 200: { description: "The key.", schema: PushKeyShape, example: { publicKey } } },
  },
  [`POST ${PATH}`]: {
    id: "addPushSubscription",
    tag,
    summary: "Be told in this browser",
    description:
      "For people with an account: what becomes of their bookings is shown in the browser. The " +
      "body is its `subscription.toJSON()`. Repeated, it is the same subscription; a browser " +
      "tells whoever came last. Of more than 20, the oldest gives way.",
    access: "user",
    body: {
      name: "NewPushSubscription",
      schema: NewSubscriptionBody,
      examples: {
        plain: {
          endpoint,
          expirationTime: null,
          keys: { p256dh, auth: "BTBZMqHH6r4Tts7J_aSIgg" },
        },
      },
    },
    answers: { 200: one("It was known."), 201: one("It is new.") },
    codes: ["forbidden"],
  },
  [`GET ${PATH}`]: {
    id: "listPushSubscriptions",
    tag,
    summary: "The browsers that tell me",
    description: "All of them, the last ones first.",
    access: "user",
    answers: {
      200: {
        description: "All of them.",
        schema: SubscriptionPage,
        example: { data: [subscription], nextCursor: null },
      },
    },
    codes: ["forbidden"],
  },
  [`DELETE ${PATH}/:subscriptionId`]: {
    id: "removePushSubscription",
    tag,
    summary: "Be told no more in a browser",
    description: "One's own.",
    access: "user",
    answers: { 204: { description: "It is gone." } },
    codes: ["forbidden", "push_subscription_not_found"],
  },
};
