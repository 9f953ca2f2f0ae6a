/**
 * Messages signed as standardwebhooks.com has it:
 *
 *   webhook-id: msg_2f…            the same for every delivery of the message
 *   webhook-timestamp: 1789000000  Unix seconds
 *   webhook-signature: v1,K5oZ…=   base64 of HMAC-SHA256(secret, "id.timestamp.body"); several may
 *                                  stand there with a space between, one of them has to fit
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { WEBHOOK_AGE_MS_MAX } from "../../engine/limits.ts";

export interface SignedHeaders {
  readonly "webhook-id": string;
  readonly "webhook-timestamp": string;
  readonly "webhook-signature": string;
}

export const SIGNED_HEADERS = ["webhook-id", "webhook-timestamp", "webhook-signature"] as const;

interface Message {
  readonly id: string;
  /** Unix seconds, as text. */
  readonly timestamp: string;
  readonly body: Buffer | string;
}

function signatureOf(secret: string | Buffer, { id, timestamp, body }: Message): Buffer {
  return createHmac("sha256", secret).update(`${id}.${timestamp}.`).update(body).digest();
}

/** The headers with which a message may be sent at `atMs`. */
export function signMessage(
  secret: string | Buffer,
  { id, atMs, body }: { readonly id: string; readonly atMs: number; readonly body: string },
): SignedHeaders {
  const timestamp = String(Math.floor(atMs / 1_000));
  const signature = signatureOf(secret, { id, timestamp, body }).toString("base64");
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${signature}`,
  };
}

/** Whether the body was signed with the secret, WEBHOOK_AGE_MS_MAX before or after `nowMs`. */
export function isSigned(
  secret: string,
  headers: Readonly<Record<string, string>>,
  { body, nowMs }: { readonly body: Buffer; readonly nowMs: number },
): boolean {
  const id = headers["webhook-id"] ?? "";
  const timestamp = headers["webhook-timestamp"] ?? "";
  if (id === "" || !/^\d{1,12}$/.test(timestamp)) return false;
  if (Math.abs(nowMs - Number(timestamp) * 1_000) > WEBHOOK_AGE_MS_MAX) return false;
  const expected = signatureOf(secret, { id, timestamp, body });
  return (headers["webhook-signature"] ?? "").split(" ").some((given) => {
    const bytes = Buffer.from(given.startsWith("v1,") ? given.slice(3) : "", "base64");
    return bytes.length === expected.length && timingSafeEqual(bytes, expected);
  });
}
