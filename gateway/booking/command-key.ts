import { hash } from "node:crypto";
import type { CommandKey } from "../../engine/facts.ts";
import type { UserId } from "../../engine/ids.ts";

const VISIBLE_ASCII = /^[\x21-\x7e]{1,128}$/;

/** True for what the contract takes as an Idempotency-Key: 1–128 visible ASCII characters. */
export function isIdempotencyKey(text: string): boolean {
  return VISIBLE_ASCII.test(text);
}

/** Header of an answer that was given before. */
export const REPLAYED = { "Idempotent-Replayed": "true" };

/**
 * Reduces a key and what came with it to digests. `asked` is the request after validation, so the
 * same request over HTTP and over WebSocket is the same.
 */
export function commandKey(userId: UserId, key: string, asked: readonly unknown[]): CommandKey {
  return {
    digest: hash("sha256", `${userId} ${key}`, "base64url").slice(0, 22),
    fingerprint: hash("sha256", JSON.stringify(asked), "base64url").slice(0, 11),
  };
}
