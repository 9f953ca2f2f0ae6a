import type { ProblemCode } from "./problem-codes.ts";

/** SQLSTATEs and errno codes that mean "the database can't be asked now", not "asked wrongly". */
const UNAVAILABLE = new Set([
  ...["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "ENOTFOUND", "ENOENT", "EAI_AGAIN"],
  // Serialisation failure, deadlock, lock not available, statement timeout.
  ...["40001", "40P01", "55P03", "57014"],
  // Shutdown, crash, starting up; too many connections; out of memory or disk.
  ...["57P01", "57P02", "57P03", "53100", "53200", "53300", "25006", "25P03"],
]);

/** node-postgres reports these without a code. */
const UNAVAILABLE_MESSAGE =
  /^(timeout (exceeded|expired)|Connection terminated|Query read timeout|Client has encountered)/i;

/** insufficient_privilege, for a missing grant as well; of policies it says so. */
const NOT_ALLOWED = "42501";
const BY_POLICY = /^new row violates row-level security policy/;

const FOREIGN_KEY_VIOLATION = "23503";
/** By the end of the constraint's name: what was there when it was asked for, and is gone. */
const GONE: readonly (readonly [suffix: string, code: ProblemCode])[] = [
  ["_user_id_fkey", "unauthenticated"],
  ["_organization_id_fkey", "organization_not_found"],
  ["_event_id_fkey", "event_not_found"],
  ["_webhook_id_fkey", "webhook_not_found"],
];

interface Coded {
  readonly code: string;
  readonly message: string;
  readonly constraint?: unknown;
}

function isCoded(error: Error): error is Error & Coded {
  return "code" in error && typeof error.code === "string";
}

/** Whether this is the word of the foreign key so named: what it leads to is gone. */
export function isGone(error: unknown, constraint: string): boolean {
  if (!(error instanceof Error) || !isCoded(error)) return false;
  return error.code === FOREIGN_KEY_VIOLATION && error.constraint === constraint;
}

/**
 * What a failure of the database means for who asked. Routes look before they write; what somebody
 * else has changed in between is found by keys and policies, and is no error of ours.
 */
export function storeFailure(error: Error): ProblemCode | null {
  if (UNAVAILABLE_MESSAGE.test(error.message)) return "busy";
  if (!isCoded(error)) return null;
  const { code, message, constraint } = error;
  if (UNAVAILABLE.has(code) || code.startsWith("08")) return "busy";
  if (code === NOT_ALLOWED && BY_POLICY.test(message)) return "forbidden";
  if (code !== FOREIGN_KEY_VIOLATION || typeof constraint !== "string") return null;
  return GONE.find(([suffix]) => constraint.endsWith(suffix))?.[1] ?? null;
}
