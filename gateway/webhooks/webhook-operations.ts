import { PageQuery } from "../http/page.ts";
import { EXAMPLE } from "../openapi/example-values.ts";
import type { AnswerBody, Operations } from "../openapi/operation.ts";
import {
  DeliveryPage,
  NewWebhookBody,
  ReplayBody,
  ReplayShape,
  TestOutcome,
  WebhookChangesBody,
  WebhookPage,
  WebhookShape,
  WebhookWithSecret,
} from "./webhook-schemas.ts";

const tag = "Webhooks";
const PATH = "/api/v1/organizations/:id/webhooks";
const ONE = `${PATH}/:webhookId`;
const url = "https://example.org/evently";
const webhook = {
  id: EXAMPLE.webhook,
  url,
  description: "The accounts",
  types: ["booking.confirmed", "booking.cancelled"],
  enabled: true,
  disabledAt: null,
  disabledReason: null,
  oldSecretUntil: null,
  createdAt: EXAMPLE.past,
};
const withSecret = { ...webhook, secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" };
const attempt = { durationMs: 31, status: 200, error: null, answer: "ok" };

const one = (description: string): AnswerBody => ({
  description,
  schema: WebhookShape,
  example: webhook,
});
const secret = (description: string): AnswerBody => ({
  description,
  schema: WebhookWithSecret,
  example: withSecret,
});
const strangers = ["organization_not_found", "forbidden"] as const;
const codes = [...strangers, "webhook_not_found"] as const;

export const webhookOperations: Operations = {
  [`POST ${PATH}`]: {
    id: "addWebhook",
    tag,
    summary: "Be told of what happens",
    description:
      "For organisers: what happens to the organisation's events from now on is posted there, " +
      "signed as standardwebhooks.com has it. The secret is told this once.",
    access: "user",
    body: {
      name: "NewWebhook",
      schema: NewWebhookBody,
      examples: { all: { url }, some: { url, types: ["booking.confirmed"] } },
    },
    answers: {
      201: { ...secret("The webhook, with its secret."), headers: ["Location", "Cache-Control"] },
    },
    codes: [...strangers, "too_many"],
  },
  [`GET ${PATH}`]: {
    id: "listWebhooks",
    tag,
    summary: "The webhooks of an organisation",
    description: "For organisers; oldest first, without their secrets.",
    access: "user",
    query: PageQuery,
    answers: {
      200: {
        description: "A page of them.",
        schema: WebhookPage,
        example: { data: [webhook], nextCursor: null },
      },
    },
    codes: strangers,
  },
  [`GET ${ONE}`]: {
    id: "getWebhook",
    tag,
    summary: "One webhook",
    description: "For organisers.",
    access: "user",
    answers: { 200: one("The webhook.") },
    codes,
  },
  [`PATCH ${ONE}`]: {
    id: "changeWebhook",
    tag,
    summary: "Change a webhook",
    description:
      "For organisers. What is absent stays; `types` null: all of them. One that is not enabled " +
      "is told later, from where it was.",
    access: "user",
    body: {
      name: "WebhookChanges",
      schema: WebhookChangesBody,
      examples: { paused: { enabled: false }, moved: { url: `${url}/v2` } },
    },
    answers: { 200: one("As it is now.") },
    codes,
  },
  [`DELETE ${ONE}`]: {
    id: "removeWebhook",
    tag,
    summary: "Remove a webhook",
    description: "For organisers. It is told no more. Repeated: the same answer.",
    access: "user",
    answers: { 204: { description: "It is gone." } },
    codes,
  },
  [`POST ${ONE}/rotate-secret`]: {
    id: "rotateWebhookSecret",
    tag,
    summary: "Sign with a new secret",
    description:
      "For organisers. The one before signs along for 24 hours: messages have two signatures.",
    access: "user",
    answers: {
      200: { ...secret("The webhook, with its new secret."), headers: ["Cache-Control"] },
    },
    codes,
  },
  [`POST ${ONE}/enable`]: {
    id: "enableWebhook",
    tag,
    summary: "Enable a webhook that was disabled",
    description:
      "For organisers. It is told from where it was, at once: nothing is lost, and nothing waits " +
      "for a failure before.",
    access: "user",
    answers: { 200: one("As it is now.") },
    codes,
  },
  [`POST ${ONE}/test`]: {
    id: "testWebhook",
    tag,
    summary: "Send a test message",
    description:
      "For organisers. A message of the type `webhook.test` is posted at once, and once; the " +
      "answer tells how the receiver's was.",
    access: "user",
    answers: {
      200: {
        description: "What became of it.",
        schema: TestOutcome,
        example: { messageId: "msg_V2ckVu3ezcqwmkQJ8Sje", delivered: true, ...attempt },
      },
    },
    codes,
  },
  [`POST ${ONE}/replay`]: {
    id: "replayWebhook",
    tag,
    summary: "Be told again",
    description:
      "For organisers. The event's messages come again from this sequence number on, with the " +
      "same ids, and go on with what has not been told yet.",
    access: "user",
    body: {
      name: "WebhookReplay",
      schema: ReplayBody,
      examples: { plain: { eventId: EXAMPLE.event, fromSeq: 4711 } },
    },
    answers: {
      202: {
        description: "They are on their way, as soon as the webhook is enabled.",
        schema: ReplayShape,
        example: { eventId: EXAMPLE.event, fromSeq: 4711 },
      },
    },
    codes: [...codes, "event_not_found"],
  },
  [`GET ${ONE}/deliveries`]: {
    id: "listWebhookDeliveries",
    tag,
    summary: "What became of messages",
    description: "For organisers; of the last 14 days, newest first, with their last tries.",
    access: "user",
    query: PageQuery,
    answers: {
      200: {
        description: "A page of the log.",
        schema: DeliveryPage,
        example: {
          data: [
            {
              messageId: "msg_V2ckVu3ezcqwmkQJ8Sje",
              type: "booking.confirmed",
              eventId: EXAMPLE.event,
              seq: 4711,
              status: "delivered",
              tries: 1,
              attempts: [{ at: EXAMPLE.now, ...attempt }],
              nextTryAt: null,
            },
          ],
          nextCursor: null,
        },
      },
    },
    codes,
  },
};
