import type { Network } from "../limits/client-address.ts";
import type { LimitClass } from "../limits/limit-classes.ts";
import type { Quota } from "../limits/quota.ts";

/**
 * Requests and responses as the routes see them. Only server.ts knows which HTTP library is behind.
 * Everything here is a copy: it stays valid after an await.
 */
import type { ProblemCode } from "./problem-codes.ts";

export interface HttpRequest {
  readonly method: string;
  /** Query string without the question mark; "" when there is none. */
  readonly query: string;
  /** Values of the route's `:name` segments in their order, percent-decoded. */
  readonly params: readonly string[];
  /** Request headers that routes use; "" when absent. */
  readonly authorization: string;
  readonly contentType: string;
  readonly idempotencyKey: string;
  readonly ifNoneMatch: string;
  /** Echoed or made; on every response as X-Request-Id. */
  readonly requestId: string;
  /** W3C trace context as received; "" when absent or malformed. */
  readonly traceparent: string;
  /** Those that the route asked for, by lower-case name, "" when absent. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Whom it comes from, where the route asked for it: an IPv4 address, or an IPv6 one's /64. */
  readonly address?: string;
  /** There with `address`: has the answer's headers tell of another bound than the route's own. */
  readonly showQuota?: (quota: Quota) => void;
  /** Body bytes; empty when there is none. */
  readonly body: Buffer;
}

export interface HttpResponse {
  readonly status: number;
  /** Beyond Content-Type, Content-Length and X-Request-Id. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The same as `headerLines` gives them, for what is answered often; then there are no others. */
  readonly headerLines?: string;
  /** null: no body. */
  readonly body: string | Buffer | null;
  /** Default: application/json; charset=utf-8 */
  readonly contentType?: string;
  /** Of a problem, for what counts them; its body has it, too. */
  readonly code?: ProblemCode;
  /** What went wrong, for the log; never sent. */
  readonly cause?: unknown;
}

export type Respond = (response: HttpResponse) => void;

/** Answers exactly once, now or later. A throw before the answer becomes `500 internal`. */
export type Handler = (request: HttpRequest, respond: Respond) => void;

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** For example /api/v1/events/:id/holds */
  readonly path: string;
  readonly handler: Handler;
  /** Default: BODY_BYTES_MAX */
  readonly bodyBytesMax?: number;
  /** Lower-case names of further headers that the handler reads. Default: none. */
  readonly headers?: readonly string[];
  /** Whether the handler reads `address`. Default: false. */
  readonly withAddress?: boolean;
  /** What it counts as. Default: under /api/ `read` or `write`, by the method; elsewhere `none`. */
  readonly limit?: LimitClass | "none";
  /**
   * True: the request is answered `busy` before anything else of it is read. Asked once the path's
   * parameters are known; without it the route is never busy.
   */
  readonly isBusy?: (params: readonly string[]) => boolean;
}

/** One live connection, as the WebSocket rooms see it. Every method is safe after its close. */
export interface LiveSocket {
  /** Grows from 1; never reused. */
  readonly id: number;
  /** `?access_token=` of the upgrade; "" when absent. */
  readonly accessToken: string;
  /** Whom it comes from. */
  readonly network: Network;
  /**
   * Leaves at the end of the turn; until then bytes, which are UTF-8, must stay as they are. Who
   * reads too slowly is cut off with 1013, and hears nothing more.
   */
  send(text: string | Uint8Array): void;
  subscribe(topic: string): void;
  unsubscribe(topic: string): void;
  end(code: number, reason: string): void;
}

/** A message as it was read. `value`, of a bad one: what could be read of it. */
export type ReadMessage =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false;
      readonly code: "malformed_json" | "malformed_msgpack" | "unsupported_frame";
      readonly detail: string;
      readonly value?: unknown;
    };

/** What was said: in a text frame, which nobody has read yet, or in a binary one. */
export type Said = string | ReadMessage;

export interface LiveHandler {
  open(socket: LiveSocket): void;
  /**
   * The answer to a text frame that is refused unread; null: the frame is to be read. Asked before
   * anything is spent on it.
   */
  refusalOf?(message: Uint8Array): Uint8Array | null;
  message(socket: LiveSocket, said: Said): void;
  /** Takes nothing more; resolves when what was taken is answered. */
  finish?(): Promise<void>;
  close(socket: LiveSocket): void;
}
