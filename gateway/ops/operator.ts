import type { HttpRequest } from "../http/exchange.ts";
import { ProblemError } from "../http/problem.ts";
import type { Tokens } from "../identity/tokens.ts";
import { isSameSecret } from "./same-secret.ts";

export interface OperatorPorts {
  readonly tokens: Tokens;
  /** null: only a platform administrator's access token opens what is the operators'. */
  readonly opsToken: string | null;
}

/** Throws `unauthenticated` or `forbidden` where the request is not an operator's. */
export function requireOperator(
  { opsToken, tokens }: OperatorPorts,
  { authorization }: HttpRequest,
): void {
  if (opsToken !== null && isSameSecret(authorization, `Bearer ${opsToken}`)) return;
  const identity = tokens.verify(authorization);
  if (identity === null) throw new ProblemError("unauthenticated");
  if (identity.role !== "admin") throw new ProblemError("forbidden");
}
