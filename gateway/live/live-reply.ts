import type { DeskResult } from "../booking/desk-result.ts";
import { problemDocument } from "../http/problem.ts";

/** What a client calls its message, to know the answer by. */
export type MessageId = string | number | undefined;

/** The answer to what the desk was asked. */
export function replyOf(id: MessageId, result: DeskResult): object {
  // Undefined members are not sent.
  if (result.kind === "problem") {
    const { status, document } = problemDocument(result.code, result.members);
    return { op: "reply", id, status, body: document };
  }
  const status = result.body === null ? 204 : result.status;
  const replayed = result.replayed ? true : undefined;
  return { op: "reply", id, status, body: result.body, replayed };
}

/** Of a message, good or not. */
export function idOf(value: unknown): MessageId {
  if (typeof value !== "object" || value === null || !("id" in value)) return undefined;
  const { id } = value;
  return typeof id === "string" || typeof id === "number" ? id : undefined;
}
