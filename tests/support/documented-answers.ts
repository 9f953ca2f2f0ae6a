/**
 * The contract that all clients of the tests hold answers against. Made when it is imported: no
 * answer waits for it.
 */
import { AnswerContract, documentedApi, type HeardAnswer } from "./answer-contract.ts";

const contract = new AnswerContract(documentedApi());

/** An answer that the OpenAPI document does not promise. */
export class UndocumentedAnswer extends Error {
  readonly code = "undocumented_answer";
}

/** Throws UndocumentedAnswer. */
export function requireDocumented(answer: HeardAnswer): void {
  // Every path answers preflights alike.
  if (answer.method === "OPTIONS") return;
  const fault = contract.faultOf(answer);
  if (fault === null) return;
  throw new UndocumentedAnswer(`${answer.method} ${answer.path} ${answer.status}: ${fault}`);
}

/** The same of a message; `asked`: the op that a reply answers, if that is known. */
export function requireDocumentedMessage(message: unknown, asked: string | undefined): void {
  const fault = contract.liveFaultOf(message, asked);
  if (fault !== null) throw new UndocumentedAnswer(`the answer to "${asked}": ${fault}`);
}

/** For who goes on without an answer: null, unless there was one that is not documented. */
export function unlessUndocumented(error: unknown): null {
  if (error instanceof UndocumentedAnswer) throw error;
  return null;
}
