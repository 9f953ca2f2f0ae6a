import type { HttpResponse } from "./exchange.ts";
import { PROBLEMS, type ProblemCode } from "./problem-codes.ts";
import { storeFailure } from "./store-failure.ts";

/** Members of a problem beyond those that every problem has. */
export interface ProblemMembers {
  /** What happened this time, for a person; default: the code's title. */
  readonly detail?: string;
  readonly [member: string]: unknown;
}

const CONTENT_TYPE = "application/problem+json; charset=utf-8";
const RETRY_SHORTLY = { "Retry-After": "1" };
/** RFC 9110: whoever hears 401 is told what kind of credentials would do. */
const CHALLENGE = { "WWW-Authenticate": "Bearer" };

/** The members of an error answer as RFC 9457 has them; status and title are the code's. */
export function problemDocument(
  code: ProblemCode,
  members: ProblemMembers = {},
): { readonly status: number; readonly document: object } {
  const [status, title] = PROBLEMS[code];
  const detail = members.detail ?? title;
  const document = { ...members, type: `/problems/${code}`, title, status, code, detail };
  return { status, document };
}

/** Codes that say when to try again have a member `retryAt` for it. */
function headersOf(code: ProblemCode, status: number, { retryAt }: ProblemMembers) {
  if (code === "busy" || code === "timeout") return RETRY_SHORTLY;
  if (status === 401) return CHALLENGE;
  if (typeof retryAt !== "string") return null;
  const seconds = Math.ceil((Date.parse(retryAt) - Date.now()) / 1000);
  return { "Retry-After": String(Math.max(1, seconds)) };
}

/** Documents without members of their own, but for the last one: under load they are many. */
const beginnings = new Map<ProblemCode, string>();

function beginningOf(code: ProblemCode): string {
  const known = beginnings.get(code);
  if (known !== undefined) return known;
  const beginning = JSON.stringify(problemDocument(code).document).slice(0, -1);
  beginnings.set(code, beginning);
  return beginning;
}

export function problem(
  code: ProblemCode,
  requestId: string,
  members: ProblemMembers = {},
): HttpResponse {
  const [status] = PROBLEMS[code];
  const body =
    Object.keys(members).length === 0
      ? `${beginningOf(code)},"requestId":${JSON.stringify(requestId)}}`
      : JSON.stringify({ ...problemDocument(code, members).document, requestId });
  const headers = headersOf(code, status, members);
  return headers === null
    ? { status, body, contentType: CONTENT_TYPE, code }
    : { status, body, contentType: CONTENT_TYPE, code, headers };
}

/** Thrown by routes and services to answer with a problem. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly code: ProblemCode;
  readonly members: ProblemMembers;

  constructor(code: ProblemCode, members: ProblemMembers = {}, options?: ErrorOptions) {
    super(members.detail ?? PROBLEMS[code][1], options);
    this.code = code;
    this.members = members;
  }
}

/** The answer to a request whose handling threw. */
export function failureResponse(error: unknown, requestId: string): HttpResponse {
  if (error instanceof ProblemError) {
    const response = problem(error.code, requestId, error.members);
    return error.cause === undefined ? response : { ...response, cause: error.cause };
  }
  const code = (error instanceof Error ? storeFailure(error) : null) ?? "internal";
  return { ...problem(code, requestId), cause: error ?? new Error("something empty was thrown") };
}
