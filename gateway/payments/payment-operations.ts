import { EXAMPLE } from "../openapi/example-values.ts";
import type { Operation, Operations } from "../openapi/operation.ts";
import { SandboxBody } from "./payment-routes.ts";
import { Received, SandboxOutcome } from "./payment-schemas.ts";

const tag = "Payments";

const simulation = (
  outcome: "succeeded" | "failed",
  { id, summary }: Pick<Operation, "id" | "summary">,
): Operation => ({
  id,
  tag,
  summary,
  description:
    "Play money, where the sandbox is on: open to everyone who knows the intent's id. The same " +
    "`eventId` twice is a duplicate.",
  access: "public",
  body: {
    name: "SandboxPayment",
    schema: SandboxBody,
    isOptional: true,
    examples: { plain: {}, duplicate: { eventId: "evt_1" } },
  },
  answers: {
    200: {
      description: "What the provider has said.",
      schema: SandboxOutcome,
      example: {
        intentId: EXAMPLE.intent,
        eventId: "evt_1",
        outcome,
        delivered: true,
        duplicate: false,
        processed: true,
      },
    },
  },
  codes: ["payment_provider_unknown", "intent_not_found"],
});

export const paymentOperations: Operations = {
  "POST /api/v1/payments/webhooks/:provider": {
    id: "receiveWebhook",
    tag,
    summary: "A payment provider's message",
    description:
      "For providers only: the message is signed. 200 says that it is kept for good; replays and " +
      "reordering are harmless.",
    access: "public",
    foreignBody: "As the provider has it.",
    headers: {
      "webhook-id": "Of the sandbox: the message's id.",
      "webhook-timestamp": "Of the sandbox: Unix seconds.",
      "webhook-signature": "Of the sandbox: `v1,` and the HMAC.",
      "stripe-signature": "Of Stripe.",
    },
    answers: {
      200: { description: "Kept.", schema: Received, example: { received: 1 } },
    },
    codes: [
      "payment_provider_unknown",
      "webhook_signature_invalid",
      "malformed_json",
      "validation_failed",
    ],
  },
  "POST /api/v1/payments/sandbox/:intentId/succeed": simulation("succeeded", {
    id: "simulateSuccess",
    summary: "Let a sandbox payment succeed",
  }),
  "POST /api/v1/payments/sandbox/:intentId/fail": simulation("failed", {
    id: "simulateFailure",
    summary: "Let a sandbox payment fail",
  }),
};
