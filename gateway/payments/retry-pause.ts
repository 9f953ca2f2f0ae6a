import {
  PAYMENT_ERROR_CHARS_MAX,
  PAYMENT_RETRY_MS_MAX,
  PAYMENT_RETRY_MS_MIN,
} from "../../engine/limits.ts";

/** Pause after the n-th try (from 1): doubles each time, up to PAYMENT_RETRY_MS_MAX. */
export function retryPauseMs(tries: number): number {
  const doublings = Math.min(30, Math.max(0, tries - 1));
  return Math.min(PAYMENT_RETRY_MS_MAX, PAYMENT_RETRY_MS_MIN * 2 ** doublings);
}

/** What is kept of an error, beside the row that it hit. */
export function errorText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.slice(0, PAYMENT_ERROR_CHARS_MAX);
}
