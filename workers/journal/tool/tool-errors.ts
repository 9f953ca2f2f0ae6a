/** Why the tool has no answer. */
export type ToolErrorCode =
  /** Asked for what there is not, or in words that it does not know. */
  | "usage"
  | "unreadable"
  | "no_facts"
  /** Facts of the event are missing where they are needed. */
  | "facts_missing"
  /** Two entries claim one seq with different contents. */
  | "facts_differ"
  /** A fact does not follow from the state before it. */
  | "fact_impossible";

export class ToolError extends Error {
  readonly code: ToolErrorCode;

  constructor(code: ToolErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** 1: the answer is a finding; 2: there could be no answer. */
  get exitCode(): number {
    return this.code === "usage" || this.code === "unreadable" ? 2 : 1;
  }
}
