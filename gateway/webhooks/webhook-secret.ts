import { randomBytes } from "node:crypto";
import { WEBHOOK_SECRET_BYTES } from "../../engine/notifier-limits.ts";
import { type SignedHeaders, signMessage } from "../payments/signed-message.ts";

const PREFIX = "whsec_";

/** As Standard Webhooks has them: `whsec_` and the bytes in base64. */
export function freshSecret(): string {
  return PREFIX + randomBytes(WEBHOOK_SECRET_BYTES).toString("base64");
}

/** What signs a webhook's messages. */
export interface WebhookSecrets {
  readonly secret: string;
  /** The one before it, which signs along until then; null: there is none. */
  readonly oldSecret: string | null;
  readonly oldSecretUntilMs: number | null;
}

/** The headers of one try: a signature by each secret that is good now. */
export function signedBy(
  { secret, oldSecret, oldSecretUntilMs }: WebhookSecrets,
  message: { readonly id: string; readonly atMs: number; readonly body: string },
): SignedHeaders {
  const signed = signMessage(bytesOf(secret), message);
  if (oldSecret === null || message.atMs >= (oldSecretUntilMs ?? 0)) return signed;
  const old = signMessage(bytesOf(oldSecret), message);
  const both = `${signed["webhook-signature"]} ${old["webhook-signature"]}`;
  return { ...signed, "webhook-signature": both };
}

const bytesOf = (secret: string): Buffer => Buffer.from(secret.slice(PREFIX.length), "base64");
