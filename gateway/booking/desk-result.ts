import type { ProblemCode } from "../http/problem-codes.ts";

/** A refusal on its way to the requester, before it is dressed for HTTP or WebSocket. */
export interface DeskProblem {
  readonly kind: "problem";
  readonly code: ProblemCode;
  /** Extra members of the problem document; `detail` among them replaces the default one. */
  readonly members: Readonly<Record<string, unknown>>;
}

export type DeskResult =
  | {
      readonly kind: "ok";
      readonly status: number;
      /** null: no body. */
      readonly body: object | null;
      /** The first outcome of a repeated request. */
      readonly replayed: boolean;
    }
  | DeskProblem;

export type Settle = (result: DeskResult) => void;
