import {
  WEBHOOK_RETRY_AFTER_MS_MAX,
  WEBHOOK_RETRY_JITTER,
  WEBHOOK_RETRY_PAUSES_MS,
} from "../../engine/notifier-limits.ts";

/**
 * How long to wait after the n-th failure in a row (from 1), ms; null: it is not tried again.
 * `askedMs`: what the receiver has asked for; null: nothing. `random` is from 0 to below 1.
 */
export function retryPauseMs(
  failures: number,
  { askedMs, random }: { readonly askedMs: number | null; readonly random: number },
): number | null {
  const pauseMs = WEBHOOK_RETRY_PAUSES_MS[failures - 1];
  if (pauseMs === undefined) return null;
  const own = pauseMs * (1 + WEBHOOK_RETRY_JITTER * random);
  return Math.round(Math.max(own, Math.min(askedMs ?? 0, WEBHOOK_RETRY_AFTER_MS_MAX)));
}

/** The pause that a Retry-After header asks for: seconds, or a date; null: it says nothing. */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | null {
  if (header === undefined || header.length > 40) return null;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1_000;
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs);
}
