import { parseEventId } from "../../engine/ids.ts";
import type { HttpRequest, Respond, Route } from "../http/exchange.ts";
import { type JsonBody, parseJsonBody } from "../http/json-body.ts";
import { pageOf } from "../http/page.ts";
import { failureResponse, problem } from "../http/problem.ts";
import type { Identity, Tokens } from "../identity/tokens.ts";
import type { BookingDesk } from "./booking-desk.ts";
import { REPLAYED } from "./command-key.ts";
import type { DeskRequest } from "./desk-core.ts";
import type { DeskResult, Settle } from "./desk-result.ts";

export interface DeskRoutesPorts {
  readonly desk: BookingDesk;
  readonly tokens: Tokens;
}

/** Everything that an actor answers. */
export function deskRoutes({ desk, tokens }: DeskRoutesPorts): Route[] {
  const route = routeMaker(tokens);
  const { holds, orders, tickets, waitlist, inventory } = desk;
  const event = "/api/v1/events/:id";
  const hold = "/api/v1/holds/:id";
  const booking = "/api/v1/bookings/:id";
  return [
    {
      ...route.withBody("POST", `${event}/holds`, (asked, [id], settle) =>
        holds.hold(parseEventId(id), asked, settle),
      ),
      isBusy: ([id]) => desk.refusesHolds(parseEventId(id)),
      limit: "hold",
    },
    route.plain("GET", hold, ({ identity }, [id = ""], settle) => holds.find(id, identity, settle)),
    route.plain("DELETE", hold, ({ identity }, [id = ""], settle) =>
      holds.release(id, identity, settle),
    ),
    {
      ...route.withBody("PATCH", hold, (asked, [id = ""], settle) =>
        holds.change(id, asked, settle),
      ),
      limit: "hold",
    },
    route.withBody("POST", `${hold}/extend`, (asked, [id = ""], settle) =>
      holds.extend(id, asked, settle),
    ),
    {
      ...route.withBody("POST", `${event}/bookings`, (asked, [id], settle) =>
        orders.book(parseEventId(id), asked, settle),
      ),
      limit: "booking",
    },
    route.withBody("POST", `${booking}/cancel`, (asked, [id = ""], settle) =>
      orders.cancel(id, asked, settle),
    ),
    route.withBody("POST", `${booking}/transfer`, (asked, [id = ""], settle) =>
      orders.transfer(id, asked, settle),
    ),
    route.withBody(
      "POST",
      `${booking}/tickets/:ticketId/move`,
      (asked, [bookingId = "", ticketId = ""], settle) =>
        tickets.move({ bookingId, ticketId }, asked, settle),
    ),
    route.withBody("POST", `${event}/check-ins`, (asked, [id], settle) =>
      tickets.checkIn(parseEventId(id), asked, settle),
    ),
    route.withBody("PATCH", `${event}/inventory`, (asked, [id], settle) =>
      inventory.change(parseEventId(id), asked, settle),
    ),
    route.withBody("POST", `${event}/waitlist`, (asked, [id], settle) =>
      waitlist.join(parseEventId(id), asked, settle),
    ),
    route.plain("GET", `${event}/waitlist`, ({ identity, query }, [id], settle) => {
      waitlist.list(parseEventId(id), identity, pageOf(query), settle);
    }),
    route.plain("GET", `${event}/waitlist/me`, ({ identity }, [id], settle) =>
      waitlist.find(parseEventId(id), identity, settle),
    ),
    route.plain("DELETE", `${event}/waitlist/me`, ({ identity }, [id], settle) =>
      waitlist.leave(parseEventId(id), identity, settle),
    ),
  ];
}

type Method = Route["method"];
type PlainHandler = (
  asked: { readonly identity: Identity; readonly query: string },
  params: readonly string[],
  settle: Settle,
) => void;
type BodyHandler = (asked: DeskRequest, params: readonly string[], settle: Settle) => void;

/** Routes for whoever has a token; the first check is theirs, after that of the body's form. */
function routeMaker(tokens: Tokens) {
  const refuse = (request: HttpRequest, respond: Respond): void =>
    respond(problem("unauthenticated", request.requestId));
  return {
    plain(method: Method, path: string, handle: PlainHandler): Route {
      const handler = (request: HttpRequest, respond: Respond): void => {
        const identity = tokens.verify(request.authorization);
        if (identity === null) return refuse(request, respond);
        const { query, params } = request;
        try {
          handle({ identity, query }, params, responder(request, respond));
        } catch (error) {
          respond(failureResponse(error, request.requestId));
        }
      };
      return { method, path, handler };
    },
    /** Bodies are optional here: the desk's own validation says what is missing. */
    withBody(method: Method, path: string, handle: BodyHandler): Route {
      const handler = (request: HttpRequest, respond: Respond): void => {
        const identity = tokens.verify(request.authorization);
        if (identity === null) return refuse(request, respond);
        const parsed: JsonBody = request.body.length === 0 ? NO_BODY : parseJsonBody(request);
        if (!parsed.ok) {
          respond(problem(parsed.code, request.requestId, { detail: parsed.detail }));
          return;
        }
        const { idempotencyKey, params } = request;
        const asked = { identity, body: parsed.value, idempotencyKey };
        handle(asked, params, responder(request, respond));
      };
      return { method, path, handler };
    },
  };
}

const NO_BODY: JsonBody = { ok: true, value: undefined };

const jsonOf = (body: object | string): string =>
  typeof body === "string" ? body : JSON.stringify(body);

/** Dresses the desk's result for HTTP. */
function responder(request: HttpRequest, respond: Respond): Settle {
  return (result: DeskResult) => {
    if (result.kind === "problem") {
      respond(problem(result.code, request.requestId, result.members));
      return;
    }
    const status = result.body === null ? 204 : result.status;
    const body = result.body === null ? null : jsonOf(result.body);
    respond(result.replayed ? { status, body, headers: REPLAYED } : { status, body });
  };
}
