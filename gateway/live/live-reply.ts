import type { DeskResult } from "../booking/desk-result.ts";
import { problemDocument } from "../http/problem.ts";

/** What a client calls its message, to know the answer by. */
export type MessageId = string | number | undefined;

/** The answer to what the desk was asked, as JSON. */
export function replyOf(id: MessageId, result: DeskResult): string {
  const named = id === undefined ? "" : `"id":${JSON.stringify(id)},`;
  if (result.kind === "problem") {
    const { status, document } = problemDocument(result.code, result.members);
    return `{"op":"reply",${named}"status":${status},"body":${JSON.stringify(document)}}`;
  }
  const { body } = result;
  const status = body === null ? 204 : result.status;
  const json = typeof body === "string" ? body : JSON.stringify(body);
  const replayed = result.replayed ? ',"replayed":true' : "";
  return `{"op":"reply",${named}"status":${status},"body":${json}${replayed}}`;
}

/** Of a message, good or not. */
export function idOf(value: unknown): MessageId {
  if (typeof value !== "object" || value === null || !("id" in value)) return undefined;
  const { id } = value;
  return typeof id === "string" || typeof id === "number" ? id : undefined;
}
