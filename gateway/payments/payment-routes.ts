import Type, { type Static } from "typebox";
import { isUuidV7 } from "../../engine/ids.ts";
import { PROVIDER_ID_CHARS_MAX } from "../../engine/limits.ts";
import type { HttpRequest, HttpResponse, Route } from "../http/exchange.ts";
import { ProblemError } from "../http/problem.ts";
import { asyncRoute, json } from "../http/routes.ts";
import { compileSchema, optional, readBody } from "../http/validation.ts";
import type { InboxRunner } from "./inbox-runner.ts";
import type { PaymentIntents } from "./payment-intents.ts";
import type { ProviderTable } from "./provider-table.ts";
import type { SandboxProvider } from "./sandbox-provider.ts";

/** All of it optional; so is the body. */
export const SandboxBody = Type.Object({
  /** Minor units. Default: what was asked for. */
  amount: optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
  /** The same one twice is a duplicate. Default: a fresh one. */
  eventId: optional(Type.String({ format: "line", maxLength: PROVIDER_ID_CHARS_MAX })),
  /** false: the provider knows, but its message is lost. Default: true. */
  deliver: optional(Type.Boolean()),
});
const checkSandbox = compileSchema(SandboxBody);

export interface PaymentRoutesPorts {
  readonly providers: ProviderTable;
  readonly intents: PaymentIntents;
  readonly inboxRunner: InboxRunner;
  /** null: the sandbox is off. */
  readonly sandbox: SandboxProvider | null;
}

export function paymentRoutes(ports: PaymentRoutesPorts): Route[] {
  return [
    {
      method: "POST",
      path: "/api/v1/payments/webhooks/:provider",
      headers: webhookHeadersOf(ports.providers),
      limit: "webhook",
      handler: asyncRoute((request) => webhook(ports, request)),
    },
    {
      method: "POST",
      path: "/api/v1/payments/sandbox/:intentId/succeed",
      handler: asyncRoute((request) => simulate(ports, request, "succeeded")),
    },
    {
      method: "POST",
      path: "/api/v1/payments/sandbox/:intentId/fail",
      handler: asyncRoute((request) => simulate(ports, request, "failed")),
    },
  ];
}

function webhookHeadersOf(providers: ProviderTable): string[] {
  return providers.names.flatMap((name) => [...(providers.find(name)?.webhookHeaders ?? [])]);
}

/** 200 says that the message is kept, not that its actor has heard of it. */
async function webhook(ports: PaymentRoutesPorts, request: HttpRequest): Promise<HttpResponse> {
  const provider = ports.providers.get(request.params[0] ?? "");
  const events = await provider.readWebhook(request.headers ?? {}, request.body);
  if (events === null) throw new ProblemError("webhook_signature_invalid");
  for (const event of events) await ports.inboxRunner.take(provider.name, event);
  return json(200, { received: events.length });
}

/**
 * Open to everyone who knows the intent's id, as only its buyer does: there is nothing to be won
 * with play money. Answers when the actor has heard of it, or has to hear of it later.
 */
async function simulate(
  { sandbox, intents, inboxRunner }: PaymentRoutesPorts,
  request: HttpRequest,
  outcome: "succeeded" | "failed",
): Promise<HttpResponse> {
  if (sandbox === null) throw new ProblemError("payment_provider_unknown");
  const intentId = request.params[0] ?? "";
  const body: Static<typeof SandboxBody> =
    request.body.length === 0 ? {} : readBody(checkSandbox, request);
  // Nobody pays with play money what another provider was asked for.
  const intent = isUuidV7(intentId) ? await intents.find(intentId) : null;
  if (intent?.provider !== sandbox.name) throw new ProblemError("intent_not_found");
  const event = await sandbox.happen(intentId, {
    outcome,
    amountMinor: body.amount ?? null,
    currency: null,
    providerEventId: body.eventId ?? null,
    occurredMs: null,
  });
  if (event === null) throw new ProblemError("intent_not_found");
  const answer = { intentId, eventId: event.providerEventId, outcome };
  if (body.deliver === false) return json(200, { ...answer, delivered: false });
  const { isNew, isProcessed } = await inboxRunner.take(sandbox.name, event);
  const processed = await isProcessed;
  return json(200, { ...answer, delivered: true, duplicate: !isNew, processed });
}
