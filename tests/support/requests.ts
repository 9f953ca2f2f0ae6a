import type { HttpRequest } from "../../gateway/http/exchange.ts";

/** A request as routes get it, with nothing in it but what is given. */
export function requestLike(given: Partial<HttpRequest>): HttpRequest {
  return {
    method: "POST",
    query: "",
    params: [],
    authorization: "",
    contentType: "",
    idempotencyKey: "",
    ifNoneMatch: "",
    requestId: "r-1",
    traceparent: "",
    body: Buffer.alloc(0),
    ...given,
  };
}
