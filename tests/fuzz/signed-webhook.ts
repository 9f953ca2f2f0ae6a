import { randomUUID } from "node:crypto";
import type { Random } from "../../engine/testing/random.ts";
import { signMessage } from "../../gateway/payments/signed-message.ts";

export const WEBHOOK_SECRET = "the sandbox's secret of a fuzz run";

export interface SignedWebhook {
  readonly raw: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What the sandbox would say of an intent; `spoil` may make something else of it. */
export function signedWebhook(
  random: Random,
  intentId: string,
  spoil: (message: object) => unknown,
): SignedWebhook {
  const type = random.pick(["payment.succeeded", "payment.failed", "payment.canceled"]);
  const amount = random.pick([{}, { amount: 4500 }, { amount: 1 }]);
  const raw = JSON.stringify(spoil({ type, intentId, ...amount })) ?? "null";
  const signed = signMessage(WEBHOOK_SECRET, { id: randomUUID(), atMs: Date.now(), body: raw });
  return { raw, headers: { ...signed } };
}
