/**
 * How a route is described: each room has a `…-operations.ts` with an entry for each of its routes,
 * keyed by method and path as the route has them. The schemas in it are those that validate.
 */
import type { TObject, TSchema } from "typebox";
import type { ProblemCode } from "../http/problem-codes.ts";

export type TagName =
  | "Accounts"
  | "Organizations"
  | "Events"
  | "Holds"
  | "Bookings"
  | "Waitlist"
  | "Front of house"
  | "Tickets"
  | "Campaigns"
  | "Payments"
  | "Mails"
  | "Webhooks"
  | "Web push"
  | "Operations"
  | "Documentation";

/**
 * `public`: needs no token. `optional`: shows more with one. `user`: an access token. `operator`:
 * an administrator's, or OPS_TOKEN.
 */
export type Access = "public" | "optional" | "user" | "operator";

export interface RequestBody {
  /** Of the schema in the document. */
  readonly name: string;
  /** The one that validates. */
  readonly schema: TSchema;
  /** By name; each fits the schema. */
  readonly examples: Readonly<Record<string, unknown>>;
  /** True: the request may come without one. Default: false. */
  readonly isOptional?: boolean;
}

export type AnswerHeader =
  | "ETag"
  | "Cache-Control"
  | "Location"
  | "Content-Disposition"
  | "Content-Security-Policy";

export interface AnswerBody {
  readonly description: string;
  /** Absent: there is no body. */
  readonly schema?: TSchema;
  /** Needed where there is a schema; it fits. */
  readonly example?: unknown;
  /** Default: application/json alone. */
  readonly contentTypes?: readonly string[];
  readonly headers?: readonly AnswerHeader[];
}

export interface Operation {
  readonly id: string;
  readonly tag: TagName;
  /** Up to ten words. */
  readonly summary: string;
  /** Markdown. */
  readonly description: string;
  readonly access: Access;
  /** The schema that validates the query; each member is a parameter. */
  readonly query?: TObject;
  readonly body?: RequestBody;
  /** Of what anybody but a client of this API sends: signed webhooks. Of any form. */
  readonly foreignBody?: string;
  /** Its content types, each with an example. Default: application/json alone. */
  readonly foreignTypes?: Readonly<Record<string, unknown>>;
  /**
   * Idempotency-Key: what was answered under it is kept for replays; `kept unread`: of a route that
   * reads no body. Default: the header has no meaning.
   */
  readonly key?: "kept" | "kept unread";
  /** Headers of the request that only this route has: name and what it says. */
  readonly headers?: Readonly<Record<string, string>>;
  /** By status. */
  readonly answers: Readonly<Record<number, AnswerBody>>;
  /** Codes beyond those that `codesOf` knows every such route to have. */
  readonly codes?: readonly ProblemCode[];
}

/** Keys are "METHOD /path/:param". */
export type Operations = Readonly<Record<string, Operation>>;

/** Whether a body is looked at: what is no JSON is refused. */
const readsJson = ({ body, key }: Operation): boolean => body !== undefined || key === "kept";

/** Every error code that a route may answer with. */
export function codesOf(key: string, operation: Operation): readonly ProblemCode[] {
  const isRead = key.startsWith("GET ");
  const { access, query, key: idempotency, codes = [] } = operation;
  const all: (readonly ProblemCode[])[] = [
    codes,
    readsJson(operation) ? ["malformed_json", "unsupported_media_type", "validation_failed"] : [],
    query !== undefined || idempotency !== undefined ? ["validation_failed"] : [],
    idempotency !== undefined ? ["idempotency_key_reused"] : [],
    access === "user" || access === "operator" ? ["unauthenticated"] : [],
    access === "operator" ? ["forbidden"] : [],
    // What is not percent-encoded UTF-8 leads nowhere.
    key.includes("/:") ? ["not_found"] : [],
    isRead ? [] : ["payload_too_large", "request_timeout"],
    key.includes(" /api/v1/") ? ["rate_limited"] : [],
    ["internal", "busy"],
  ];
  return [...new Set(all.flat())];
}
