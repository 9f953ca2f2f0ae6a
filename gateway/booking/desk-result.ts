import type { ProblemCode } from "../http/problem-codes.ts";
import { type FieldError, validationFailed } from "../http/validation.ts";

/** A refusal on its way to the requester, before it is dressed for HTTP or WebSocket. */
export interface DeskProblem {
  readonly kind: "problem";
  readonly code: ProblemCode;
  /** Extra members of the problem document; `detail` among them replaces the default one. */
  readonly members: Readonly<Record<string, unknown>>;
}

export interface DeskAnswer {
  readonly kind: "ok";
  readonly status: number;
  /** null: no body; a text is JSON already. */
  readonly body: object | string | null;
  /** The first outcome of a repeated request. */
  readonly replayed: boolean;
}

export type DeskResult = DeskAnswer | DeskProblem;

export type Settle = (result: DeskResult) => void;

export function ok(status: number, body: DeskAnswer["body"], replayed = false): DeskAnswer {
  return { kind: "ok", status, body, replayed };
}

export function problem(code: ProblemCode, members: DeskProblem["members"] = {}): DeskProblem {
  return { kind: "problem", code, members };
}

/**
 * For what is asked once a change is made: `busy` would say that nothing was changed. Who repeats
 * the request under its key hears the rest.
 */
export function onceMade(settle: Settle): Settle {
  return (result) => {
    const isBusy = result.kind === "problem" && result.code === "busy";
    settle(isBusy ? problem("timeout") : result);
  };
}

/** `400 validation_failed` with what is wrong; at least one error. */
export function invalid(errors: readonly FieldError[]): DeskProblem {
  return problem("validation_failed", validationFailed(errors).members);
}
