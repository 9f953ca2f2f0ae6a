import type { Draft } from "./http-exchange.ts";
import { requestIdOf, traceparentOf } from "./request-id.ts";

const NO_BODY = Buffer.alloc(0);

/** The library's request, as far as it is read here: it is gone when its callback returns. */
interface Arriving {
  getHeader(lowerCaseName: string): string;
  getParameter(index: number): string;
  getQuery(): string;
}

/** Copies what routes may want to know; a header costs a crossing, so only those that are used. */
export function draftOf(arriving: Arriving, method: string, isRead: boolean): Draft {
  return {
    method,
    query: arriving.getQuery() ?? "",
    params: [],
    authorization: arriving.getHeader("authorization"),
    contentType: isRead ? "" : arriving.getHeader("content-type"),
    idempotencyKey: isRead ? "" : arriving.getHeader("idempotency-key"),
    ifNoneMatch: isRead ? arriving.getHeader("if-none-match") : "",
    requestId: requestIdOf(arriving.getHeader("x-request-id")),
    traceparent: traceparentOf(arriving.getHeader("traceparent")),
    body: NO_BODY,
  };
}

export function headersOf(names: readonly string[], arriving: Arriving): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, arriving.getHeader(name)]));
}

/** How many parameters a route's path has. */
export const paramCountOf = (path: string): number => path.split(":").length - 1;

/** Values of the path's parameters; null when one is not percent-encoded UTF-8. */
export function paramsOf(count: number, arriving: Pick<Arriving, "getParameter">): string[] | null {
  const params: string[] = [];
  while (params.length < count) {
    const raw = arriving.getParameter(params.length);
    if (!raw.includes("%")) params.push(raw);
    else {
      try {
        params.push(decodeURIComponent(raw));
      } catch (error) {
        if (error instanceof URIError) return null;
        throw error;
      }
    }
  }
  return params;
}
