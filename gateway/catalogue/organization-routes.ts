import Type from "typebox";
import { parseOrganizationId } from "../../engine/ids.ts";
import { NAME_CHARS_MAX } from "../../engine/limits.ts";
import type { HttpRequest, HttpResponse, Route } from "../http/exchange.ts";
import { decodeCursor, encodeCursor, pageOf } from "../http/page.ts";
import { ProblemError } from "../http/problem.ts";
import { asyncRoute, json } from "../http/routes.ts";
import { compileSchema, optional, readBody, validationFailed } from "../http/validation.ts";
import { requireIdentity, type Tokens } from "../identity/tokens.ts";
import type { Organizations } from "./organizations.ts";

/** Body of POST /organizations. */
export const OrganizationBody = Type.Object({
  name: Type.String({ format: "line", maxLength: NAME_CHARS_MAX }),
  allowInvoices: optional(Type.Boolean()),
  currency: optional(Type.String({ format: "currency" })),
  country: optional(Type.String({ format: "country" })),
});
const checkOrganization = compileSchema(OrganizationBody);

export interface OrganizationPorts {
  readonly organizations: Organizations;
  readonly tokens: Tokens;
}

export function organizationRoutes(ports: OrganizationPorts): Route[] {
  const path = "/api/v1/organizations";
  return [
    { method: "POST", path, handler: asyncRoute((request) => create(ports, request)) },
    { method: "GET", path, handler: asyncRoute((request) => list(ports, request)) },
  ];
}

async function create(ports: OrganizationPorts, request: HttpRequest): Promise<HttpResponse> {
  const identity = requireIdentity(ports.tokens, request);
  if (identity.role === "guest") throw new ProblemError("forbidden");
  const body = readBody(checkOrganization, request);
  const given = {
    name: body.name.trim(),
    allowInvoices: body.allowInvoices ?? false,
    currency: body.currency ?? "EUR",
    country: body.country ?? "DE",
  };
  return json(201, await ports.organizations.create(given, identity));
}

async function list(ports: OrganizationPorts, request: HttpRequest): Promise<HttpResponse> {
  const identity = requireIdentity(ports.tokens, request);
  const { limit, cursor } = pageOf(request.query);
  const before = cursor === null ? null : parseOrganizationId(decodeCursor(cursor)[0]);
  if (cursor !== null && before === null) {
    throw validationFailed([{ path: "cursor", message: "must be a nextCursor of this list" }]);
  }
  const found = await ports.organizations.list(identity, { limit: limit + 1, before });
  const data = found.slice(0, limit);
  const last = data.at(-1);
  const hasMore = found.length > limit && last !== undefined;
  return json(200, { data, nextCursor: hasMore ? encodeCursor([last.id]) : null });
}
