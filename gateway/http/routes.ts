import type { Handler, HttpRequest, HttpResponse } from "./exchange.ts";
import { failureResponse } from "./problem.ts";

/** A route that awaits: what it throws becomes its answer. */
export function asyncRoute(handle: (request: HttpRequest) => Promise<HttpResponse>): Handler {
  return (request, respond) => {
    handle(request).then(respond, (error: unknown) =>
      respond(failureResponse(error, request.requestId)),
    );
  };
}

export function json(status: number, value: unknown): HttpResponse {
  return { status, body: JSON.stringify(value) };
}
