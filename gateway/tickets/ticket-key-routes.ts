import Type from "typebox";
import type { HttpRequest, HttpResponse, Route } from "../http/exchange.ts";
import { ProblemError } from "../http/problem.ts";
import { asyncRoute, json } from "../http/routes.ts";
import { compileSchema, optional, readBody } from "../http/validation.ts";
import { type OperatorPorts, requireOperator } from "../ops/operator.ts";
import type { TicketKeys } from "./ticket-keys.ts";
import type { TicketKey } from "./ticket-token.ts";

export interface TicketKeyRoutesPorts extends OperatorPorts {
  readonly keys: TicketKeys;
}

/** Body of POST /ops/ticket-keys. */
export const NewTicketKeyBody = Type.Object({
  signsFrom: optional(
    Type.String({
      format: "instant",
      description: "Default: at once. Later: who scans offline learns of it before it is used.",
    }),
  ),
});
const checkNewKey = compileSchema(NewTicketKeyBody);

/** For who verifies QR codes without asking; a scanner may keep it for the show. */
const CACHE = "public, max-age=300";

export function ticketKeyRoutes(ports: TicketKeyRoutesPorts): Route[] {
  return [
    {
      method: "GET",
      path: "/api/v1/ticket-keys",
      handler: asyncRoute(async () => {
        const keys = (await ports.keys.all()).map(({ published }) => published);
        return { ...json(200, { keys }), headers: { "Cache-Control": CACHE } };
      }),
    },
    forOperators(ports, "GET", "/ops/ticket-keys", async () => {
      const keys = await ports.keys.all();
      const signing = await ports.keys.signing();
      return { status: 200, body: { keys: keys.map((key) => keyView(key, signing)) } };
    }),
    forOperators(ports, "POST", "/ops/ticket-keys", async (request) => {
      const { signsFrom } = readBody(checkNewKey, request);
      const key = await ports.keys.add(signsFrom == null ? Date.now() : Date.parse(signsFrom));
      return { status: 201, body: keyView(key, await ports.keys.signing()) };
    }),
    forOperators(ports, "DELETE", "/ops/ticket-keys/:kid", async (request) => {
      const isThere = await ports.keys.remove(request.params[0] ?? "");
      if (!isThere) throw new ProblemError("not_found");
      return { status: 204, body: null };
    }),
  ];
}

function forOperators(
  ports: TicketKeyRoutesPorts,
  method: "GET" | "POST" | "DELETE",
  path: string,
  handle: (request: HttpRequest) => Promise<{ status: number; body: object | null }>,
): Route {
  return {
    method,
    path,
    handler: asyncRoute(async (request): Promise<HttpResponse> => {
      requireOperator(ports, request);
      const { status, body } = await handle(request);
      const headers = { "Cache-Control": "no-store" };
      return { status, headers, body: body === null ? null : JSON.stringify(body) };
    }),
  };
}

const keyView = ({ kid, signsFromMs }: TicketKey, signing: TicketKey): object => ({
  kid,
  signsFrom: new Date(signsFromMs).toISOString(),
  isSigning: kid === signing.kid,
});
